"""One connection to the gate's own server: HTTP/1.1 (RFC 9112), requests without a body.

llhttp, Node.js's parser, splits what comes; nobody waits for anybody, and no thread is passed
through where an answer is at hand at once.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from email.utils import formatdate
from functools import lru_cache, partial
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import unquote_to_bytes

import httptools
import structlog

Environ = dict[str, Any]
Gate = Callable[[Environ, Callable[..., object]], Iterable[bytes]]

_log = structlog.get_logger(__name__)

KEEPALIVE_SECONDS = 75
"""Longer than the 60 s after which nginx drops an idle upstream connection, so that nginx never
writes into one that is just being closed."""
STALL_SECONDS = 20
"""How long a request may be on its way, or an answer wait to be read."""
MOST_CONNECTIONS = 1000
_MOST_HEAD_BYTES = 32_768
_LONGEST_NAME = 64
_MOST_WAITING = 16
_UNPREFIXED = {"CONTENT_TYPE", "CONTENT_LENGTH"}


class OpenConnections:
    """What the connections of one process share: the gate, the threads, the time."""

    def __init__(self, gate: Gate, threads: Executor | None) -> None:
        """Take the gate, and the threads that it is asked in where it waits for a wire."""
        self.threads = threads
        self.all: set[GateConnection] = set()
        self.now = 0.0
        """The event loop's time, to the second."""
        self.is_stopping = False
        self._gate = gate
        self._date = ""
        self._loop = asyncio.get_running_loop()
        self._asked: list[tuple[GateConnection, Callable[[], bytes]]] = []

    def answer_soon(self, connection: "GateConnection", answer: Callable[[], bytes]) -> None:
        """Answer what was asked in this turn of the loop together: first ask, then write.

        Kernel, interpreter and database each find their own code in the processor's cache so,
        which a request at a time would not leave there.
        """
        self._asked.append((connection, answer))
        if len(self._asked) == 1:
            self._loop.call_soon(self._answer_all)

    def tick(self, now: float) -> None:
        """Tell what time it is, and drop whoever has kept a connection waiting for too long."""
        self.now = now
        self._date = f"Date: {formatdate(usegmt=True)}"
        for connection in [one for one in self.all if one.waits_until < now]:
            connection.abort()

    def stop(self) -> None:
        """Close what is idle, and everything else with its next answer."""
        self.is_stopping = True
        for connection in list(self.all):
            connection.close_if_idle()

    def answer(self, environ: Environ, *, is_last: bool) -> bytes:
        """Give the gate's answer in bytes; 500 where it has none, or none that may be sent."""
        try:
            return self._ask(environ, is_last=is_last)
        except Exception:  # noqa: BLE001 - whatever it is, the others must be answered
            _log.exception("check_failed")
            return bare_answer(HTTPStatus.INTERNAL_SERVER_ERROR)

    def _answer_all(self) -> None:
        asked, self._asked = self._asked, []
        for connection, answer in [(connection, answer()) for connection, answer in asked]:
            connection.send(answer)

    def _ask(self, environ: Environ, *, is_last: bool) -> bytes:
        told: list[Any] = []
        body = b"".join(self._gate(environ, lambda *given: told.extend(given)))
        status, headers = told
        lines = [f"HTTP/1.1 {status}", self._date]
        lines += [f"{name}: {value}" for name, value in headers]
        if is_last:
            lines.append("Connection: close")
        head = "\r\n".join(lines)
        if not head.count("\n") == head.count("\r") == len(lines) - 1:
            message = "a header has a line end in it"
            raise ValueError(message)
        return head.encode("latin-1") + b"\r\n\r\n" + body


def bare_answer(status: HTTPStatus) -> bytes:
    """Give the last answer of a connection, which says nothing but what it is."""
    lines = (
        f"HTTP/1.1 {status} {status.phrase}",
        "Cache-Control: no-store",
        "Content-Length: 0",
        "Connection: close",
    )
    return "\r\n".join((*lines, "", "")).encode()


class GateConnection(asyncio.Protocol):
    """Reads requests and answers them in their order. Its ``on_…`` are the parser's callbacks."""

    def __init__(self, others: OpenConnections) -> None:
        """Take what it shares with the others."""
        self._shared = others
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport
        self._target = b""
        self._environ: Environ = {}
        self._is_in_head = False
        self._head_bytes = 0
        self._unanswered = 0
        self._waiting: deque[Callable[[], bytes]] = deque()
        """For a thread: of the unanswered all but the one that is being asked."""
        self._is_over = False
        """What comes now is read by nobody."""
        self.waits_until = 0.0
        """When it is dropped, in the event loop's time."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, unless there are too many."""
        self._transport = cast("asyncio.Transport", transport)
        self.waits_until = self._shared.now + KEEPALIVE_SECONDS
        if len(self._shared.all) >= MOST_CONNECTIONS or self._shared.is_stopping:
            transport.close()
        else:
            self._shared.all.add(self)

    def connection_lost(self, _error: Exception | None) -> None:
        """Forget it."""
        self._is_over = True
        self._shared.all.discard(self)

    def data_received(self, data: bytes) -> None:
        """Answer what has come whole."""
        if self._is_over:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # It was answered by the callback, as the last.
        except httptools.HttpParserError:
            self._refuse(HTTPStatus.BAD_REQUEST)
        if self._is_in_head:
            self._head_bytes += len(data)
            if self._head_bytes > _MOST_HEAD_BYTES:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._target, self._environ = b"", {}
        self._is_in_head, self._head_bytes = True, 0
        self.waits_until = self._shared.now + STALL_SECONDS

    def on_url(self, part: bytes) -> None:
        """Take the request's target, which may come in parts."""
        self._target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, as a server hands it to a WSGI application (PEP 3333)."""
        key = _key(name) if len(name) <= _LONGEST_NAME else None
        if key is None:
            return
        text = value.decode("latin-1").strip(" \t")
        environ = self._environ
        environ[key] = f"{environ[key]},{text}" if key in environ else text

    def on_headers_complete(self) -> None:
        """Answer; a body is read by nobody, so that its end need not be agreed upon."""
        self._is_in_head = False
        self.waits_until = self._shared.now + KEEPALIVE_SECONDS
        if self._is_over:
            return
        environ, parser = self._environ, self._parser
        path, query = _path_and_query(self._target)
        environ["REQUEST_METHOD"] = parser.get_method().decode("latin-1")
        environ["PATH_INFO"] = (unquote_to_bytes(path) if b"%" in path else path).decode("latin-1")
        environ["QUERY_STRING"] = query.decode("latin-1")
        has_body = environ.get("CONTENT_LENGTH", "0") != "0" or "HTTP_TRANSFER_ENCODING" in environ
        is_last = (
            has_body
            or self._shared.is_stopping
            or not parser.should_keep_alive()
            or parser.should_upgrade()
            or parser.get_http_version() != "1.1"
        )
        self._answer(partial(self._shared.answer, environ, is_last=is_last), is_last=is_last)

    def pause_writing(self) -> None:
        """Read no more requests of somebody who does not read the answers."""
        self._transport.pause_reading()
        self.waits_until = self._shared.now + STALL_SECONDS

    def resume_writing(self) -> None:
        """Go on reading."""
        self.waits_until = self._shared.now + KEEPALIVE_SECONDS
        self._transport.resume_reading()

    def abort(self) -> None:
        """Drop the connection."""
        self._transport.abort()

    def close_if_idle(self) -> None:
        """Close the connection, unless there is something to answer."""
        if not (self._is_in_head or self._unanswered):
            self._transport.close()

    def send(self, answer: bytes) -> None:
        """Send the answer to the oldest of what is unanswered."""
        self._unanswered -= 1
        if self._transport.is_closing():
            return
        self._transport.write(answer)
        if not self._unanswered and (self._is_over or self._shared.is_stopping):
            self._transport.close()

    def _answer(self, answer: Callable[[], bytes], *, is_last: bool) -> None:
        self._is_over = is_last
        self._unanswered += 1
        if self._shared.threads is None:
            self._shared.answer_soon(self, answer)
            return
        self._waiting.append(answer)
        if self._unanswered == 1:
            self._ask_next()
        elif len(self._waiting) > _MOST_WAITING:
            self._transport.pause_reading()

    def _ask_next(self) -> None:
        asked = self._loop.run_in_executor(self._shared.threads, self._waiting.popleft())
        asked.add_done_callback(self._hand_on)

    def _hand_on(self, asked: asyncio.Future[bytes]) -> None:
        self.send(asked.result())
        if self._waiting:
            self._ask_next()
        else:
            self._transport.resume_reading()

    def _refuse(self, status: HTTPStatus) -> None:
        if not self._is_over:
            self._answer(partial(bare_answer, status), is_last=True)


def _path_and_query(target: bytes) -> tuple[bytes, bytes]:
    if not target.startswith(b"/"):
        url = httptools.parse_url(target)
        return url.path or b"/", url.query or b""
    path, _, query = target.partition(b"?")
    return path, query


@lru_cache(maxsize=256)
def _key(name: bytes) -> str | None:
    # Two names that differ in "_" alone would meet in one key, and one of them may be forged.
    if b"_" in name:
        return None
    key = name.decode("latin-1").upper().replace("-", "_")
    return key if key in _UNPREFIXED else f"HTTP_{key}"
