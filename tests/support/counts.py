"""How often the repeated tests repeat."""

import os


def trials(full: int) -> int:
    """Give the number of repetitions: ``full`` under `make test-full`, else a tenth of it."""
    if os.environ.get("TEST_FULL") == "1":
        return full
    return max(1, full // 10)
