"""Serve with a clock that a test sets: ``python shifted_clock.py FILE python -m gunicorn …``.

The file holds seconds by which the service's clock is ahead, for all processes ("all") or for one
(its id). Nothing but the clock's source of time is replaced, in the master, before it forks.
"""

import json
import os
import runpy
import sys
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Self


class ShiftedClock:
    """The file by which a test sets the clock, and the wrapper that starts the service with it."""

    def __init__(self, file: Path) -> None:
        """Begin with the right time."""
        self._file = file
        self.set()

    @property
    def wrapper(self) -> tuple[str, ...]:
        """What the service is to be started under."""
        return sys.executable, __file__, str(self._file)

    def set(self, seconds: float = 0, *, pid: int | None = None) -> None:
        """Set the clock ahead, or behind by a negative number; of one process or of all."""
        shifts = {} if pid is None else json.loads(self._file.read_text())
        shifts["all" if pid is None else str(pid)] = seconds
        written = self._file.with_suffix(".new")
        written.write_text(json.dumps(shifts))
        written.replace(self._file)


class _ShiftedDatetime(datetime):
    file: Path

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        shifts = json.loads(cls.file.read_text())
        ahead = shifts.get(str(os.getpid()), shifts["all"])
        moment = datetime.now(UTC) + timedelta(seconds=ahead)
        return cls.fromtimestamp(moment.timestamp(), tz)


def _serve() -> None:
    _, file, _, _, module, *arguments = sys.argv
    sys.path.insert(0, str(Path.cwd()))
    from app import clock  # noqa: PLC0415 - only where it is served

    _ShiftedDatetime.file = Path(file)
    vars(clock)["datetime"] = _ShiftedDatetime
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _serve()
