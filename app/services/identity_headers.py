"""What an application is told of a request's person, as HTTP headers."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

FIELDS = ("user_id", "email", "name", "role", "groups", "session_id", "method", "time")
HEADERS = {field: "X-Auth-" + field.replace("_", "-").title() for field in FIELDS}
"""The header of each field, unless an application's header map has another one for it."""

DEFAULT_NAMES = tuple(HEADERS.values())
_PRINTABLE = "".join(map(chr, range(0x20, 0x7F))).replace("%", "")


def header_names(header_map: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the headers' names in the order of ``FIELDS``."""
    return tuple(str(header_map.get(field, HEADERS[field])) for field in FIELDS)


def header_value(text: str) -> str:
    """Make any text fit for a header: percent-encoded UTF-8 but for printable ASCII without `%`.

    ``decodeURIComponent`` and ``urllib.parse.unquote`` give the text back (RFC 3986 section 2.1).
    """
    if text.isascii() and text.isprintable() and "%" not in text and text == text.strip():
        return text
    bare = text.strip()
    safe = _PRINTABLE if bare == text else _PRINTABLE.replace(" ", "")
    return quote(text, safe=safe, errors="replace")


def header_list(items: list[str]) -> str:
    """Join a list by commas; those within an item are encoded."""
    return ",".join(header_value(item).replace(",", "%2C") for item in items)
