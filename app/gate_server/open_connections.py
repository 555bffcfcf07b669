"""What the connections of one gate process share: the gate, the time, and who is too slow."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from email.utils import formatdate
from http import HTTPStatus
from typing import Any, Protocol

import structlog

Environ = dict[str, Any]
Headers = Sequence[tuple[str, str]]
Gate = Callable[[Environ, Callable[[str, Headers], object]], Iterable[bytes]]
"""A WSGI callable (PEP 3333) that reads nothing of its environ but what a request's head has."""
Answer = Callable[[], bytes]

_log = structlog.get_logger(__name__)
_BARE = (("Cache-Control", "no-store"), ("Content-Length", "0"))


class Connection(Protocol):
    """One of them."""

    waits_until: float

    def send(self, answer: bytes) -> None:
        """Send the answer to the oldest request that has none."""

    def abort(self) -> None:
        """Drop it."""

    def close_if_idle(self) -> None:
        """Close it, unless there is something to answer."""


class OpenConnections:
    """The connections of a process, and how their requests are answered."""

    def __init__(self, gate: Gate, *, asks_in_threads: bool) -> None:
        """Take the gate; whether it waits for a wire, and is asked in the loop's threads so."""
        self.asks_in_threads = asks_in_threads
        self.open: set[Connection] = set()
        self.is_stopping = False
        self.now = 0.0
        """The event loop's time, to the second."""
        self._gate = gate
        self._date = ""
        self._loop = asyncio.get_running_loop()
        self._asked: list[tuple[Connection, Answer]] = []

    def tick(self, now: float) -> None:
        """Tell what time it is, and drop whoever has kept a connection waiting for too long."""
        self.now = now
        self._date = f"Date: {formatdate(usegmt=True)}"
        for connection in [one for one in self.open if one.waits_until < now]:
            connection.abort()

    def stop(self) -> None:
        """Close what is idle, and everything else with its next answer."""
        self.is_stopping = True
        for connection in list(self.open):
            connection.close_if_idle()

    def answer_soon(self, connection: Connection, answer: Answer) -> None:
        """Answer what was asked in this turn of the loop together: first ask, then write.

        That is a fifth faster than one after another (docs/decisions/0007).
        """
        self._asked.append((connection, answer))
        if len(self._asked) == 1:
            self._loop.call_soon(self._answer_all)

    def answer(self, environ: Environ, *, is_last: bool) -> bytes:
        """Give the gate's answer in bytes; 500 where it has none, or none that may be sent."""
        told: list[Any] = []
        try:
            body = b"".join(self._gate(environ, lambda *given: told.extend(given)))
            status, headers = told
            head = self._head(status, headers, is_last=is_last)
            return head if environ["REQUEST_METHOD"] == "HEAD" else head + body
        except Exception:  # noqa: BLE001 - whatever it is, the others must be answered
            _log.exception("check_failed")
            return self.bare(HTTPStatus.INTERNAL_SERVER_ERROR, is_last=is_last)

    def bare(self, status: HTTPStatus, *, is_last: bool = True) -> bytes:
        """Give an answer that says nothing but what it is."""
        return self._head(f"{status} {status.phrase}", _BARE, is_last=is_last)

    def _head(self, status: str, headers: Headers, *, is_last: bool) -> bytes:
        lines = [f"HTTP/1.1 {status}", self._date]
        lines += [f"{name}: {value}" for name, value in headers]
        if is_last:
            lines.append("Connection: close")
        head = "\r\n".join(lines)
        if not head.count("\n") == head.count("\r") == len(lines) - 1:
            message = "a header has a line end in it"
            raise ValueError(message)
        return head.encode("latin-1") + b"\r\n\r\n"

    def _answer_all(self) -> None:
        asked, self._asked = self._asked, []
        for connection, answer in [(connection, answer()) for connection, answer in asked]:
            connection.send(answer)
