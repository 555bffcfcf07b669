"""A TCP proxy between the service and PostgreSQL that can fail in ways in which networks do."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from enum import Enum

from sqlalchemy import URL, make_url

_CHUNK = 65_536
_COMMITTED = b"C\x00\x00\x00\x0bCOMMIT\x00"
"""How the server says that a transaction is committed (its protocol's CommandComplete)."""
_WRITES = b"READ WRITE"


class Mood(Enum):
    """What the proxy does with what passes through it."""

    HONEST = "passes everything on"
    SILENT = "takes everything, and passes nothing on"


@dataclass(kw_only=True)
class DatabaseProxy:
    """Stands in front of a server; the tests bend it."""

    url: str
    """How the database is reached through it."""
    mood: Mood = Mood.HONEST
    cut_in: int = 0
    """Which of the next commits of writing transactions is cut off from its answer; 0 for none."""
    cuts: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def is_to_be_cut(self) -> bool:
        """Count a commit; tell whether its answer is the one to be lost."""
        with self._lock:
            if not self.cut_in:
                return False
            self.cut_in -= 1
            self.cuts += self.cut_in == 0
            return self.cut_in == 0


@contextmanager
def database_proxy(url: str) -> Iterator[DatabaseProxy]:
    """Stand in front of the server that a URL names until the block ends."""
    target = make_url(url)
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        port = listener.getsockname()[1]
        in_between = target.set(host="127.0.0.1", port=port, query={"sslmode": "disable"})
        proxy = DatabaseProxy(url=in_between.render_as_string(hide_password=False))
        accepting = threading.Thread(target=_accept, args=[proxy, listener, target], daemon=True)
        accepting.start()
        try:
            yield proxy
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()


def _accept(proxy: DatabaseProxy, listener: socket.socket, target: URL) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        try:
            server = _connect(target)
        except OSError:
            client.close()
            continue
        link = _Link(proxy, client, server)
        for pump in (link.pump_to_server, link.pump_to_client):
            threading.Thread(target=pump, daemon=True).start()


def _connect(target: URL) -> socket.socket:
    host, port = target.query.get("host") or target.host or "127.0.0.1", target.port or 5432
    assert isinstance(host, str)
    if not host.startswith("/"):
        return socket.create_connection((host, port))
    server = socket.socket(socket.AF_UNIX)
    server.connect(f"{host}/.s.PGSQL.{port}")
    return server


class _Link:
    """One connection of the service, and the proxy's own to the server for it."""

    def __init__(self, proxy: DatabaseProxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._writes = False

    def pump_to_server(self) -> None:
        with closing(self._client), closing(self._server):
            while data := _receive(self._client):
                self._writes = self._writes or _WRITES in data
                if self._proxy.mood is Mood.HONEST:
                    self._server.sendall(data)
            _shut(self._server)

    def pump_to_client(self) -> None:
        while data := _receive(self._server):
            if _COMMITTED in data and self._writes:
                self._writes = False
                if self._proxy.is_to_be_cut():
                    break
            if self._proxy.mood is Mood.HONEST:
                try:
                    self._client.sendall(data)
                except OSError:
                    break
        _shut(self._client)


def _receive(side: socket.socket) -> bytes:
    try:
        return side.recv(_CHUNK)
    except OSError:
        return b""


def _shut(side: socket.socket) -> None:
    try:
        side.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
