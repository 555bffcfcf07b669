"""An application behind the proxy, whole: it says who one is, and knows nothing of sessions."""

from collections.abc import Callable, Iterable
from html import escape
from typing import Any
from urllib.parse import unquote

PAGE = """<!doctype html>
<meta charset="utf-8">
<title>{title}</title>
<h1>{title}</h1>
<p>You are <b>{name}</b>.</p>
<table>{rows}</table>
<p>{links}</p>
"""


class Application:
    """A WSGI application that believes its proxy, and shows what that said."""

    def __init__(self, title: str, neighbours: dict[str, str]) -> None:
        """Take what to call itself, and where else one may go: addresses by what they are."""
        self._title = title
        self._links = {"Sign out": "/.identity/sign-out", **neighbours}

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., object]
    ) -> Iterable[bytes]:
        """Answer any request with who it is from."""
        # HTTP_X_AUTH_NAME is the header X-Auth-Name; anything but ASCII in it is percent-encoded.
        told = {
            name.removeprefix("HTTP_X_AUTH_").replace("_", " ").lower(): unquote(value)
            for name, value in environ.items()
            if name.startswith("HTTP_X_AUTH_")
        }
        told["your cookies, as this application sees them"] = environ.get("HTTP_COOKIE", "none")
        page = PAGE.format(
            title=escape(self._title),
            name=escape(told.get("name", "somebody without a name")),
            rows="".join(_row(field, value) for field, value in sorted(told.items())),
            links=" · ".join(_link(text, address) for text, address in self._links.items()),
        )
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
        return [page.encode()]


def _row(field: str, value: str) -> str:
    return f"<tr><th align=left>{escape(field)}<td>{escape(value)}"


def _link(text: str, address: str) -> str:
    return f'<a href="{escape(address)}">{escape(text)}</a>'
