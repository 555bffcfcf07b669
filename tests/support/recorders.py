"""An application behind the proxy that keeps what it receives, byte by byte, and says so."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from io import BufferedReader


@dataclass(frozen=True, kw_only=True)
class Received:
    """A request as it came out of the proxy."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    """Names in lower case, in the order in which they came."""
    body: bytes

    def all(self, name: str) -> list[str]:
        """Give each value of a header."""
        return [value for found, value in self.headers if found == name.lower()]

    def one(self, name: str) -> str | None:
        """Give a header's only value; None where there is none."""
        values = self.all(name)
        assert len(values) <= 1, (name, values)
        return values[0] if values else None


@dataclass(kw_only=True)
class Recorder:
    """Answers every request with its own target, so that nobody else's answer passes for it."""

    name: str
    port: int
    requests: list[Received] = field(default_factory=list)
    connections: int = 0
    """How many were opened to it."""

    @property
    def pages(self) -> list[Received]:
        """What it received, but for what a browser asks of every host."""
        return [one for one in self.requests if one.target != "/favicon.ico"]

    def forget(self) -> None:
        """Begin anew."""
        self.requests.clear()
        self.connections = 0

    @property
    def last(self) -> Received:
        return self.requests[-1]


@contextmanager
def recorder(name: str) -> Iterator[Recorder]:
    """Listen on a free loopback port until the block ends."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        one = Recorder(name=name, port=listener.getsockname()[1])
        accepting = threading.Thread(target=_accept, args=[one, listener], daemon=True)
        accepting.start()
        yield one
        listener.shutdown(socket.SHUT_RDWR)
        accepting.join()


def _accept(one: Recorder, listener: socket.socket) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            one.connections += 1
            threading.Thread(target=_serve, args=[one, connection], daemon=True).start()


def _serve(one: Recorder, connection: socket.socket) -> None:
    with suppress(OSError), connection, connection.makefile("rb") as stream:
        while (request := read_request(stream)) is not None:
            one.requests.append(request)
            if request.one("upgrade") == "websocket":
                _echo(connection, stream)
                return
            connection.sendall(_answer(one, request))


def read_request(stream: BufferedReader) -> Received | None:
    """Read a request whose body has a length; None at the end of the connection.

    By the length alone, whatever else a request says of its end: what a proxy lets slip becomes
    a request of its own here.
    """
    words = stream.readline().decode("latin-1").split()
    if len(words) != 3:
        return None
    headers = []
    while (line := stream.readline()) not in {b"\r\n", b"\n", b""}:
        name, _, value = line.decode("latin-1").partition(":")
        headers.append((name.lower(), value.strip()))
    lengths = [value for name, value in headers if name == "content-length"]
    body = stream.read(int(lengths[0])) if lengths else b""
    return Received(method=words[0], target=words[1], headers=headers, body=body)


def _answer(one: Recorder, request: Received) -> bytes:
    body = b"" if request.method == "HEAD" else f"{one.name} {request.target}\n".encode()
    head = (
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
        f"X-Answers: {request.target}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode("latin-1", "replace") + body


def _echo(connection: socket.socket, stream: BufferedReader) -> None:
    connection.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    )
    while data := stream.read1():
        connection.sendall(data)
