"""Another process that holds the write lock of a SQLite file."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def write_lock_held(file: str) -> Iterator[None]:
    """Hold the lock, as a long backup or a forgotten shell does, until the block ends."""
    command = [sys.executable, "-c", _HOLD, file]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == b"held\n"
        yield
        # The end of its input, by which it lets go.
        holder.stdin.close()
        holder.wait()
