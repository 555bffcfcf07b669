"""A small HTTP server on loopback, for outside parties that do not always behave.

A party is a function from what was asked to an ``Answer``. Connections close after one answer.
"""

import json
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

_LAST_SECONDS = 5
_SILENCE_SECONDS = 30
"""After which a connection on which nothing is asked is closed."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """A request, its fields read: the last one counts where one comes twice."""

    method: str
    path: str
    query: Mapping[str, str]
    form: Mapping[str, str]
    headers: Mapping[str, str]
    """By lower-case name."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A response. A body in pieces has no length; ``raw`` pieces are all that is sent at all."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Iterable[bytes] = b""
    raw: Iterable[bytes] | None = None


def as_json(value: object, *, status: int = 200) -> Answer:
    """Answer with JSON, not to be cached."""
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return Answer(status=status, headers=headers, body=json.dumps(value).encode())


def redirect(location: str, *, status: int = 303) -> Answer:
    """Answer with a redirect."""
    return Answer(status=status, headers={"Location": location})


@contextmanager
def answering(answer: Callable[[Question], Answer]) -> Iterator[str]:
    """Serve on a free loopback port until the block ends; gives the origin.

    Raises:
        ExceptionGroup: the party itself failed, at the end of the block.
    """
    server = _Server(answer)
    listening = threading.Thread(target=server.serve_forever, args=[0.02], daemon=True)
    listening.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        listening.join(_LAST_SECONDS)
        server.server_close()
        server.hang_up()
    if server.faults:
        raise ExceptionGroup("a party of the tests failed", server.faults)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # The default of five is less than what a crowd of clients opens at once.
    request_queue_size = 128

    def __init__(self, answer: Callable[[Question], Answer]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.faults: list[Exception] = []
        self.closing = threading.Event()
        self._open: dict[socket.socket, threading.Thread] = {}

    def process_request_thread(self, request: object, client_address: object) -> None:
        """Keep the connection and its thread at hand until it is closed."""
        assert isinstance(request, socket.socket)
        self._open[request] = threading.current_thread()
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._open.pop(request, None)

    def hang_up(self) -> None:
        """End the connections that are still open and wait for their threads."""
        self.closing.set()
        for connection, thread in list(self._open.items()):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join(_LAST_SECONDS)
            assert not thread.is_alive(), "a thread of a test's party does not end"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no fault: refusing to read on is what some tests ask for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _SILENCE_SECONDS
    server: _Server

    def _take(self) -> None:
        self.close_connection = True
        try:
            answer = self.server.answer(self._question())
            self._send(answer)
        except OSError:
            return
        except Exception as fault:  # noqa: BLE001 - told to the test by whoever began the server
            self.server.faults.append(fault)

    do_DELETE = do_GET = do_HEAD = do_POST = do_PUT = _take  # noqa: N815 - the library's names

    def _question(self) -> Question:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        return Question(
            method=self.command,
            path=parts.path,
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            form=dict(parse_qsl(body.decode(), keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
        )

    def _send(self, answer: Answer) -> None:
        if answer.raw is not None:
            self._write(answer.raw)
            return
        whole = isinstance(answer.body, bytes)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if isinstance(answer.body, bytes):
            self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self._write([answer.body] if whole else answer.body)  # type: ignore[list-item, arg-type]

    def _write(self, pieces: Iterable[bytes]) -> None:
        for piece in pieces:
            if self.server.closing.is_set():
                return
            self.wfile.write(piece)

    def log_message(self, *_: object) -> None:
        """Say nothing: what was asked is kept by the parties."""
