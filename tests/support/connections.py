"""A connection written by hand: what it sends is what the test says, and no client's opinion."""

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from tests.support.variables import ORIGIN

HOST = urlsplit(ORIGIN).netloc
_PATIENCE_SECONDS = 30


@dataclass(frozen=True, kw_only=True)
class RawAnswer:
    """An answer as it came: header names in lower case, those that repeat in a list."""

    status: int
    headers: Mapping[str, list[str]]
    body: bytes

    @property
    def code(self) -> str | None:
        """The code of a problem document; None of any other answer."""
        if self.headers.get("content-type") != ["application/problem+json"]:
            return None
        code: str = json.loads(self.body)["code"]
        return code

    @property
    def said(self) -> tuple[int, str | None]:
        """Status and code, as a test compares them."""
        return self.status, self.code


def written(
    method: str, path: str, *, body: object = None, headers: Mapping[str, str | None] | None = None
) -> bytes:
    """Write a request of a page of the service; a header given here stands, or is left out."""
    content = b"" if body is None else json.dumps(body).encode()
    lines: dict[str, str | None] = {"Host": HOST, "Sec-Fetch-Site": "same-origin"}
    lines["Content-Length"] = str(len(content))
    if content:
        lines["Content-Type"] = "application/json"
    lines |= headers or {}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value is not None)
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + content


class Connection:
    """A connection that is kept for request after request."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._answers = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: object, trace: TracebackType | None
    ) -> None:
        self._answers.close()
        self._socket.close()

    def ask(self, request: bytes) -> RawAnswer:
        """Send a request and read its answer."""
        self._socket.sendall(request)
        status = int(self._line().split()[1])
        headers: dict[str, list[str]] = {}
        while line := self._line():
            name, _, value = line.partition(":")
            headers.setdefault(name.lower(), []).append(value.strip())
        (length,) = headers.get("content-length", ["0"])
        return RawAnswer(status=status, headers=headers, body=self._answers.read(int(length)))

    def _line(self) -> str:
        line = self._answers.readline()
        if not line:
            message = "the connection ended before the answer did"
            raise ConnectionError(message)
        return line.decode("latin-1").strip("\r\n")


def ask_once(port: int, request: bytes) -> RawAnswer:
    """Ask over a connection of its own, so that any worker answers."""
    with Connection(port) as connection:
        return connection.ask(request)
