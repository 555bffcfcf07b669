"""An application on a host of its own, and the proxy before it, small enough for a test.

It does what deploy/nginx/ makes nginx do, as far as a story needs that: asks the service about
each request, leads whoever is kept out to the service's pages, and `/.identity/` to the service.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

_OURS = "/.identity/"
_NOT_PASSED_ON = {"connection", "content-length", "date", "server"}

Answer = tuple[int, list[tuple[str, str]], bytes]


@contextmanager
def application_behind_proxy(application_id: str, *, service_port: int) -> Iterator[str]:
    """Serve an application that greets whoever it is told of; gives its origin."""

    class Handler(_Handler):
        application = application_id
        port = service_port

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{application_id}.localhost:{server.server_address[1]}"
        server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    application: str
    port: int
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path.startswith(_OURS):
            ours = f"{_OURS}{self.application}/{self.path.removeprefix(_OURS)}"
            self._send(*self._ask(ours, self.command))
            return
        told = {"X-Forwarded-Uri": self.path, "X-Forwarded-Method": self.command}
        status, headers, _ = self._ask(f"/api/auth/verify?app={self.application}", "GET", told)
        if status in {401, 403}:
            page = "start" if status == 401 else "refused"
            self._send(*self._ask(f"{_OURS}{self.application}/{page}", "GET", told))
            return
        assert status == 204, status
        name = dict(headers)["X-Auth-Name"]
        page = f"<!doctype html><title>An application</title><p>Hello {name} at {self.path}"
        self._send(200, [("Content-Type", "text/html")], page.encode())

    do_POST = do_GET  # noqa: N815 - as the server calls it

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""

    def _ask(self, path: str, method: str, told: Mapping[str, str] | None = None) -> Answer:
        connection = HTTPConnection("127.0.0.1", self.port)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in {**self.headers, **(told or {})}.items():
            if name.lower() not in _NOT_PASSED_ON:
                connection.putheader(name, value)
        connection.putheader("Content-Length", "0")
        connection.endheaders()
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, answer.getheaders(), body

    def _send(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in _NOT_PASSED_ON:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
