"""base64url without padding (RFC 4648 §5, WebAuthn L3 §3), one text for each byte string."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode

from .violation import Violation

ALPHABET = re.compile(r"[A-Za-z0-9_-]*")


def encode(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode("ascii")


def decode(text: object, member: str) -> bytes:
    """The bytes that the text stands for.

    Python's decoder skips junk and ignores left-over bits, so that many texts would stand for one
    credential id; only the text that `encode` makes is taken. Raises Violation, naming the member.
    """
    if not isinstance(text, str) or not ALPHABET.fullmatch(text) or len(text) % 4 == 1:
        raise Violation(f"{member} is not base64url")
    value = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode(value) != text:
        raise Violation(f"{member} is not canonical base64url")
    return value
