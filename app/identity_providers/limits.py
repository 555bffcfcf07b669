"""How long an identity provider may take, and how much it may say."""

import time
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one provider may cost this process."""

    read_seconds: float = 5
    """For making a connection, and for each read from it."""
    call_seconds: float = 5
    """For one request with the whole of its answer, however it dribbles."""
    operation_seconds: float = 10
    """For all the requests of one operation, such as redeeming a code."""
    wait_seconds: float = 1
    """Without an answer, before the calls under way count as stuck for those who wait for them."""
    calls_at_once: int = 4
    body_bytes: int = 2**20


CALLS_TO_ALL_AT_ONCE = 6
"""How many calls a process may make at once, whichever the provider.

A network that lets nothing out stalls all providers together, and a process has thirteen threads
at the least.
"""
LONG_WAITS_AT_ONCE = 4
"""How many threads beside these may wait for a document that may be stuck."""


class Budget:
    """The time that one operation may still take."""

    def __init__(self, seconds: float) -> None:
        self._ends_at = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """In seconds, never below zero."""
        return max(0.0, self._ends_at - time.monotonic())
