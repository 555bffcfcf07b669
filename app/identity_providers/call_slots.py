"""Slots for the calls to providers: a provider that is stalled must not hold every thread."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from app.errors import ProviderUnavailable


class CallSlots:
    """Lets so many calls go on at once. The others wait for as long as calls are answered.

    Once none has been for a second, the calls are stuck, and whoever comes is refused at once: the
    threads of those who wait in vain are as lost to everybody else as those of the calls. A call
    that fails changes nothing of that, since stalled ones may end one by one.
    """

    def __init__(self, number: int, *, patience_seconds: float) -> None:
        """Take how many there are, and how long without an answer counts as stuck."""
        self._number = self._free = number
        self._patience_seconds = patience_seconds
        self._progress_at = float("-inf")
        self._is_failing = False
        self._changed = threading.Condition()

    @contextmanager
    def taken(self, *, wait: float, reason: str) -> Iterator[None]:
        """Hold a slot for as long as the block runs, which fails by raising an exception.

        Waits for one no longer than so many seconds; raises ProviderUnavailable.
        """
        self._take(wait, reason)
        is_answered = False
        try:
            yield
            is_answered = True
        finally:
            self._give_back(is_answered=is_answered)

    def _take(self, wait: float, reason: str) -> None:
        give_up_at = time.monotonic() + wait
        with self._changed:
            if self._free == self._number or (self._free and not self._is_failing):
                # While there was a slot for whoever came, nobody was held up.
                self._progress_at = time.monotonic()
            while not self._free:
                stuck_at = self._progress_at + self._patience_seconds
                rest = min(give_up_at, stuck_at) - time.monotonic()
                if rest <= 0:
                    raise ProviderUnavailable(reason=reason)
                self._changed.wait(rest)
            self._free -= 1

    def _give_back(self, *, is_answered: bool) -> None:
        with self._changed:
            self._free += 1
            self._is_failing = not is_answered
            if is_answered:
                self._progress_at = time.monotonic()
            # Whoever waits has more time now, or a slot.
            self._changed.notify_all()
