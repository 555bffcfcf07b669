"""The line that says what is going on, on standard error, so that a table can be redirected."""

import sys
import time

_BEGAN = time.monotonic()


def say(words: str) -> None:
    """Say what is being done now: in place on a terminal, else a line each."""
    seconds = time.monotonic() - _BEGAN
    text = f"[{seconds // 60:2.0f}:{seconds % 60:02.0f}] {words}"
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text}")
    else:
        sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def end_line() -> None:
    """Leave the line, so that what follows stands on its own."""
    if sys.stderr.isatty():
        sys.stderr.write("\n")
