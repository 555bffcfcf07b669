"""A document of the provider's that is fetched once in a while, by one thread at a time."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from app.errors import ProviderUnavailable

from .limits import Budget
from .single_flight import SingleFlight

T = TypeVar("T")

Monotonic = Callable[[], float]

FRESH_SECONDS = 60 * 60
RETRY_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class _Held(Generic[T]):
    document: T
    fetched_at: float


class Kept(Generic[T]):
    """Keeps a document for an hour; one that is older serves on where it cannot be refreshed."""

    def __init__(
        self,
        fetch: Callable[[Budget], T],
        *,
        usable_seconds: float,
        patience_seconds: float,
        monotonic: Monotonic = time.monotonic,
    ) -> None:
        """Take what fetches it, and how long one that cannot be refreshed may serve.

        A fetch that takes longer than the patience may be stuck.
        """
        self._fetch = fetch
        self._usable_seconds = usable_seconds
        self._monotonic = monotonic
        self._fetching = SingleFlight[_Held[T]](
            patience_seconds=patience_seconds,
            reason="another thread waits for a document of it already",
        )
        self._held: _Held[T] | None = None
        self._tried_at = float("-inf")

    def get(self, budget: Budget) -> T:
        """Return the document; raises ProviderUnavailable where none can be had."""
        held = self._held
        if held is None or not self._is_younger(held, self._usable_seconds):
            return self._renewed(held, budget, wait=budget.left)
        if self._is_younger(held, FRESH_SECONDS):
            return held.document
        try:
            # Nobody waits for what can be done without.
            return self._renewed(held, budget, wait=0)
        except ProviderUnavailable:
            return held.document

    def newer(self, budget: Budget) -> T:
        """Return the document as it stands now, as far as one fetch a minute can tell.

        Raises ProviderUnavailable where it was fetched anew in vain.
        """
        return self._renewed(self._held, budget, wait=budget.left)

    def _renewed(self, seen: _Held[T] | None, budget: Budget, *, wait: float) -> T:
        if seen is not None and not self._is_due(seen):
            return seen.document
        return self._fetching.result(partial(self._fetched, budget), wait=wait).document

    def _fetched(self, budget: Budget) -> _Held[T]:
        held = self._held
        # Since this thread looked, another may have fetched it, or tried.
        if held is not None and not self._is_due(held):
            return held
        self._tried_at = self._monotonic()
        held = _Held(document=self._fetch(budget), fetched_at=self._monotonic())
        self._held = held
        return held

    def _is_due(self, held: _Held[T]) -> bool:
        """Whether a fetch may be tried: at most once a minute, unless nothing can be used."""
        if not self._is_younger(held, self._usable_seconds):
            return True
        return self._monotonic() - self._tried_at >= RETRY_SECONDS

    def _is_younger(self, held: _Held[T], seconds: float) -> bool:
        return self._monotonic() - held.fetched_at < seconds
