"""Bytes that are almost right: JSON, base64url and CBOR as a hostile client spells them.

The strategies describe what is to be done; it is done to real bytes later, when there are some.
Each result differs from what it was made of, and no strict reader takes it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import cbor2
from hypothesis import strategies as st

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
NOT_UTF_8 = (b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\x80", b"\xe2\x82")

Spelling = Callable[[bytes], bytes]

# Of an object: each makes it malformed for every reader.
_SPELT: dict[str, Spelling] = {
    "a name twice": lambda text: text.replace(b'"type"', b'"type": 1, "type"', 1),
    "an escaped name twice": lambda text: text.replace(b'"type"', b'"\\u0074ype": 1, "type"', 1),
    "an inner name twice": lambda text: b'{"x": [{"y": 1, "y": 1}],' + text[1:],
    "NaN": lambda text: b'{"x": NaN,' + text[1:],
    "minus infinity": lambda text: b'{"x": -Infinity,' + text[1:],
    "endless digits": lambda text: b'{"x": ' + b"9" * 5000 + b"," + text[1:],
    "a leading zero": lambda text: b'{"x": 01,' + text[1:],
    "a second document": lambda text: text + b"{}",
    "a trailing comma": lambda text: text[:-1] + b",}",
    "a comment": lambda text: b"/**/" + text,
    "single quotes": lambda text: text.replace(b'"', b"'"),
    "a raw control character": lambda text: b'{"x": "\n",' + text[1:],
    "a raw NUL": lambda text: b'{"x": "\0",' + text[1:],
    "a bad escape": lambda text: b'{"x": "\\x41",' + text[1:],
    "UTF-16": lambda text: text.decode().encode("utf-16"),
    "UTF-32": lambda text: text.decode().encode("utf-32-be"),
    "a hundred brackets": lambda text: b"[" * 100 + text,
    "brackets without end": lambda _text: b'{"x":' * 9000,
    "a form": lambda _text: b"credential=x&type=public-key",
}

# What only the reader of bodies refuses: values that cannot be stored, and depth.
_UNSTORABLE = rb'1e999 -1e999 "\u0000" "\ud800" {"\udfff":1} "\ude00\ud83d"'.split()


@dataclass(frozen=True)
class Spelt:
    """A JSON object spelt wrongly in a known way."""

    how: str

    def __call__(self, text: bytes) -> bytes:
        return _SPELT[self.how](text)


@dataclass(frozen=True)
class Cut:
    """A text that ends early."""

    part: int
    """Of ten thousand."""

    def __call__(self, text: bytes) -> bytes:
        return text[: 1 + self.part * (len(text) - 1) // 10_001]


@dataclass(frozen=True)
class Put:
    """A text with foreign bytes in some place."""

    what: bytes
    part: int

    def __call__(self, text: bytes) -> bytes:
        at = self.part * len(text) // 10_000
        return text[:at] + self.what + text[at:]


@dataclass(frozen=True)
class Member:
    """An object with one more member, in front of the others."""

    value: bytes

    def __call__(self, text: bytes) -> bytes:
        return b'{"x": ' + self.value + b"," + text[1:]


parts = st.integers(0, 10_000)
malformed: st.SearchStrategy[Spelling] = st.one_of(
    st.sampled_from([*map(Spelt, _SPELT)]),
    st.builds(Cut, parts),
    st.builds(Put, st.sampled_from(NOT_UTF_8), parts),
)
"""Texts that are no JSON object in UTF-8, or one with a name twice."""

refused_bodies: st.SearchStrategy[Spelling] = st.one_of(
    malformed,
    st.sampled_from([*map(Member, _UNSTORABLE)]),
    st.integers(16, 900).map(lambda depth: Member(b"[" * depth + b"]" * depth)),
    st.just(Put(b"\xef\xbb\xbf", 0)),
)
"""Bodies that are no JSON that we take."""


@dataclass(frozen=True)
class Noise:
    """Base64url with a character that is none, or with bits that stand for nothing."""

    junk: str
    part: int

    def __call__(self, text: str) -> str:
        if self.junk:
            at = self.part * len(text) // 10_000
            return text[:at] + self.junk + text[at:]
        if len(text) % 4 in {0, 1}:
            return text + "A"
        return text[:-1] + ALPHABET[ALPHABET.index(text[-1]) + 1]


JUNK = ("=", "==", "\n", "\r\n", " ", "+", "/", ".", "%41", "\u0663", "\u200b", "\U0001f600")
SPARE_BITS = Noise("", 0)
noises = st.builds(Noise, st.sampled_from(JUNK), parts)


@dataclass(frozen=True)
class Bent:
    """A few bytes flipped, cut, inserted or exchanged."""

    part: int
    cut: int
    put: bytes

    def __call__(self, honest: bytes) -> bytes:
        at = self.part * len(honest) // 10_000
        bent = honest[:at] + self.put + honest[at + self.cut :]
        return bent if bent != honest else honest + b"\0"


bends = st.builds(
    Bent,
    parts,
    st.sampled_from([0, 0, 1, 1, 2, 32, 9999]),
    st.binary(max_size=3) | st.sampled_from([b"\xff" * 9, b"\x81" * 40, b"\xa0"]),
)


def head(kind: int, argument: int, width: int) -> bytes:
    """Give the head of a CBOR item (RFC 8949 section 3) whose argument takes ``width`` bytes."""
    if not width:
        return bytes([kind << 5 | argument])
    return bytes([kind << 5 | 23 + width.bit_length()]) + argument.to_bytes(width)


def indefinite(items: Mapping[Any, object]) -> bytes:
    """Write a map that does not say how long it is."""
    return b"\xbf" + b"".join(cbor2.dumps(one) for pair in items.items() for one in pair) + b"\xff"


def repeated(items: Mapping[Any, object], key: object) -> bytes:
    """Write a map in which a key stands twice, with the same value."""
    pairs = [*items.items(), (key, items[key])]
    return head(5, len(pairs), 0) + b"".join(cbor2.dumps(one) for pair in pairs for one in pair)


def nested(depth: int, kind: int) -> bytes:
    """Write lists (4), maps (5) or tags (6) around each other."""
    return {4: b"\x81", 5: b"\xa1\x00", 6: b"\xd8\x63"}[kind] * depth + b"\x00"


hostile_items: st.SearchStrategy[bytes] = st.one_of(
    st.builds(nested, st.sampled_from([9, 17, 500, 3000]), st.sampled_from([4, 5, 6])),
    st.builds(head, st.sampled_from([2, 3, 4, 5]), st.sampled_from([65, 255]), st.just(1)),
    st.builds(head, st.sampled_from([2, 3, 4, 5, 6]), st.just(2**64 - 1), st.just(8)),
    st.sampled_from([b"\x5f\x41a\xff", b"\x7f\x61a\xff", b"\x9f\xff", b"\xbf\xff", b"\xff"]),
    st.sampled_from([b"\xd8\x1d\x00", b"\xd8\x1c\x80", b"\xc2\x41\x00", b"\xd9\xd9\xf7\xa0"]),
    st.sampled_from([b"\xf8\x10", b"\xfc", b"\x1c", b"\xa2\x00\x00\x00\x00", b"\xa1\x00"]),
    st.sampled_from([b"", b"\xf6", b"\xf7", b"\xf9\x7e\x00", b"\x00", b"\x40", b"\x60", b"\x80"]),
)
"""CBOR that is no map of an authenticator's, whatever may follow."""
