"""The claims of an ID token (OpenID Connect Core 1.0, section 3.1.3.7).

What is required is decided here: a token cannot relax a rule by what it says of itself.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime

from joserfc.util import urlsafe_b64encode

from app import clock
from app.config.oauth import ProviderSettings
from app.errors import IdentityRejected

from .keys import KeySource
from .limits import Budget
from .refusal import require
from .signature import verify_signature
from .text import is_subject

LEEWAY_SECONDS = 60
OLDEST_SECONDS = 10 * 60

# The left half of the hash that the signature's algorithm uses (section 3.1.3.6).
_HASHES = {"EdDSA": hashlib.sha512}


class IDTokenVerifier:
    """Verifies the ID tokens of one provider."""

    def __init__(self, settings: ProviderSettings, keys: KeySource) -> None:
        self._settings = settings
        self._keys = keys

    def verify(
        self, token: object, *, nonce: str | None, access_token: str, budget: Budget
    ) -> Mapping[str, object]:
        """Return the claims, every rule having been checked.

        Raises IdentityRejected, or ProviderUnavailable where the keys cannot be had.
        """
        claims, algorithm = verify_signature(token, self._keys, budget)
        self._check_parties(claims)
        _check_times(claims)
        _check_nonce(claims, nonce)
        _check_access_token(claims, access_token, algorithm)
        require(is_subject(claims.get("sub")), "the ID token's subject is no subject")
        return claims

    def _check_parties(self, claims: Mapping[str, object]) -> None:
        require(claims.get("iss") == self._settings.issuer, "the ID token is of another issuer")
        ours = self._settings.client_id
        # Another audience could have got hold of the token, and present it here.
        require(claims.get("aud") in (ours, [ours]), "the ID token is not for us alone")
        require(claims.get("azp", ours) == ours, "the ID token was issued to somebody else")


def authentication_time(claims: Mapping[str, object]) -> datetime | None:
    """Return when the person authenticated, which `verify` has checked, if the token tells."""
    seconds = claims.get("auth_time")
    return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int) else None


def _check_times(claims: Mapping[str, object]) -> None:
    now = clock.now().timestamp()
    require(now < _seconds(claims, "exp") + LEEWAY_SECONDS, "the ID token has expired")
    issued_at = _seconds(claims, "iat")
    require(issued_at <= now + LEEWAY_SECONDS, "the ID token is of the future")
    require(now <= issued_at + OLDEST_SECONDS + LEEWAY_SECONDS, "the ID token is too old")
    for name in ("nbf", "auth_time"):
        if name in claims:
            require(_seconds(claims, name) <= now + LEEWAY_SECONDS, f"{name} is in the future")


def _seconds(claims: Mapping[str, object], name: str) -> int:
    seconds = claims.get(name)
    if not isinstance(seconds, int) or isinstance(seconds, bool) or seconds < 0:
        raise IdentityRejected(reason=f"the ID token's {name} is missing or no time")
    return seconds


def _check_nonce(claims: Mapping[str, object], expected: str | None) -> None:
    found = claims.get("nonce")
    if not expected or not isinstance(found, str):
        raise IdentityRejected(reason="the ID token has no nonce, or none was asked for")
    require(_is_same(found, expected), "the ID token answers another request")


def _check_access_token(claims: Mapping[str, object], access_token: str, algorithm: str) -> None:
    if "at_hash" not in claims:
        return
    found = claims["at_hash"]
    digest = _HASHES.get(algorithm, hashlib.sha256)(access_token.encode("ascii")).digest()
    expected = urlsafe_b64encode(digest[: len(digest) // 2]).decode("ascii")
    is_ours = isinstance(found, str) and _is_same(found, expected)
    require(is_ours, "the ID token came with another access token")


def _is_same(found: str, expected: str) -> bool:
    # JSON may hold half a surrogate pair, which only this can encode.
    return hmac.compare_digest(found.encode(errors="surrogatepass"), expected.encode())
