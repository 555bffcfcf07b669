"""Connections to a provider: the address connected to is the one that was checked.

Resolving a name to check it, and leaving it to a library to resolve it again, would let a name
server answer differently the second time (DNS rebinding).
"""

import socket
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from app.errors import ProviderUnavailable

from .addresses import Reach, is_loopback
from .deadline import Deadline

Dial = Callable[[str, int], socket.socket]
_Found = tuple[socket.AddressFamily, tuple[Any, ...]]
"""A family and an address within it."""


class PlainConnection(HTTPConnection):
    """Plain http, over a connection that `dial` makes."""

    def __init__(self, *args: Any, dial: Dial, **options: Any) -> None:  # noqa: ANN401 - urllib3's
        super().__init__(*args, **options)
        self._dial = dial

    def _new_conn(self) -> socket.socket:
        return self._dial(self._dns_host, self.port)


class TLSConnection(HTTPSConnection):
    """Https, over a connection that `dial` makes."""

    def __init__(self, *args: Any, dial: Dial, **options: Any) -> None:  # noqa: ANN401 - urllib3's
        super().__init__(*args, **options)
        self._dial = dial

    def _new_conn(self) -> socket.socket:
        return self._dial(self._dns_host, self.port)


class PlainPool(HTTPConnectionPool):
    """Takes `dial` beside its own arguments."""

    ConnectionCls = PlainConnection


class TLSPool(HTTPSConnectionPool):
    """Takes `dial` beside its own arguments."""

    ConnectionCls = TLSConnection


def connect(
    host: str, port: int, *, reach: Reach, plain: bool, deadline: Deadline, seconds: float
) -> socket.socket:
    """Connect to the host, watched by the deadline.

    Raises ProviderUnavailable where one of its addresses is out of reach: before any connection,
    so that nobody can use the service to find out what stands there. Raises OSError otherwise.
    """
    host = host.strip("[]")
    found = _resolve(host, port, min(seconds, deadline.left))
    for _, (address, *_rest) in found:
        _check(host, str(address), reach=reach, plain=plain)
    return _connect_to_first(found, deadline, seconds)


def _resolve(host: str, port: int, seconds: float) -> list[_Found]:
    """Look the name up, in a thread of its own: the resolver knows no time-out."""
    answers: SimpleQueue[list[_Found] | Exception] = SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put([(family, address) for family, *_, address in found])
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except Empty:
        raise ProviderUnavailable(reason=f"the name {host} was not resolved in time") from None
    if isinstance(answer, Exception):
        raise ProviderUnavailable(reason=f"the name {host} cannot be resolved") from answer
    return answer


def _check(host: str, address: str, *, reach: Reach, plain: bool) -> None:
    if not reach.allows(address):
        raise ProviderUnavailable(
            reason=f"{host} is at {address}, which is not a public address: if it really stands "
            f"there, {reach.variable} allows it"
        )
    if plain and not is_loopback(address):
        raise ProviderUnavailable(reason=f"{host} would be reached by plain http")


def _connect_to_first(found: list[_Found], deadline: Deadline, seconds: float) -> socket.socket:
    failure: OSError = OSError("the name has no address")
    for untried, (family, address) in zip(range(len(found), 0, -1), found, strict=True):
        connection = socket.socket(family, socket.SOCK_STREAM)
        # One that swallows packets, as a network without IPv6 does, leaves time for the others.
        connection.settimeout(max(0.001, min(seconds, deadline.left / untried)))
        try:
            connection.connect(address)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            deadline.watch(connection)
        except OSError as error:
            connection.close()
            failure = error
            continue
        return connection
    raise failure
