"""CBOR as authenticators may write it (CTAP2 §8): definite lengths, shallow, no tags.

The general decoder builds dates, regular expressions and shared references out of tags and does
not say where an item ends. This module measures first and hands on only plain items.
"""

import cbor2

from .violation import Violation, require

MAX_DEPTH = 8
MAX_ITEMS = 64

INTEGERS, STRINGS, CONTAINERS, SIMPLE = (0, 1), (2, 3), (4, 5), 7
MAP = 5
WIDTHS = {24: 1, 25: 2, 26: 4, 27: 8}


def decode_item(data: bytes, start: int = 0) -> tuple[object, int]:
    """The item that begins at start, and the offset of the byte after it.

    Raises Violation where the item is incomplete, repeats a key of a map, or is of a kind that
    authenticators may not write.
    """
    end = _end_of_item(data, start, MAX_DEPTH)
    try:
        return cbor2.loads(data[start:end], allow_duplicate_keys=False), end
    except cbor2.CBORDecodeError as error:
        raise Violation("CBOR cannot be decoded") from error


def encode(value: object) -> bytes:
    return cbor2.dumps(value)


def _end_of_item(data: bytes, start: int, depth: int) -> int:
    require(depth > 0, "CBOR is nested too deeply")
    kind, argument, end = _head(data, start)
    if kind in STRINGS:
        end += argument
    elif kind in CONTAINERS:
        require(argument <= MAX_ITEMS, "CBOR has too many items")
        for _ in range(argument * (2 if kind == MAP else 1)):
            end = _end_of_item(data, end, depth - 1)
    else:
        require(kind in (*INTEGERS, SIMPLE), "CBOR has a tag")
    require(end <= len(data), "CBOR ends early")
    return end


def _head(data: bytes, start: int) -> tuple[int, int, int]:
    """Major type, argument, and the offset of what follows (RFC 8949 §3)."""
    require(start < len(data), "CBOR ends early")
    kind, argument = data[start] >> 5, data[start] & 0x1F
    end = start + 1
    if argument in WIDTHS:
        end += WIDTHS[argument]
        return kind, int.from_bytes(data[start + 1 : end]), end
    require(argument < min(WIDTHS), "CBOR has an indefinite or reserved length")
    return kind, argument, end
