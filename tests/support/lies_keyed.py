"""Lies in the keys of a provider: which ones it has, and which one signed (RFC 7517)."""

from collections.abc import Mapping

from tests.support.jws import SigningKey, encode, random_text, signature, signing_input, signing_key
from tests.support.lie import Lie, Reply, Teller, Told


def foreign_key() -> SigningKey:
    """Give a key that the provider's set does not hold."""
    return signing_key("RS256", 1)


def with_header(teller: Teller, claims: Told, header: Mapping[str, object]) -> str:
    """Sign honestly below a header that is not."""
    return teller.key.sign(claims, header=header)


def _one(**members: object) -> Reply:
    return lambda teller, _: {"keys": [teller.key.public_jwk(**members)]}


def _signed_by(name: str, algorithm: str, *, bits: int = 2048, accepted: bool = False) -> Lie:
    return Lie(
        name=name,
        covers=("CVE-2026-28802",),
        expected=None if accepted else "identity_rejected",
        algorithm=algorithm,
        keys=lambda _teller, _told: {"keys": [signing_key(algorithm, bits=bits).public_jwk()]},
        id_token=lambda _, claims: signing_key(algorithm, bits=bits).sign(claims),
    )


def _two_without_ids(teller: Teller, _: Told) -> Told:
    return {"keys": [key.public_jwk(kid=None) for key in (foreign_key(), teller.key)]}


def _ten_thousand(teller: Teller, _: Told) -> Told:
    filler = signing_key("EdDSA")
    fillers = [filler.public_jwk(kid=f"k{at}", use=None, alg=None) for at in range(10_000)]
    return {"keys": [teller.key.public_jwk(), *fillers]}


def _p384_as_es256(_: Teller, claims: Told) -> str:
    key = signing_key("ES384")
    signed = signing_input({"alg": "ES256", "kid": key.kid, "typ": "JWT"}, claims)
    return f"{signed}.{encode(signature('ES384', key.private, signed.encode()))}"


LIES = (
    _signed_by("sig-es256", "ES256", accepted=True),
    _signed_by("sig-ps256", "PS256", accepted=True),
    _signed_by("sig-eddsa", "EdDSA", accepted=True),
    _signed_by("rsa-1024", "RS256", bits=1024),
    _signed_by("p-384", "ES384"),
    Lie(
        name="p-384-as-es256",
        covers=("CVE-2026-28802",),
        keys=lambda _teller, _told: {"keys": [signing_key("ES384").public_jwk(alg="ES256")]},
        id_token=_p384_as_es256,
    ),
    Lie(
        name="kid-absent-single-jwks",
        covers=("kid-absent-single-jwks",),
        expected=None,
        keys=_one(kid=None),
        id_token=lambda teller, claims: with_header(teller, claims, {"kid": None}),
    ),
    Lie(
        name="kid-absent-multiple-jwks",
        covers=("kid-absent-multiple-jwks",),
        keys=_two_without_ids,
        id_token=lambda teller, claims: with_header(teller, claims, {"kid": None}),
    ),
    Lie(
        name="kid-unknown",
        covers=("CVE-2026-28802", "A16"),
        id_token=lambda teller, claims: with_header(teller, claims, {"kid": random_text()}),
    ),
    Lie(
        name="ten-thousand-keys",
        covers=("A16",),
        expected="provider_unavailable",
        keys=_ten_thousand,
    ),
    Lie(name="key-for-encryption", covers=("CVE-2026-28802",), keys=_one(use="enc")),
    Lie(name="key-of-another-algorithm", covers=("CVE-2026-28802",), keys=_one(alg="PS256")),
    Lie(name="jwks-empty", covers=("A16",), keys=lambda _teller, _told: {"keys": []}),
)
"""All of them."""
