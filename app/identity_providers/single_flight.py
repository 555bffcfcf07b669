"""One call for all who want its result at the same time."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from app.errors import ProviderUnavailable

from .limits import LONG_WAITS_AT_ONCE

T = TypeVar("T")

_long_waits = threading.BoundedSemaphore(LONG_WAITS_AT_ONCE)


class _Flight(Future[T]):
    """A call under way."""

    def __init__(self) -> None:
        super().__init__()
        self._began_at = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began_at

    def lands(self, seconds: float) -> bool:
        """Wait no longer than so many seconds for the call to end."""
        try:
            self.exception(max(0.0, seconds))
        except TimeoutError:
            return False
        return True


class SingleFlight(Generic[T]):
    """Makes one call at a time. Whoever comes meanwhile waits for it, and shares its fate.

    A call that takes longer than a second may be stuck. So a few alone wait on, and once one took
    longer and failed, nobody waits any more before one succeeds.
    """

    def __init__(self, *, patience_seconds: float, reason: str) -> None:
        """Take after how long a call may be stuck, and why whoever does not wait is refused."""
        self._patience_seconds = patience_seconds
        self._reason = reason
        self._was_stuck = False
        self._flight: _Flight[T] | None = None
        self._boarding = threading.Lock()

    def result(self, call: Callable[[], T], *, wait: float) -> T:
        """Make the call, or return the result of the one that is under way.

        Waits for that no longer than so many seconds; raises ProviderUnavailable where it is not
        there by then or has failed, and whatever one's own call raises.
        """
        with self._boarding:
            found, new = self._flight, _Flight[T]()
            self._flight = found or new
        return self._make(call, new) if found is None else self._share(found, wait)

    def _make(self, call: Callable[[], T], flight: _Flight[T]) -> T:
        try:
            result = call()
        except BaseException as error:
            self._end(is_stuck=flight.seconds > self._patience_seconds)
            flight.set_exception(error)
            raise
        self._end(is_stuck=False)
        flight.set_result(result)
        return result

    def _end(self, *, is_stuck: bool) -> None:
        with self._boarding:
            self._was_stuck = is_stuck
            self._flight = None

    def _share(self, flight: _Flight[T], wait: float) -> T:
        patience = 0 if self._was_stuck else self._patience_seconds - flight.seconds
        short = min(wait, patience)
        if not flight.lands(short) and not self._lands_late(flight, wait - max(0, short)):
            raise ProviderUnavailable(reason=self._reason)
        failure = flight.exception()
        if failure is None:
            return flight.result()
        # One of its own: the exception itself is another thread's.
        raise ProviderUnavailable(reason=getattr(failure, "reason", None)) from None

    def _lands_late(self, flight: _Flight[T], wait: float) -> bool:
        if wait <= 0 or self._was_stuck or not _long_waits.acquire(blocking=False):
            return False
        try:
            return flight.lands(wait)
        finally:
            _long_waits.release()
