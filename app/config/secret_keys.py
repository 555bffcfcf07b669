"""The keys that everything sealed or signed derives from."""

from __future__ import annotations

import base64
import binascii
import re

from app.config.secret_files import create_secret_file_once, read_secret_file
from app.config.variables import Secret, Variables
from app.errors import SettingsError

KEY_BYTES = 32
BASE64URL = re.compile(r"[A-Za-z0-9_-]+={0,2}")
# 32 random bytes hold about 30 different values; fewer than 16 comes by chance once in 10^15.
LEAST_DIFFERENT_BYTES = 16
GENERATED_FILE = "instance/secret_keys"
HOW_TO_MAKE_ONE = 'python -c "import secrets; print(secrets.token_urlsafe(32))"'


def read_secret_keys(variables: Variables, *, development: bool) -> tuple[bytes, ...]:
    """Return the keys, newest first.

    In development they are made once where unset, and may be examples, as tests have them.
    """
    secret = variables.find_secret("SECRET_KEYS")
    if secret is None:
        secret = _generated(variables, development=development)
    keys = tuple(_decode(text) for text in secret.value.replace(",", " ").split())
    if not keys:
        raise SettingsError(f"SECRET_KEYS holds no key: make one with {HOW_TO_MAKE_ONE}.")
    if len(set(keys)) < len(keys):
        raise SettingsError("SECRET_KEYS holds the same key twice: remove one of the two.")
    if not development and any(len(set(key)) < LEAST_DIFFERENT_BYTES for key in keys):
        raise SettingsError(
            "SECRET_KEYS holds a key that is an example, not random: make one with "
            f"{HOW_TO_MAKE_ONE}."
        )
    variables.note("SECRET_KEYS", f"*** ({len(keys)} of 32 bytes)", secret.source)
    return keys


def _generated(variables: Variables, *, development: bool) -> Secret:
    if not development:
        raise SettingsError(
            f"SECRET_KEYS is missing or empty: make a key with {HOW_TO_MAKE_ONE} and set it, or "
            "name its file in SECRET_KEYS_FILE."
        )
    path = variables.folder / GENERATED_FILE
    create_secret_file_once("SECRET_KEYS", path)
    return Secret(read_secret_file("SECRET_KEYS", path), f"generated in {GENERATED_FILE}")


def _decode(text: str) -> bytes:
    if not BASE64URL.fullmatch(text):
        raise SettingsError(
            "SECRET_KEYS holds a key that is not base64url: use letters, digits, - and _ alone."
        )
    unpadded = text.rstrip("=")
    try:
        key = base64.urlsafe_b64decode(unpadded + "=" * (-len(unpadded) % 4))
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise SettingsError(
            f"SECRET_KEYS holds a key that is not exactly {KEY_BYTES} bytes (43 characters): make "
            f"one with {HOW_TO_MAKE_ONE}."
        )
    # Padding bits that are not zero would give one key several spellings, and so hide a duplicate
    # or a typing error.
    if base64.urlsafe_b64encode(key).rstrip(b"=") != unpadded.encode():
        raise SettingsError(
            "SECRET_KEYS holds a key that is not canonical base64url: its last character is wrong."
        )
    return key
