"""Looks for secrets in bytes, whatever form somebody may have left them in.

    search = SecretSearch()
    search.add("session token", token)
    search.found_in(log.read_bytes())

A secret is looked for as it is written and as the bytes that it means, plain, as hexadecimal
digits and in base64 at any offset, each also backwards; within the content as it stands,
unescaped, in UTF-16, uncompressed and decoded. Twenty characters of a form give it away, so that
a secret that was cut short is found as well.
"""

import re
import zlib
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator

SHORTEST_FRAGMENT = 20
_WINDOW = 12
# Whatever stretch of so many bytes is looked at, one of these windows begins and ends within it.
_STEP = SHORTEST_FRAGMENT - _WINDOW + 1

_BASE64URL = re.compile(r"[A-Za-z0-9_-]+")
_CODE = re.compile(r"(?:[0-9A-Z]{5}-)+[0-9A-Z]{5}")
# As in addresses, in Python's and PostgreSQL's byte strings, and in JSON.
_ESCAPED = re.compile(rb"%([0-9a-fA-F]{2})|\\+x([0-9a-fA-F]{2})|\\+u00([0-9a-fA-F]{2})")
_COMPRESSED = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]")
_HEX_RUN = re.compile(rb"[0-9A-Fa-f]{40,}")
_BASE64_RUN = re.compile(rb"[A-Za-z0-9+/_-]{40,}")
_TO_BASE64URL = bytes.maketrans(b"+/", b"-_")
_GZIP_OR_ZLIB = 47
_CHUNK, _MOST_INFLATED = 256, 1_000_000
_DEEPEST = 2


class SecretSearch:
    """Knows secrets and finds them; each goes by a name, which several may share."""

    def __init__(self) -> None:
        self._windows: dict[bytes, str] = {}

    def add(self, name: str, secret: str) -> None:
        """Look for one more secret from now on."""
        if len(secret) < SHORTEST_FRAGMENT:
            message = f"{name} is too short to be told from chance"
            raise ValueError(message)
        for form in _forms(secret):
            for text in (form, form[::-1]):
                for start in range(len(text) - _WINDOW + 1):
                    self._windows.setdefault(text[start : start + _WINDOW], name)

    def found_in(self, content: bytes) -> set[str]:
        """Give the names of the secrets of which the content holds a fragment."""
        windows = self._windows
        return {
            windows[window]
            for view in _views(content, _DEEPEST)
            for start in range(0, len(view) - _WINDOW + 1, _STEP)
            if (window := view[start : start + _WINDOW]) in windows
        }


def _forms(secret: str) -> Iterator[bytes]:
    for value in {*_spellings(secret), *_meanings(secret)}:
        yield value
        yield value.hex().encode()
        yield value.hex().upper().encode()
        for offset in range(3):
            yield from _base64(value, offset)


def _spellings(secret: str) -> Iterator[bytes]:
    yield secret.encode()
    if _CODE.fullmatch(secret):
        # A code is good however it is typed.
        for spelling in (secret.replace("-", ""), secret.lower(), secret.lower().replace("-", "")):
            yield spelling.encode()


def _meanings(secret: str) -> Iterator[bytes]:
    # Tokens are base64url of random bytes, some behind a prefix that names their kind.
    digits = secret.removeprefix("obs_")
    if _BASE64URL.fullmatch(digits) and len(digits) % 4 != 1 and not _CODE.fullmatch(secret):
        yield urlsafe_b64decode(digits + "=" * (-len(digits) % 4))


def _base64(value: bytes, offset: int) -> Iterator[bytes]:
    """Encode the value behind some bytes, and leave out the characters that it shares."""
    first, last = -(-8 * offset // 6), 8 * (offset + len(value)) // 6
    for encode in (b64encode, urlsafe_b64encode):
        yield encode(bytes(offset) + value)[first:last]


def _views(content: bytes, depth: int) -> Iterator[bytes]:
    yield content
    if b"\0" in content:
        yield from (content[::2], content[1::2])  # UTF-16, either way round
    unescaped = _ESCAPED.sub(lambda found: bytes([int(found[found.lastindex or 0], 16)]), content)
    if unescaped != content:
        yield unescaped
    if depth:
        for inner in (*_inflated(content), *_decoded(content)):
            yield from _views(inner, depth - 1)


def _inflated(content: bytes) -> Iterator[bytes]:
    for found in _COMPRESSED.finditer(content):
        if inflated := _inflate(content[found.start() : found.start() + _MOST_INFLATED]):
            yield inflated


def _decoded(content: bytes) -> Iterator[bytes]:
    """Decode all that may be hexadecimal digits or base64, wherever its first byte begins."""
    runs = [found[0] for found in _HEX_RUN.finditer(content)]
    for start in range(2):
        yield b"\n".join(_from_hex(run[start:]) for run in runs)
    runs = [found[0].translate(_TO_BASE64URL) for found in _BASE64_RUN.finditer(content)]
    for start in range(4):
        yield b"\n".join(_from_base64(run[start:]) for run in runs)


def _from_hex(run: bytes) -> bytes:
    return bytes.fromhex(run[: len(run) // 2 * 2].decode())


def _from_base64(run: bytes) -> bytes:
    return urlsafe_b64decode(run[: len(run) // 4 * 4])


def _inflate(stream: bytes) -> bytes:
    """Inflate as much as is whole of a stream that may be damaged, cut off or none at all."""
    engine, inflated = zlib.decompressobj(wbits=_GZIP_OR_ZLIB), bytearray()
    for start in range(0, len(stream), _CHUNK):
        try:
            inflated += engine.decompress(stream[start : start + _CHUNK], _MOST_INFLATED)
        except zlib.error:
            break
        if engine.eof or len(inflated) >= _MOST_INFLATED:
            break
    return bytes(inflated)
