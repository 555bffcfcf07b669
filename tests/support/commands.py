"""The ``flask`` command as an operator starts it: a process of its own, with few variables."""

import os
import subprocess
import sys
from collections.abc import Mapping

from tests.support.servers import ROOT

PATIENCE_SECONDS = 60


def start_flask(*arguments: str, variables: Mapping[str, str]) -> subprocess.Popen[str]:
    """Start a command with nothing in its environment but ``variables`` and what finds programs."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name in {"PATH", "HOME", "LANG"} or name.startswith("PG")
    }
    return subprocess.Popen(
        [sys.executable, "-m", "flask", *arguments],
        cwd=ROOT,
        env={**inherited, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
    """Wait for a command and give what it printed."""
    with process:
        printed, complained = process.communicate(timeout=PATIENCE_SECONDS)
    return subprocess.CompletedProcess(process.args, process.returncode, printed, complained)


def run_flask(*arguments: str, variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, whatever its exit status."""
    return finish(start_flask(*arguments, variables=variables))
