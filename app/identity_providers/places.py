"""Places for those who wait for a provider: a stalled one must not hold every thread."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from app.errors import ProviderUnavailable


class Places:
    """Lets so many threads in at once. The others wait for as long as somebody comes or goes.

    Once nobody has for a second, whoever comes is refused at once: the threads of those who wait
    in vain are as lost to everybody else as those of the calls that are stalled.
    """

    def __init__(self, number: int, *, patience_seconds: float) -> None:
        """Take how many there are, and how long without a change counts as stuck."""
        self._free = number
        self._patience_seconds = patience_seconds
        self._moved_at = 0.0
        self._changed = threading.Condition()

    @contextmanager
    def taken(self, *, wait: float, reason: str) -> Iterator[None]:
        """Hold a place for as long as the block runs; raises ProviderUnavailable."""
        with self._changed:
            patience = self._moved_at + self._patience_seconds - time.monotonic()
            if not self._changed.wait_for(lambda: self._free > 0, min(wait, patience)):
                raise ProviderUnavailable(reason=reason)
            self._move(-1)
        try:
            yield
        finally:
            with self._changed:
                self._move(1)
                self._changed.notify()

    def _move(self, by: int) -> None:
        self._free += by
        self._moved_at = time.monotonic()
