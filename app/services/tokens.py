"""Opaque secrets that we hand out, and what we keep of them: a hash."""

import hashlib
import re
import secrets

SESSION_PREFIX = "obs_"
_SECRET_BYTES = 32
_USER_HANDLE_BYTES = 64
_BROWSER_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_SESSION_TOKEN = re.compile(r"obs_[A-Za-z0-9_-]{43}")

# Crockford's base 32: no letter that is mistaken for a digit. 25 characters carry 125 bits.
_CODE_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CODE_LENGTH = 25
_CODE_GROUP = 5
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


def new_secret() -> str:
    """Make 256 random bits as 43 base64url characters."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def new_user_handle() -> bytes:
    """Make the 64 bytes by which authenticators know a person (WebAuthn §14.6.1)."""
    return secrets.token_bytes(_USER_HANDLE_BYTES)


def new_session_token() -> str:
    """Make the value of a session cookie."""
    return SESSION_PREFIX + new_secret()


def is_session_token(text: str) -> bool:
    """Tell whether the text has the form of a session token of ours."""
    return _SESSION_TOKEN.fullmatch(text) is not None


def is_browser_token(text: str) -> bool:
    """Tell whether the text has the form of a browser's mark of ours."""
    return _BROWSER_TOKEN.fullmatch(text) is not None


def hash_secret(secret: str | bytes) -> bytes:
    """Give the SHA-256 that is stored in the secret's place.

    A plain hash is enough: nothing hashed here has less than 112 bits (OWASP ASVS 6.5.2).
    """
    data = secret.encode("utf-8", "surrogatepass") if isinstance(secret, str) else secret
    return hashlib.sha256(data).digest()


def new_code() -> str:
    """Make a code that a person can copy from paper: five groups of five characters."""
    characters = [secrets.choice(_CODE_ALPHABET) for _ in range(_CODE_LENGTH)]
    groups = range(0, _CODE_LENGTH, _CODE_GROUP)
    return "-".join("".join(characters[start : start + _CODE_GROUP]) for start in groups)


def hash_code(code: str) -> bytes:
    """Hash a code however it was typed: in either case, with or without dashes and spaces."""
    return hash_secret(code.strip().upper().translate(_MISREAD))
