"""The end of one call, whatever it waits for.

A time-out of a socket begins anew with every byte; a provider that sends one byte a second would
hold the thread for days. So a timer shuts the connection down.
"""

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

from .limits import Budget


class Deadline:
    """Cuts the connection that it watches when the seconds are over; a context manager."""

    def __init__(self, seconds: float) -> None:
        self._budget = Budget(seconds)
        self._has_cut = False
        self._timer: threading.Timer | None = None
        self._duplicate: socket.socket | None = None

    @property
    def left(self) -> float:
        """In seconds, never below zero."""
        return self._budget.left

    @property
    def has_passed(self) -> bool:
        """Whether what was read may lack its end: a cut looks like the end of an answer."""
        return self._has_cut or not self.left

    def watch(self, connection: socket.socket) -> None:
        """Cut this connection in time."""
        # TLS takes the descriptor out of the original; a duplicate is of the same connection.
        self._duplicate = connection.dup()
        self._timer = threading.Timer(self.left, self._cut, [self._duplicate])
        self._timer.daemon = True
        self._timer.start()

    def _cut(self, duplicate: socket.socket) -> None:
        self._has_cut = True
        with suppress(OSError):
            duplicate.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
            # Before the descriptor's number may become another connection's.
            self._timer.join()
        if self._duplicate is not None:
            self._duplicate.close()
