"""Requests as they stand on the wire, byte by byte, and how to make them in this process.

`raw_connections.py` makes them over the wire. Both tell how much processor time the service has
spent.
"""

import io
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote_to_bytes

from werkzeug.test import run_wsgi_app

from tests.support.variables import ORIGIN

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

HOST = ORIGIN.removeprefix("http://")

Header = tuple[bytes, bytes]


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request; what is not given is as in a page's own."""

    method: str = "GET"
    target: bytes
    headers: Sequence[Header] = ()
    """Beside ``Host``, unless one of them is that, and what frames the body."""
    body: bytes = b""

    def encoded(self) -> bytes:
        """Give the bytes of the request; nothing in them is checked or escaped."""
        names = {name.lower() for name, _ in self.headers}
        own = [] if b"host" in names else [(b"Host", HOST.encode())]
        framed = {b"content-length", b"transfer-encoding"} & names
        if (self.body or self.method != "GET") and not framed:
            own.append((b"Content-Length", str(len(self.body)).encode()))
        lines = [name + b": " + value for name, value in (*own, *self.headers)]
        line = self.method.encode() + b" " + self.target + b" HTTP/1.1"
        return b"\r\n".join([line, *lines, b"", self.body])


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What came back."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        """Give a header's value, or nothing; several are put in one line."""
        return ", ".join(value for found, value in self.headers if found.lower() == name)

    def cookie(self, name: str) -> str | None:
        """Give the value that a cookie is set to; None where it is not."""
        for found, value in self.headers:
            if found.lower() == "set-cookie" and value.startswith(f"{name}="):
                return value.removeprefix(f"{name}=").partition(";")[0]
        return None


class Line(Protocol):
    """A way to ask the service."""

    def ask(self, request: Request) -> Reply:
        """Ask, and wait for the answer."""

    def cpu_seconds(self) -> float:
        """Give the processor time that the service has spent so far."""


@dataclass(frozen=True)
class InProcess:
    """Asks an application in this thread."""

    app: "WSGIApplication"

    def ask(self, request: Request) -> Reply:
        """Ask the application, with what gunicorn would tell it."""
        chunks, status, headers = run_wsgi_app(self.app, _environ(request), buffered=True)
        return Reply(
            status=int(status.partition(" ")[0]), headers=list(headers), body=b"".join(chunks)
        )

    def cpu_seconds(self) -> float:
        return time.thread_time()


def _environ(request: Request) -> dict[str, Any]:
    path, _, query = request.target.partition(b"?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query.decode("latin-1"),
        "RAW_URI": request.target.decode("latin-1"),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8000",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": HOST,
        "CONTENT_LENGTH": str(len(request.body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    seen: set[str] = set()
    for name, value in request.headers:
        key = name.decode("latin-1").upper().replace("-", "_")
        key = key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"
        text = value.decode("latin-1")
        environ[key] = f"{environ[key]},{text}" if key in seen else text
        seen.add(key)
    return environ
