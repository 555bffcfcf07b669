"""One connection to the gate's own server: HTTP/1.1 (RFC 9112), requests without a body.

llhttp, Node.js's parser, splits what comes; nobody waits for anybody, and no thread is passed
through where an answer is at hand at once.
"""

import asyncio
from collections import deque
from functools import lru_cache, partial
from http import HTTPStatus
from typing import cast
from urllib.parse import unquote_to_bytes

import httptools
import structlog

from app.gate_server.open_connections import Answer, Environ, OpenConnections

_log = structlog.get_logger(__name__)

KEEPALIVE_SECONDS = 75
"""Longer than the 60 s after which nginx drops an idle upstream connection, so that nginx never
writes into one that is just being closed."""
STALL_SECONDS = 20
"""How long a request may be on its way, or an answer wait to be read."""
MOST_CONNECTIONS = 800
"""Below the 1,024 files that a process may have open where nobody has said otherwise."""
MOST_UNANSWERED = 256
"""How many requests may be sent ahead; a client asks the others again (RFC 9112 section 9.3.2)."""
LINGER_SECONDS = 2
"""How long a last answer has to arrive: whoever closes on unread bytes takes it away again, since
the kernel resets the connection (RFC 9112 section 9.6)."""
_MOST_HEAD_BYTES = 32_768
_LONGEST_NAME_BYTES = 64
"""Of a header that anybody reads."""
_UNPREFIXED = {"CONTENT_TYPE", "CONTENT_LENGTH"}
_VERSIONS = {"1.0", "1.1"}


class GateConnection(asyncio.Protocol):
    """Reads requests and answers them in their order. Its ``on_…`` are the parser's callbacks."""

    def __init__(self, shared: OpenConnections) -> None:
        """Take what it shares with the others."""
        self._shared = shared
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport
        self._target = b""
        self._environ: Environ = {}
        self._head_bytes = 0
        """Of what the parser has told."""
        self._unfinished_bytes = 0
        """Of what has come since, all of it the same head."""
        self._is_in_head = False
        self._unanswered = 0
        self._waiting: deque[Answer] = deque()
        """For a thread: of the unanswered all but the one that is being asked."""
        self._is_unread = False
        self._is_half_closed = False
        self._is_over = False
        """What comes now is read by nobody."""
        self.waits_until = 0.0
        """When it is dropped, in the event loop's time."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, unless there are too many."""
        self._transport = cast("asyncio.Transport", transport)
        self._wait(KEEPALIVE_SECONDS)
        if len(self._shared.open) >= MOST_CONNECTIONS or self._shared.is_stopping:
            transport.close()
        else:
            self._shared.open.add(self)

    def connection_lost(self, _error: Exception | None) -> None:
        """Forget it, and ask nothing more for whoever has gone."""
        self._is_over = True
        self._waiting.clear()
        self._shared.open.discard(self)

    def data_received(self, data: bytes) -> None:
        """Answer what has come whole."""
        if self._is_over:
            return
        environ = self._environ
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # It was answered by the callback, as the last.
        except httptools.HttpParserCallbackError:
            _log.exception("request_not_read")
            self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR)
        except httptools.HttpParserError:
            self._refuse(HTTPStatus.BAD_REQUEST)
        if self._is_in_head and self._environ is environ:
            self._unfinished_bytes += len(data)
            if self._unfinished_bytes > _MOST_HEAD_BYTES:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def eof_received(self) -> bool:
        """Answer what was asked by somebody who asks no more."""
        self._is_half_closed = self._is_over = True
        return self._unanswered > 0

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._target, self._environ = b"", {}
        self._is_in_head, self._head_bytes, self._unfinished_bytes = True, 0, 0
        self._wait(STALL_SECONDS)

    def on_url(self, part: bytes) -> None:
        """Take the request's target, which may come in parts."""
        self._target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, as a server hands it to a WSGI application (PEP 3333)."""
        if not self._is_in_head:
            return  # A trailer, which must not pass for a header (RFC 9110 section 6.5.1).
        self._head_bytes += len(name) + len(value)
        key = _key(name) if len(name) <= _LONGEST_NAME_BYTES else None
        if key is None or self._head_bytes > _MOST_HEAD_BYTES:
            return
        text, environ = value.decode("latin-1").strip(" \t"), self._environ
        environ[key] = f"{environ[key]},{text}" if key in environ else text

    def on_headers_complete(self) -> None:
        """Answer; a body is read by nobody, so that its end need not be agreed upon."""
        self._is_in_head = False
        if self._is_over:
            return
        self._wait(KEEPALIVE_SECONDS)
        environ, version = self._environ, self._parser.get_http_version()
        split = _split(self._target)
        if self._head_bytes + len(self._target) > _MOST_HEAD_BYTES:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif version not in _VERSIONS:
            self._refuse(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED)
        elif split is None or not (version == "1.0" or _names_one_host(environ)):
            self._refuse(HTTPStatus.BAD_REQUEST)
        else:
            path, query = split
            environ["REQUEST_METHOD"] = self._parser.get_method().decode("latin-1")
            environ["PATH_INFO"] = path.decode("latin-1")
            environ["QUERY_STRING"] = query.decode("latin-1")
            is_last = self._is_last(environ, version)
            self._answer(partial(self._shared.answer, environ, is_last=is_last), is_last=is_last)

    def pause_writing(self) -> None:
        """Read no more requests of somebody who does not read the answers."""
        self._transport.pause_reading()
        self._wait(STALL_SECONDS)
        self._is_unread = True

    def resume_writing(self) -> None:
        """Go on reading."""
        self._is_unread = False
        self._wait(KEEPALIVE_SECONDS)
        self._transport.resume_reading()

    def abort(self) -> None:
        """Drop the connection."""
        self._transport.abort()

    def close_if_idle(self) -> None:
        """Close the connection, unless there is something to answer."""
        if not (self._is_in_head or self._unanswered):
            self._transport.close()

    def send(self, answer: bytes) -> None:
        """Send the answer to the oldest request that has none."""
        self._unanswered -= 1
        if self._transport.is_closing():
            return
        self._transport.write(answer)
        if not self._unanswered:
            if self._is_half_closed or self._shared.is_stopping:
                self._transport.close()
            elif self._is_over:
                self._wait(LINGER_SECONDS)
                self._transport.write_eof()

    def _is_last(self, environ: Environ, version: str) -> bool:
        return (
            environ.get("CONTENT_LENGTH", "0") != "0"
            or "HTTP_TRANSFER_ENCODING" in environ
            or self._unanswered >= MOST_UNANSWERED
            or self._shared.is_stopping
            or version == "1.0"
            or not self._parser.should_keep_alive()
            or self._parser.should_upgrade()
        )

    def _answer(self, answer: Answer, *, is_last: bool) -> None:
        self._is_over = is_last
        self._unanswered += 1
        if not self._shared.asks_in_threads:
            self._shared.answer_soon(self, answer)
            return
        self._waiting.append(answer)
        if self._unanswered == 1:
            self._ask_next()

    def _ask_next(self) -> None:
        asked = self._loop.run_in_executor(None, self._waiting.popleft())
        asked.add_done_callback(self._hand_on)

    def _hand_on(self, asked: asyncio.Future[bytes]) -> None:
        self.send(asked.result())
        if self._waiting:
            self._ask_next()

    def _refuse(self, status: HTTPStatus) -> None:
        if not self._is_over:
            self._answer(partial(self._shared.bare, status), is_last=True)

    def _wait(self, seconds: float) -> None:
        if not self._is_unread:
            self.waits_until = self._shared.now + seconds


def _names_one_host(environ: Environ) -> bool:
    # RFC 9112 section 3.2; several would have been joined.
    return "," not in environ.get("HTTP_HOST", ",")


def _split(target: bytes) -> tuple[bytes, bytes] | None:
    """Give a target's path and query (RFC 9112 section 3.2); None where it is none."""
    if b"#" in target:
        return None
    if not target.startswith(b"/"):
        try:
            url = httptools.parse_url(target)
        except httptools.HttpParserInvalidURLError:
            return None
        target = (url.path or b"/") + b"?" + (url.query or b"")
    path, _, query = target.partition(b"?")
    return (unquote_to_bytes(path) if b"%" in path else path), query


@lru_cache(maxsize=256)
def _key(name: bytes) -> str | None:
    # Two names that differ in "_" alone would meet in one key, and one of them may be forged.
    if b"_" in name:
        return None
    key = name.decode("latin-1").upper().replace("-", "_")
    return key if key in _UNPREFIXED else f"HTTP_{key}"
