"""Serve while minutes pass for what is kept of providers: their metadata and their keys.

``python -m tests.support.passing_minutes FILE python -m gunicorn …``; the file says by how many
seconds the monotonic clock of the providers is ahead. Nothing else of the service sees it.
"""

import json
import runpy
import sys
import time
from functools import partial
from pathlib import Path

from tests.support.shifted_clock import ShiftedClock


class PassingMinutes(ShiftedClock):
    """The file by which a test lets time pass, and the wrapper that starts the service with it."""

    @property
    def wrapper(self) -> tuple[str, ...]:
        """What the service is to be started under."""
        return sys.executable, "-m", "tests.support.passing_minutes", str(self._file)


def _serve() -> None:
    _, file, _, _, module, *arguments = sys.argv
    from app.identity_providers import (  # noqa: PLC0415 - only where it is served
        IdentityProvider,
        providers,
    )

    def monotonic() -> float:
        ahead: float = json.loads(Path(file).read_text())["all"]
        return time.monotonic() + ahead

    vars(providers)["IdentityProvider"] = partial(IdentityProvider, monotonic=monotonic)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _serve()
