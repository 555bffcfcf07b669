"""Requests whose end is clear, in doubt, or never reached (RFC 9112 sections 2, 5, 6 and 7)."""

from tests.support.raw_requests import HOST

HOST_LINE = b"Host: " + HOST.encode() + b"\r\n"
LINE = b"POST /api/auth/authentication/options HTTP/1.1\r\n"
START = LINE + HOST_LINE + b"Content-Type: application/json\r\n"
CHUNKED = START + b"Transfer-Encoding: chunked\r\n\r\n"
GET = b"GET /api/auth/session HTTP/1.1\r\n"
TWO = b"2\r\n{}\r\n"
END = b"0\r\n\r\n"
HIDDEN = b"GET /api/hidden HTTP/1.1\r\n" + HOST_LINE + b"\r\n"

CLEAR = {
    "a length": START + b"Content-Length: 2\r\n\r\n{}",
    "a length with zeros": START + b"content-LENGTH:  0002 \r\n\r\n{}",
    "chunks": CHUNKED + b"1\r\n{\r\n1\r\n}\r\n" + END,
    "a chunk size with zeros": CHUNKED + b"0002\r\n{}\r\n" + b"000\r\n\r\n",
    "a chunk extension": CHUNKED + b'2;a=b;c="d"\r\n{}\r\n' + END,
    "a trailer": CHUNKED + TWO + b"0\r\nX: y\r\n\r\n",
    "a tab before the coding": START + b"Transfer-Encoding:\tChunked\r\n\r\n" + TWO + END,
    "a length and leave to send": START + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}",
}


def _with(*lines: bytes, body: bytes = b"{}") -> bytes:
    return START + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


def _length(value: bytes) -> bytes:
    return _with(b"Content-Length: " + value)


def _coded(value: bytes) -> bytes:
    return _with(b"Transfer-Encoding: " + value, body=TWO + END)


def _line(text: bytes) -> bytes:
    return text + b"\r\n" + HOST_LINE + b"\r\n"


def _field(text: bytes) -> bytes:
    return GET + HOST_LINE + text + b"\r\n\r\n"


LENGTHS = (
    b"-2",
    b"+2",
    b"0x2",
    b"2.0",
    b"2 2",
    b"2,2",
    b"",
    b"\xb2",
    b"\xef\xbc\x92",
    b"2;",
    b"2\x0b",
)
CODINGS = (
    *(b"xchunked", b"chunkedx", b"chunked, chunked", b"chunked, identity", b"identity", b"gzip"),
    *(b"identity, chunked, identity", b"gzip, chunked", b"deflate, chunked", b"chunked;q=1"),
    *(b'"chunked"', b"chunked\x0b", b"\x0bchunked", b"chunked\0", b"", b"x chunked"),
)
SIZES = (
    b"zz",
    b"-2",
    b"+2",
    b"0x2",
    b" 2",
    b"2 ",
    b"\t2",
    b"2_0",
    b"",
    b"2\x00",
    b"\xef\xbc\x92",
    b"2\n",
    b"2\r",
)
TRAILERS = (
    b"Content-Length: 9",
    b"Transfer-Encoding: chunked",
    b"Host: evil.test",
    b"X y",
    b"X : y",
    b"X: y\n",
)
LINES = (
    *(b"get /api/auth/session HTTP/1.1", b"GET  /api/auth/session HTTP/1.1", b"GET /api HTTP/1.1 "),
    *(b"GET /api/auth/session http/1.1", b"GET /api/auth/session HTTP/2.0", b"GET /api HTTP/1.10"),
    *(b"GET /api/auth/session", b"GET\t/api/auth/session\tHTTP/1.1", b"GET /a b HTTP/1.1", b"GET"),
    *(
        b"G\x00T /api HTTP/1.1",
        b"GET /api\x00 HTTP/1.1",
        b"GET /\xff HTTP/1.1",
        b"(GET) / HTTP/1.1",
    ),
    *(
        b"GET api/auth/session HTTP/1.1",
        b"PRI * HTTP/2.0",
        b" GET /api HTTP/1.1",
        b"X" * 21 + b" / HTTP/1.1",
    ),
)
FIELDS = (
    *(
        b"X: a\0b",
        b"X: a\rb",
        b"X: a\nY: b",
        b"X: a\r\n b",
        b" X: y",
        b"X : y",
        b"X",
        b": y",
        b"X\0: y",
    ),
    *(b"X: \x0b", b"X: \x7f", b"X y: z", b"X\xff: y", b"(X): y", b"Host: evil.test"),
    *(HOST_LINE.strip(), b"Expect: 200-ok", b"Content-Type: a/b\r\nContent-Type: c/d"),
)

DOUBTFUL = {
    **{f"length {value!r}": _length(value) for value in LENGTHS},
    **{f"coding {value!r}": _coded(value) for value in CODINGS},
    **{f"chunk size {size!r}": CHUNKED + size + b"\r\n{}\r\n" + END for size in SIZES},
    **{f"trailer {one!r}": CHUNKED + TWO + b"0\r\n" + one + b"\r\n\r\n" for one in TRAILERS},
    **{f"line {text!r}": _line(text) for text in LINES},
    **{f"field {text!r}": _field(text) for text in FIELDS},
    "two lengths": _with(b"Content-Length: 2", b"Content-Length: 2"),
    "two other lengths": _with(b"Content-Length: 2", b"Content-Length: 0"),
    "length and coding": _with(b"Content-Length: 2", b"Transfer-Encoding: chunked", body=TWO + END),
    "coding and length": _with(
        b"Transfer-Encoding: chunked", b"Content-Length: 12", body=TWO + END
    ),
    "two codings": _with(b"Transfer-Encoding: chunked", b"Transfer-Encoding: x", body=TWO + END),
    "the same coding twice": _with(*[b"Transfer-Encoding: chunked"] * 2, body=TWO + END),
    "a space before the colon": _with(b"Transfer-Encoding : chunked", body=TWO + END),
    "a folded coding": _with(b"Transfer-Encoding:\r\n chunked", body=TWO + END),
    "chunks of HTTP/1.0": CHUNKED.replace(b"HTTP/1.1", b"HTTP/1.0") + TWO + END,
    "an underscore": _with(b"Transfer_Encoding: chunked", body=TWO + END),
    "no end of a chunk": CHUNKED + b"2\r\n{}" + END,
    "a chunk that is longer": CHUNKED + b"2\r\n{}x\r\n" + END,
    "a chunk that ends by a line feed": CHUNKED + b"2\r\n{}\n" + END,
    "line feeds alone": CHUNKED.replace(b"\r\n", b"\n") + b"2\n{}\n0\n\n",
    "line feeds in the chunks": CHUNKED + b"2\n{}\n0\n\n",
    "a line feed in an extension": CHUNKED + b"2;a\nb\r\n{}\r\n" + END,
    "a return in an extension": CHUNKED + b"2;a\rb\r\n{}\r\n" + END,
}

CUT_OFF = {
    "nothing of its length": b"Content-Length: 2\r\n\r\n",
    "half of its length": b"Content-Length: 2\r\n\r\n{",
    "all but its last space": b"Content-Length: 3\r\n\r\n{}",
    "no chunk": b"Transfer-Encoding: chunked\r\n\r\n",
    "no last chunk": b"Transfer-Encoding: chunked\r\n\r\n" + TWO,
    "half a chunk": b"Transfer-Encoding: chunked\r\n\r\n3\r\n{}",
    "no end of its trailers": b"Transfer-Encoding: chunked\r\n\r\n" + TWO + b"0\r\n",
}
