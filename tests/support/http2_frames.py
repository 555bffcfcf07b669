"""Just enough of HTTP/2 to send what no client would (RFC 9113, RFC 7541 without compression)."""

import ssl
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.support.raw_requests import Header

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RST_STREAM, _SETTINGS, _PING, _GOAWAY = 0, 1, 3, 4, 6, 7
_END_STREAM, _END_HEADERS, _ACK = 1, 4, 1
_INDEXED = {0x88: 200, 0x89: 204, 0x8A: 206, 0x8B: 304, 0x8C: 400, 0x8D: 404, 0x8E: 500}
_LITERAL_STATUS = 0x48


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back on a stream; a status of 0 where the stream or the connection was ended."""

    status: int
    body: bytes = b""


class Http2Line:
    """A connection of HTTP/2 on which requests follow one another."""

    def __init__(self, connection: ssl.SSLSocket) -> None:
        """Greet the server on a connection that has agreed on h2."""
        self._connection = connection
        self._stream = -1
        self.is_open = True
        connection.sendall(_PREFACE + _frame(_SETTINGS, 0, 0, b""))

    def ask(self, headers: Sequence[Header], body: bytes | None = None) -> Answer:
        """Send a request's header list as it is, and a body, and wait for the answer."""
        self._stream += 2
        block = b"".join(map(_literal, headers))
        flags = _END_HEADERS | (_END_STREAM if body is None else 0)
        data = _frame(_HEADERS, flags, self._stream, block)
        if body is not None:
            data += _frame(_DATA, _END_STREAM, self._stream, body)
        try:
            self._connection.sendall(data)
            return self._read()
        except OSError:
            self.is_open = False
            return Answer(status=0)

    def _read(self) -> Answer:
        status, body = 0, b""
        for kind, flags, stream, payload in self._frames():
            if kind == _GOAWAY:
                self.is_open = False
            elif kind == _PING and not flags & _ACK:
                self._connection.sendall(_frame(_PING, _ACK, 0, payload))
            elif kind == _RST_STREAM and stream == self._stream:
                return Answer(status=0)
            elif kind == _HEADERS and stream == self._stream:
                status = _status(payload)
            elif kind == _DATA and stream == self._stream:
                body += payload
            if kind in {_DATA, _HEADERS} and stream == self._stream and flags & _END_STREAM:
                return Answer(status=status, body=body)
        self.is_open = False
        return Answer(status=status, body=body)

    def _frames(self) -> Iterator[tuple[int, int, int, bytes]]:
        with self._connection.makefile("rb") as stream:
            while len(head := stream.read(9)) == 9:
                length = int.from_bytes(head[:3], "big")
                kind, flags, number = struct.unpack(">BBI", head[3:])
                yield kind, flags, number, stream.read(length)


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + struct.pack(">BBI", kind, flags, stream) + payload


def _literal(header: Header) -> bytes:
    name, value = header
    return b"\0" + _text(name) + _text(value)


def _text(text: bytes) -> bytes:
    """Write a length of seven bits and what follows it, without Huffman's code."""
    length = len(text)
    if length < 127:
        return bytes([length]) + text
    encoded, rest = b"\x7f", length - 127
    while rest >= 128:
        encoded += bytes([rest % 128 + 128])
        rest //= 128
    return encoded + bytes([rest]) + text


def _status(block: bytes) -> int:
    # Servers send it first: from the table, or as three figures beside its name from there.
    if block[:1] and block[0] == 0x20:
        block = block[1:]
    if block[0] in _INDEXED:
        return _INDEXED[block[0]]
    assert block[0] == _LITERAL_STATUS, block[:8]
    assert block[1] == 3, block[:8]
    return int(block[2:5])
