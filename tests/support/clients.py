"""A browser, as far as a request's headers go: inside the process, or over the wire."""

from collections.abc import Callable, Iterable
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Any

from flask.testing import FlaskClient
from werkzeug.datastructures import Headers
from werkzeug.test import Client, TestResponse
from werkzeug.wrappers import Response

from tests.support.variables import ORIGIN

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PATIENCE_SECONDS = 30
"""How long a browser waits for an answer."""


class NoAnswerError(Exception):
    """The connection broke: nobody can tell whether the request was carried out."""


class Browser(Client):
    """Asks as a page of the service does: from its origin, keeping the cookies it is given."""

    sec_fetch_site: str | None = "same-origin"
    """What a request says of the page that makes it; None as from a browser that says nothing."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:  # noqa: ANN401 - as inherited
        """Add what a browser adds, unless the test says otherwise."""
        if args and isinstance(args[0], str):
            kwargs.setdefault("base_url", ORIGIN)
            headers = Headers(kwargs.get("headers"))
            if self.sec_fetch_site is not None:
                headers.setdefault("Sec-Fetch-Site", self.sec_fetch_site)
            kwargs["headers"] = headers
        return super().open(*args, **kwargs)


class InProcessBrowser(Browser, FlaskClient):
    """Asks an application in this process."""


class WireBrowser(Browser):
    """Asks a server over TCP, each time by a connection of its own, so that any worker answers.

    Raises ``NoAnswerError`` where the connection breaks.
    """

    def __init__(self, host: str, port: int, **options: bool) -> None:
        super().__init__(_forward_to(host, port), Response, **options)


def _forward_to(
    host: str, port: int
) -> Callable[["WSGIEnvironment", "StartResponse"], Iterable[bytes]]:
    def forward(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        target = environ["REQUEST_URI"]
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if length else None
        connection = HTTPConnection(host, port, timeout=PATIENCE_SECONDS)
        try:
            connection.request(environ["REQUEST_METHOD"], target, body, _headers(environ))
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, HTTPException) as error:
            raise NoAnswerError(str(error)) from error
        finally:
            connection.close()
        start_response(f"{answer.status} {answer.reason}", answer.getheaders())
        return [content]

    return forward


def _headers(environ: "WSGIEnvironment") -> dict[str, str]:
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").title(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    if kind := environ.get("CONTENT_TYPE"):
        headers["Content-Type"] = kind
    return {**headers, "Connection": "close"}
