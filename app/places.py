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
LONGEST_WAIT_SECONDS = 5
"""How long anybody waits for a place, however busy the database is."""


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
        self._is_failing = False
        self._changed = Condition()

    @contextmanager
    def taken(self, *, may_queue: bool = True) -> Iterator[None]:
        """Hold a place for as long as the block runs. Raises ``DatabaseUnavailable``."""
        self._take(may_queue=may_queue)
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
            self._progress()

    def _progress(self) -> None:
        self._last_progress = time.monotonic()
        self._is_failing = False

    def _take(self, *, may_queue: bool) -> None:
        with self._changed:
            if self._free == self._number or (self._free and not self._is_failing):
                # While there was a place for whoever came, nobody was held up.
                self._last_progress = time.monotonic()
            if not self._free:
                if not may_queue:
                    raise DatabaseUnavailable(reason="every place at the database is taken")
                self._wait()
            self._free -= 1

    def _wait(self) -> None:
        is_queued = self._waiting < self._queue
        given_up_before = self._given_up
        give_up_at = time.monotonic() + LONGEST_WAIT_SECONDS
        self._waiting += 1
        try:
            while not self._free or self._given_up > given_up_before:
                now = time.monotonic()
                until_stuck = self._last_progress + PATIENCE_SECONDS - now
                is_refused = not is_queued or self._given_up > given_up_before
                if now >= give_up_at or (is_refused and until_stuck <= 0):
                    raise DatabaseUnavailable(reason="every place at the database is stuck")
                if self._free:
                    return
                rest = give_up_at - now
                self._changed.wait(min(rest, until_stuck) if is_refused else rest)
        finally:
            self._waiting -= 1

    def _give_back(self, *, got_through: bool) -> None:
        with self._changed:
            self._free += 1
            if got_through:
                self._progress()
            else:
                self._given_up += 1
                self._is_failing = True
            self._changed.notify_all()
