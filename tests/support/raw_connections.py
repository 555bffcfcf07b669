"""Requests written into connections that are kept alive, each to a worker that is known."""

import io
import socket
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import cycle
from typing import Self

from tests.support.processes import cpu_seconds, stopped
from tests.support.raw_requests import Reply, Request
from tests.support.servers import Server

_PATIENCE_SECONDS = 30
_CONNECTIONS_EACH = 4
_FIRST_FINAL = 200


@dataclass(frozen=True, kw_only=True)
class OverTheWire:
    """Asks by kept connections in turn; every worker has some of them."""

    pids: Sequence[int]
    """The workers, whose processor time counts."""
    connections: Sequence["Connection"]
    _turns: Iterator["Connection"]

    @classmethod
    def to(cls, server: Server) -> Self:
        """Connect to each worker of a running service, while the others are halted."""
        pids, connections = server.worker_pids(), []
        for pid in pids:
            with stopped(other for other in pids if other != pid):
                for _ in range(_CONNECTIONS_EACH):
                    connections.append(Connection(server.port))
                    connections[-1].ask(Request(target=b"/healthz").encoded())
        return cls(pids=pids, connections=connections, _turns=cycle(connections))

    def ask(self, request: Request) -> Reply:
        """Ask by the next connection; raises ``OSError`` where it breaks without an answer."""
        return self.ask_bytes(request.encoded())

    def ask_bytes(self, data: bytes) -> Reply:
        """Ask in so many bytes."""
        return next(self._turns).ask(data)

    def cpu_seconds(self) -> float:
        return sum(map(cpu_seconds, self.pids))

    def close(self) -> None:
        for connection in self.connections:
            connection.close()


class Connection:
    """One connection to the service, opened anew where the service has closed it."""

    def __init__(self, port: int) -> None:
        """Connect to no one yet."""
        self._port = port
        self._socket: socket.socket | None = None

    def ask(self, data: bytes) -> Reply:
        """Write a request's bytes and read one answer.

        Raises:
            OSError: the connection broke before the answer was whole.
        """
        kept = self._socket is not None
        try:
            return self._ask(data)
        except NothingReadError:
            # A kept connection may be closed at any moment, and every client then opens another.
            if not kept:
                raise
            return self._ask(data)

    def _ask(self, data: bytes) -> Reply:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), _PATIENCE_SECONDS)
        # Refused before it was read to the end; the answer may be there all the same.
        with suppress(BrokenPipeError, ConnectionResetError):
            self._socket.sendall(data)
        try:
            with self._socket.makefile("rb") as stream:
                reply = read_reply(stream)
        except ConnectionResetError as error:
            self.close()
            raise NothingReadError from error
        except OSError:
            self.close()
            raise
        if reply.header("connection").lower() == "close":
            self.close()
        return reply

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class NothingReadError(ConnectionError):
    """The connection was closed before a byte of an answer came."""


def read_reply(stream: io.BufferedReader, *, has_body: bool = True) -> Reply:
    """Read one answer, past those that only say to go on; one to HEAD has no body.

    Raises:
        OSError: there is none, or not all of one.
    """
    head = stream.readline()
    if not head:
        raise NothingReadError
    headers = []
    while (line := stream.readline()) not in {b"\r\n", b""}:
        name, _, value = line.decode("latin-1").partition(":")
        headers.append((name, value.strip()))
    reply = Reply(status=int(head.split()[1]), headers=headers, body=b"")
    if reply.status < _FIRST_FINAL:
        return read_reply(stream, has_body=has_body)
    length = int(reply.header("content-length") or 0) if has_body else 0
    body = stream.read(length)
    if len(body) < length:
        message = "half an answer"
        raise ConnectionError(message)
    return Reply(status=reply.status, headers=headers, body=body)


def ask_once(port: int, data: bytes) -> Reply:
    """Ask by a connection of its own; raises ``OSError`` where it breaks without an answer."""
    with closing(Connection(port)) as connection:
        return connection.ask(data)
