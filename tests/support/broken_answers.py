"""Answers that an HTTP client must not choke on, nor wait for."""

import gzip
import time
from collections.abc import Callable, Iterator
from functools import cache

from tests.support.loopback_http import Answer, redirect

HUGE = 100 * 1024 * 1024
_PIECE = b" " * 65_536
_JSON = {"Content-Type": "application/json"}


def html(status: int = 200) -> Answer:
    """Answer with a page, as a portal in between would."""
    page = b"<!doctype html><title>Welcome</title><p>Please accept our terms."
    return Answer(status=status, headers={"Content-Type": "text/html"}, body=page)


def huge() -> Answer:
    """Answer with 100 MiB that are announced."""
    headers = {**_JSON, "Content-Length": str(HUGE)}
    return Answer(headers=headers, body=(_PIECE for _ in range(HUGE // len(_PIECE))))


def huge_unannounced() -> Answer:
    """Answer with 100 MiB whose length nobody has said."""
    return Answer(headers=_JSON, body=(_PIECE for _ in range(HUGE // len(_PIECE))))


def endless() -> Answer:
    """Answer for ever, at a pace that no time limit between two bytes ends."""
    return Answer(headers=_JSON, body=_slowly(_PIECE, 0.01))


def dribbling() -> Answer:
    """Answer a byte at a time, for ever."""
    return Answer(headers=_JSON, body=_slowly(b" ", 0.2))


def dribbling_headers() -> Answer:
    """Begin an answer whose headers never end."""
    return Answer(raw=_headers_for_ever())


def silent() -> Answer:
    """Take the question and say nothing."""
    return Answer(raw=_slowly(b"", 0.05))


def hanging_up() -> Answer:
    """Close the connection instead of answering."""
    return Answer(raw=())


def cut_short() -> Answer:
    """Announce more than is sent."""
    return Answer(headers={**_JSON, "Content-Length": "1000"}, body=iter([b'{"access_token": "']))


def gzip_bomb() -> Answer:
    """Answer with a kilobyte for each megabyte that it unpacks to."""
    return Answer(headers={**_JSON, "Content-Encoding": "gzip"}, body=_bomb())


def nested() -> Answer:
    """Answer with JSON deeper than a parser's stack."""
    return Answer(headers=_JSON, body=b"[" * 100_000 + b"]" * 100_000)


def not_utf8() -> Answer:
    """Answer with JSON in no encoding that JSON may be in."""
    return Answer(headers=_JSON, body=b'{"access_token": "\xff\xfe\xfa"}')


def array() -> Answer:
    """Answer with JSON that is no object."""
    return Answer(headers=_JSON, body=b"[1, 2, 3]")


def redirecting(status: int) -> Callable[[], Answer]:
    """Redirect to this machine, to a path where nothing should ever be asked."""
    return lambda: redirect("/never-asked", status=status)


@cache
def _bomb() -> bytes:
    return gzip.compress(b" " * HUGE)


def _slowly(piece: bytes, seconds: float) -> Iterator[bytes]:
    while True:
        yield piece
        time.sleep(seconds)


def _headers_for_ever() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nX-Slow: "
    yield from _slowly(b"a", 0.2)
