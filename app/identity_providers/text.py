"""Text as providers write it, which may hold anything that JSON can."""

import unicodedata
from typing import TypeGuard

LONGEST_SUBJECT = 255  # OpenID Connect Core 1.0, section 2
LONGEST_ADDRESS = 320
LONGEST_NAME = 255

# Control characters, NUL among them, and halves of surrogate pairs: no database takes them all.
_REFUSED_CATEGORIES = frozenset({"Cc", "Cs"})


def is_subject(value: object) -> TypeGuard[str]:
    """Whether it can be a subject identifier."""
    return is_plain(value, LONGEST_SUBJECT)


def is_plain(value: object, longest: int) -> TypeGuard[str]:
    """Whether it is text that says something, without control characters, and not too long."""
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        return False
    return not any(unicodedata.category(character) in _REFUSED_CATEGORIES for character in value)


def plain_or_none(value: object, longest: int) -> str | None:
    """Return the text, or None where it is none that can be kept."""
    return value if is_plain(value, longest) else None
