"""The least that a WSGI application can do: what the server itself costs."""

from collections.abc import Callable, Iterable

_BODY = b'{"hello":"world"}'
_HEADERS = [("Content-Type", "application/json"), ("Content-Length", str(len(_BODY)))]


def app(
    _environ: dict[str, object], start_response: Callable[[str, list[tuple[str, str]]], object]
) -> Iterable[bytes]:
    """Answer the same to everybody."""
    start_response("200 OK", _HEADERS)
    return [_BODY]
