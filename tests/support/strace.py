"""System calls of a running process that fail, or kill it, at a chosen moment (strace)."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

_LAST_SECONDS = 30


def require_strace() -> str:
    """Give the strace that STRACE names, or that is on PATH.

    Without one that may trace, the test fails under CI, and is left out with a word elsewhere.
    """
    program = os.environ.get("STRACE") or shutil.which("strace")
    if program is not None and _can_trace(program):
        return program
    sentence = "no strace that may trace: install the package strace, or name it with STRACE=…"
    if os.environ.get("CI") == "true":
        pytest.fail(sentence)
    pytest.skip(sentence)


@cache
def _can_trace(program: str) -> bool:
    command = [program, "-qq", "-o", os.devnull, "true"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@contextmanager
def injecting(pid: int, call: str, fault: str, log_file: Path) -> Iterator[None]:
    """Inject a fault into a process's calls, such as ``error=EIO:when=3``, until it has ended."""
    command = [require_strace(), "-p", str(pid), "-o", str(log_file)]
    faults = ["-e", f"trace={call}", "-e", f"inject={call}:{fault}"]
    with subprocess.Popen([*command, *faults], stderr=subprocess.PIPE, text=True) as tracer:
        assert tracer.stderr is not None
        said = tracer.stderr.readline()
        assert "attached" in said, said
        yield
        tracer.wait(_LAST_SECONDS)
