"""The signature of an ID token: a JWS in compact serialization (RFC 7515, section 3.1).

The algorithms are ours, whatever the provider or the token say (RFC 8725, section 3.1), and the
keys are the provider's alone: nothing that a token brings along is used as a key (section 3.10).
"""

from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from joserfc import jws
from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jws import JWSRegistry
from joserfc.util import urlsafe_b64decode

from app.errors import IdentityRejected

from .documents import parse_object
from .keys import KeySource, SigningKey
from .limits import Budget
from .refusal import require

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
LONGEST_TOKEN = 16 * 1024

UNREADABLE = (
    JoseError,
    UnsupportedAlgorithm,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    OverflowError,
    RecursionError,
)
"""Whatever hostile input makes the library raise; a fuzz test keeps it complete."""


class _Registry(JWSRegistry):
    """Our algorithms, without the library's warning that EdDSA has a newer name (RFC 9864)."""

    max_header_length = LONGEST_TOKEN
    max_payload_length = LONGEST_TOKEN
    max_signature_length = LONGEST_TOKEN

    def get_alg(self, name: str) -> Any:  # noqa: ANN401 - the library does not export the type
        if name not in ALGORITHMS:
            raise UnsupportedAlgorithmError
        return self.algorithms[name]


# A header may hold members that nobody here knows (RFC 7515, section 4); "crit" is refused below.
_REGISTRY = _Registry(algorithms=ALGORITHMS, strict_check_header=False)


def verify_signature(
    token: object, keys: KeySource, budget: Budget
) -> tuple[Mapping[str, object], str]:
    """Return the token's claims and its algorithm.

    Raises IdentityRejected, or ProviderUnavailable where the keys cannot be had.
    """
    if not isinstance(token, str):
        raise IdentityRejected(reason="there is no ID token")
    require(len(token) <= LONGEST_TOKEN, "the ID token is too long")
    try:
        header = _read_header(token)
        algorithm = _check_header(header)
        key = _find_key(header.get("kid"), algorithm, keys, budget)
        verified = jws.deserialize_compact(token, key.key, registry=_REGISTRY)
        return parse_object(verified.payload or b""), algorithm
    except UNREADABLE as error:
        reason = f"the ID token cannot be verified ({type(error).__name__})"
        raise IdentityRejected(reason=reason) from error


def _read_header(token: str) -> Mapping[str, object]:
    return parse_object(urlsafe_b64decode(token.partition(".")[0].encode("ascii")))


def _check_header(header: Mapping[str, object]) -> str:
    algorithm, kid, kind = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise IdentityRejected(reason="the ID token's algorithm is not one of ours")
    # No extension is known here, so none can be critical (RFC 7515, section 4.1.11; RFC 7797).
    require("crit" not in header and "b64" not in header, "the ID token has critical headers")
    # Another kind of token must not pass for an ID token (RFC 8725, section 3.11).
    require(isinstance(kind, str) and kind.lower() == "jwt", "the ID token is of another type")
    require(kid is None or isinstance(kid, str), "the ID token's key id is no text")
    return algorithm


def _find_key(kid: object, algorithm: str, keys: KeySource, budget: Budget) -> SigningKey:
    found = _fitting(keys.get(budget), kid, algorithm)
    if not found:
        found = _fitting(keys.newer(budget), kid, algorithm)
    require(found, "the ID token is signed by an unknown key")
    # Trying one after another would let a token choose among keys that are not meant for it.
    require(len(found) == 1, "the ID token does not say which of the keys signed it")
    return found[0]


def _fitting(keys: tuple[SigningKey, ...], kid: object, algorithm: str) -> list[SigningKey]:
    named = (key for key in keys if kid is None or key.kid == kid)
    return [key for key in named if algorithm in key.algorithms]
