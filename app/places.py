"""Places at the database: one that does not answer must not hold every thread of a worker."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

from app.errors import DatabaseUnavailable

PLACES = "places"
"""The execution option by which an engine has its places."""
QUEUE = 11
"""How many threads of a worker may wait for a place; it has one more, which may not."""
PATIENCE_SECONDS = 1
"""After how long without one unit of work that got through the database counts as stuck."""


class Places:
    """Lets so many units of work at the database at once as there are places.

    The others queue, for as long as units get through. Once none has for a second, the database
    is stuck: whoever comes when the queue is full is refused at once, and the queue when the first
    of those before it gives up, so that nobody waits through two time-outs. The thread beyond the
    queue is thus free for what needs no place.
    """

    def __init__(self, number: int, *, queue: int = QUEUE) -> None:
        """Take how many there are, and how many may wait for one."""
        self._number = self._free = number
        self._queue = queue
        self._waiting = self._given_up = 0
        self._last_progress = 0.0
        self._changed = Condition()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold a place for as long as the block runs. Raises ``DatabaseUnavailable``."""
        self._take()
        got_through = True
        try:
            yield
        except DatabaseUnavailable:
            got_through = False
            raise
        finally:
            self._give_back(got_through=got_through)

    def note_progress(self) -> None:
        """Note that the database is at work, for another process perhaps."""
        with self._changed:
            self._last_progress = time.monotonic()

    def _take(self) -> None:
        with self._changed:
            if self._free == self._number:
                self._last_progress = time.monotonic()
            if not self._free:
                self._wait()
            self._free -= 1

    def _wait(self) -> None:
        may_queue = self._waiting < self._queue
        given_up_before = self._given_up
        self._waiting += 1
        try:
            while not self._free or self._given_up > given_up_before:
                until_stuck = self._last_progress + PATIENCE_SECONDS - time.monotonic()
                is_stuck = until_stuck <= 0
                if is_stuck and (not may_queue or self._given_up > given_up_before):
                    raise DatabaseUnavailable(reason="every place at the database is stuck")
                if self._free:
                    return
                self._changed.wait(None if may_queue else until_stuck)
        finally:
            self._waiting -= 1

    def _give_back(self, *, got_through: bool) -> None:
        with self._changed:
            self._free += 1
            if got_through:
                self._last_progress = time.monotonic()
            else:
                self._given_up += 1
            self._changed.notify_all()
