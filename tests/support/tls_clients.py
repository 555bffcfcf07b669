"""Clients of nginx over TLS, which write what they like."""

import json
import socket
import ssl
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.support.raw_connections import read_reply
from tests.support.raw_requests import Header, Reply

_SECONDS = 20


@dataclass(frozen=True, kw_only=True)
class Doors:
    """Opens connections to hosts that are all on one loopback port."""

    port: int
    authority: Path

    @cached_property
    def _context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.authority))

    @cached_property
    def _context_of_http2(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.authority))
        context.set_alpn_protocols(["h2"])
        return context

    def open(self, host: str, *, http2: bool = False) -> ssl.SSLSocket:
        """Connect to a host, whose certificate is verified."""
        context = self._context_of_http2 if http2 else self._context
        plain = socket.create_connection(("127.0.0.1", self.port), _SECONDS)
        return context.wrap_socket(plain, server_hostname=host)

    def ask(
        self,
        host: str,
        target: str | bytes = "/",
        *headers: Header,
        method: str = "GET",
        token: str | None = None,
        body: bytes | None = None,
    ) -> Reply:
        """Ask once, by a connection of its own; the token is that of the session cookie."""
        own = [*headers] if token is None else [cookie(token), *headers]
        data = self.written(host, target, *own, method=method, body=body)
        with closing(self.open(host)) as connection:
            return ask_over(connection, data, method=method)

    def written(
        self,
        host: str,
        target: str | bytes,
        *headers: Header,
        method: str = "GET",
        body: bytes | None = None,
    ) -> bytes:
        """Write a request."""
        line = target.encode() if isinstance(target, str) else target
        names = {name.lower() for name, _ in headers}
        lines = [f"{method} ".encode() + line + b" HTTP/1.1"]
        if b"host" not in names:
            lines.append(f"Host: {host}:{self.port}".encode())
        if body is not None:
            lines.append(f"Content-Length: {len(body)}".encode())
        lines += [name + b": " + value for name, value in headers]
        return b"\r\n".join([*lines, b"", body or b""])


class Line:
    """A connection to one host that is kept, and opened anew where nginx has closed it."""

    def __init__(self, doors: Doors, host: str) -> None:
        """Connect to no one yet."""
        self._doors, self._host = doors, host
        self._connection: ssl.SSLSocket | None = None

    def ask(
        self, target: str, *headers: Header, method: str = "GET", body: bytes | None = None
    ) -> Reply:
        """Ask, and wait for the answer."""
        data = self._doors.written(self._host, target, *headers, method=method, body=body)
        if self._connection is None:
            self._connection = self._doors.open(self._host)
        reply = ask_over(self._connection, data, method=method)
        if reply.header("connection").lower() == "close":
            self.close()
        return reply

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def cookie(token: str, name: str = "__Host-session") -> Header:
    """Give the header that carries a session."""
    return b"Cookie", f"{name}={token}".encode()


def ask_over(connection: ssl.SSLSocket, data: bytes, *, method: str = "GET") -> Reply:
    """Write bytes into a connection and read one answer."""
    connection.sendall(data)
    with connection.makefile("rb") as stream:
        return read_reply(stream, has_body=method != "HEAD")


def code_of(reply: Reply) -> str:
    """Give the code of a refusal, which says so in a problem document."""
    assert reply.header("content-type") == "application/problem+json", reply
    problem: dict[str, Any] = json.loads(reply.body)
    assert problem["status"] == reply.status
    return str(problem["code"])
