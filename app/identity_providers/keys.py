"""The keys that a provider signs its ID tokens with (RFC 7517)."""

from collections.abc import Mapping
from dataclasses import dataclass

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from joserfc.util import urlsafe_b64decode

from app.errors import ProviderUnavailable

from .kept import FRESH_SECONDS, Kept, Monotonic
from .limits import Budget
from .metadata import MetadataSource, read_object
from .outbound import Outbound

LONGEST_SET = 100
RSA_BITS = range(2048, 8192 + 1)
"""Shorter ones can be broken (RFC 7518, section 3.3), longer ones only take time."""

# JoseError and ValueError tell what is wrong with a key; the others, that members are of a wrong
# type, and so does an assertion of the library's.
UNREADABLE = (JoseError, ValueError, TypeError, KeyError, AttributeError, AssertionError)


@dataclass(frozen=True, kw_only=True)
class SigningKey:
    """A public key that may verify signatures by these algorithms."""

    kid: str | None
    algorithms: frozenset[str]
    key: Key


class KeySource:
    """The keys of one provider, fetched at most once a minute whatever is asked for."""

    def __init__(
        self, metadata: MetadataSource, outbound: Outbound, *, monotonic: Monotonic
    ) -> None:
        self._metadata = metadata
        self._outbound = outbound
        self._kept = Kept(
            self._fetch,
            # A key that was withdrawn must not serve on.
            usable_seconds=FRESH_SECONDS,
            patience_seconds=outbound.limits.wait_seconds,
            monotonic=monotonic,
        )

    def get(self, budget: Budget) -> tuple[SigningKey, ...]:
        """Return them; raises ProviderUnavailable."""
        return self._kept.get(budget)

    def newer(self, budget: Budget) -> tuple[SigningKey, ...]:
        """Return them as they stand now, for a key that is not known; raises ProviderUnavailable.

        Fetched anew unless that was tried less than a minute ago.
        """
        return self._kept.newer(budget)

    def _fetch(self, budget: Budget) -> tuple[SigningKey, ...]:
        url = self._metadata.get(budget).jwks_uri
        if url is None:
            raise ProviderUnavailable(reason="it has no jwks_uri")
        response = self._outbound.get(url, budget=budget, headers={"Accept": "application/json"})
        return read_keys(read_object(response, "key set"))


def read_keys(document: Mapping[str, object]) -> tuple[SigningKey, ...]:
    """Take the keys out of a JWK Set that can be used; raises ProviderUnavailable.

    Others are passed over, as RFC 7517, section 5 asks for.
    """
    members = document.get("keys")
    if not isinstance(members, list) or len(members) > LONGEST_SET:
        raise ProviderUnavailable(reason="its key set has no list of keys that can be read")
    found = (_read_key(member) for member in members if isinstance(member, dict))
    return tuple(key for key in found if key is not None)


def _read_key(member: Mapping[str, object]) -> SigningKey | None:
    kid, algorithm, operations = member.get("kid"), member.get("alg"), member.get("key_ops")
    if kid is not None and not isinstance(kid, str):
        return None
    if member.get("use", "sig") != "sig":
        return None
    if operations is not None and not (isinstance(operations, list) and "verify" in operations):
        return None
    try:
        key, algorithms = _import(member)
    except UNREADABLE:
        return None
    if algorithm is not None:
        algorithms = frozenset(each for each in algorithms if each == algorithm)
    return SigningKey(kid=kid, algorithms=algorithms, key=key) if algorithms else None


def _import(member: Mapping[str, object]) -> tuple[Key, frozenset[str]]:
    """Make the key of its public members alone, whatever else stands beside them."""
    match member:
        case {"kty": "RSA", "n": str(n), "e": str(e)} if _bits(n) in RSA_BITS:
            return RSAKey.import_key({"kty": "RSA", "n": n, "e": e}), frozenset({"RS256", "PS256"})
        case {"kty": "EC", "crv": "P-256", "x": str(x), "y": str(y)}:
            key = ECKey.import_key({"kty": "EC", "crv": "P-256", "x": x, "y": y})
            return key, frozenset({"ES256"})
        case {"kty": "OKP", "crv": "Ed25519", "x": str(x)}:
            return OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": x}), frozenset({"EdDSA"})
    raise ValueError("a key that is not for signatures we take")


def _bits(modulus: str) -> int:
    return int.from_bytes(urlsafe_b64decode(modulus.encode())).bit_length()
