"""Row ids: UUID version 7 as text, made in the application (RFC 9562 section 5.7)."""

import secrets
import time
from uuid import UUID

ID_PATTERN = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"

_RANDOM_BITS = 74


def new_id() -> str:
    """Make an id that sorts by the millisecond in which it was made."""
    milliseconds = time.time_ns() // 1_000_000
    random = secrets.randbits(_RANDOM_BITS)
    value = milliseconds << 80 | 0x7 << 76 | (random >> 62) << 64 | 0b10 << 62
    return str(UUID(int=value | random & (1 << 62) - 1))
