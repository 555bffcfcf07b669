"""Sealed values: secrets that must be read again, useless to whoever holds the database alone.

AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce. The key is derived from one of
SECRET_KEYS by HKDF-SHA256 (RFC 5869), and a sealed value holds in its own place alone. Format:
``v1.<key id>.<nonce>.<ciphertext>``, the latter two in base64url. docs/secrets.md has the rest.
"""

import base64
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

VERSION = "v1"
_PURPOSE = b"openbadges-system sealing v1"
"""HKDF's info for the key; another purpose takes another one."""
_PURPOSE_OF_ID = b"openbadges-system sealing v1 key id"
_KEY_BYTES = 32
_KEY_ID_BYTES = 8
_NONCE_BYTES = 12
_SEALED = re.compile(
    rf"{VERSION}\.(?P<key_id>[0-9a-f]{{16}})"
    r"\.(?P<nonce>[A-Za-z0-9_-]{16})\.(?P<ciphertext>[A-Za-z0-9_-]{22,})"
)


class Unsealable(Exception):
    """The value was not sealed for this place with a key that is known, or is not whole."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a sealed value stands: it cannot be opened anywhere else."""

    table: str
    column: str
    row: str

    def __post_init__(self) -> None:
        """Refuse names between which the bar would not tell."""
        if "|" in self.table + self.column + self.row:
            message = "a place has no bar in its names"
            raise ValueError(message)


class Sealer:
    """Seals with the newest key, and opens what was sealed with any of them."""

    def __init__(self, secret_keys: Sequence[bytes]) -> None:
        """Derive from SECRET_KEYS, newest first."""
        self._ciphers = {
            _derive(key, _PURPOSE_OF_ID, _KEY_ID_BYTES).hex(): AESGCM(
                _derive(key, _PURPOSE, _KEY_BYTES)
            )
            for key in secret_keys
        }
        self.key_ids = tuple(self._ciphers)
        """Public names of the keys, in their order; they tell nothing of the keys."""

    def seal(self, secret: str, *, place: Place) -> str:
        """Seal the secret for its place, with a new nonce."""
        key_id = self.key_ids[0]
        # Random nonces may repeat once 2^32 values were sealed with one key (SP 800-38D, 8.3).
        nonce = secrets.token_bytes(_NONCE_BYTES)
        plaintext = secret.encode("utf-8", "surrogatepass")
        ciphertext = self._ciphers[key_id].encrypt(nonce, plaintext, _bound_to(place, key_id))
        return ".".join((VERSION, key_id, _encode(nonce), _encode(ciphertext)))

    def open(self, sealed: str, *, place: Place) -> str:
        """Give the secret back. Raises ``Unsealable``, whatever the cause."""
        match = _SEALED.fullmatch(sealed)
        if match is None:
            raise Unsealable("not a sealed value")
        key_id = match["key_id"]
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise Unsealable(f"no key {key_id}")
        nonce, ciphertext = _decode(match["nonce"]), _decode(match["ciphertext"])
        try:
            plaintext = cipher.decrypt(nonce, ciphertext, _bound_to(place, key_id))
        except InvalidTag as error:
            raise Unsealable("damaged, or sealed for another place") from error
        return plaintext.decode("utf-8", "surrogatepass")


def prefix_of(key_id: str) -> str:
    """Give what every value begins with that is sealed with this key."""
    return f"{VERSION}.{key_id}."


def _derive(secret_key: bytes, purpose: bytes, length: int) -> bytes:
    # No salt: the keys are uniformly random already (RFC 5869 section 3.1).
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=purpose).derive(secret_key)


def _bound_to(place: Place, key_id: str) -> bytes:
    return f"{place.table}|{place.column}|{place.row}|{key_id}|{VERSION}".encode()


def _encode(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    try:
        value = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as error:
        raise Unsealable("not base64url") from error
    # Unused bits that are set would give one value several spellings.
    if _encode(value) != text:
        raise Unsealable("not canonical base64url")
    return value
