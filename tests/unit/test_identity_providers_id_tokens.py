"""ID tokens: the honest ones are taken, every hostile one is refused (OC-1 to OC-14)."""

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey, Key

from app.errors import IdentityRejected
from app.identity_providers import IdentityProvider
from tests.support.counts import trials
from tests.support.providers_on_loopback import (
    ACCESS_TOKEN,
    CLIENT_ID,
    NONCE,
    HonestProvider,
    Loopback,
    base64url,
    listening,
    provider_settings,
    public,
    redeem,
    sign,
    signing_key,
)


@pytest.fixture(scope="module")
def loopback() -> Iterator[Loopback]:
    with listening(Loopback()) as loopback:
        yield loopback


@pytest.fixture
def honest(loopback: Loopback) -> HonestProvider:
    return HonestProvider(loopback)


def refusal(honest: HonestProvider, token: object, nonce: str | None = NONCE) -> str:
    """Tell why the token is refused; the honest one is taken by the same provider."""
    provider = IdentityProvider(provider_settings(honest.issuer))
    honest.issue(sign(honest.claims()))
    assert redeem(provider).identity.subject == "subject"
    honest.issue(token)
    with pytest.raises(IdentityRejected) as caught:
        redeem(provider, nonce)
    assert caught.value.reason is not None
    return caught.value.reason


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
def test_honest_token_of_each_algorithm_is_taken(honest: HonestProvider, algorithm: str) -> None:
    """OC-13 (sig-rs256)."""
    honest.keys = [public(signing_key(algorithm), kid="one")]
    honest.issue(sign(honest.claims(), algorithm=algorithm))

    identity = redeem(IdentityProvider(provider_settings(honest.issuer))).identity

    assert (identity.issuer, identity.subject) == (honest.issuer, "subject")
    assert (identity.email, identity.email_verified) == ("kim@example.org", True)


NOW, DAY = int(time.time()), 24 * 60 * 60
CLAIMS: dict[str, dict[str, object]] = {
    # What can be called is given the provider's issuer, and what is ... is left out.
    "iss-of-another": {"iss": "https://evil.example"},
    "iss-in-a-list": {"iss": lambda issuer: [issuer]},
    "iss-cut-short": {"iss": lambda issuer: issuer[:-1]},
    "iss-with-a-slash": {"iss": lambda issuer: issuer + "/"},
    "iss-missing": {"iss": ...},
    "aud-of-another": {"aud": "another"},
    "aud-of-another-with-our-azp": {"aud": "another", "azp": CLIENT_ID},
    "aud-with-one-more": {"aud": [CLIENT_ID, "evil"]},
    "aud-twice": {"aud": [CLIENT_ID, CLIENT_ID]},
    "aud-empty": {"aud": []},
    "aud-missing": {"aud": ...},
    "aud-within-a-longer-one": {"aud": f"{CLIENT_ID}-2"},
    "azp-of-another": {"azp": "another"},
    "exp-past": {"exp": NOW - 61},
    "exp-missing": {"exp": ...},
    "exp-as-text": {"exp": str(NOW + 300)},
    "exp-as-boolean": {"exp": True},
    "exp-as-fraction": {"exp": NOW + 300.5},
    "exp-infinite": {"exp": float("inf")},
    "iat-missing": {"iat": ...},
    "iat-in-the-future": {"iat": NOW + DAY, "exp": NOW + 2 * DAY},
    "iat-too-old": {"iat": NOW - 700},
    "iat-as-text": {"iat": str(NOW)},
    "nbf-in-the-future": {"nbf": NOW + DAY},
    "nbf-as-text": {"nbf": "0"},
    "nonce-of-another": {"nonce": "another"},
    "nonce-missing": {"nonce": ...},
    "nonce-said-to-be-unsupported": {"nonce": ..., "nonce_supported": False},
    "nonce-in-a-list": {"nonce": [NONCE]},
    "nonce-of-half-a-surrogate": {"nonce": "\ud800"},
    "sub-missing": {"sub": ...},
    "sub-empty": {"sub": ""},
    "sub-a-number": {"sub": 17},
    "sub-too-long": {"sub": "s" * 256},
    "sub-with-nul": {"sub": "a\0b"},
    "sub-of-half-a-surrogate": {"sub": "\ud800"},
    "at-hash-of-another": {"at_hash": base64url(b"0" * 16)},
    "at-hash-a-number": {"at_hash": 1},
    "auth-time-as-text": {"auth_time": str(NOW)},
    "auth-time-as-boolean": {"auth_time": True},
    "auth-time-in-the-future": {"auth_time": NOW + DAY},
    "auth-time-huge": {"auth_time": -(10**30)},
}


@pytest.mark.parametrize("changes", CLAIMS.values(), ids=CLAIMS)
def test_well_signed_token_with_a_wrong_claim_is_refused(
    honest: HonestProvider, changes: dict[str, object]
) -> None:
    """OC-1 to OC-9, OC-14, CVE-2026-114617, CVE-2026-75509, CVE-2026-55669."""
    changed = {
        name: value(honest.issuer) if callable(value) else value for name, value in changes.items()
    }

    assert refusal(honest, sign(honest.claims(**changed)))


def test_honest_variations_are_taken(honest: HonestProvider) -> None:
    provider = IdentityProvider(provider_settings(honest.issuer))
    half = hashlib.sha256(ACCESS_TOKEN.encode()).digest()[:16]
    now = int(time.time())
    variations: list[dict[str, object]] = [
        {"aud": [CLIENT_ID]},
        {"azp": CLIENT_ID},
        {"exp": now - 50},
        {"iat": now + 50},
        {"iat": now - 600},
        {"nbf": now},
        {"at_hash": base64url(half)},
        {"sub": "s" * 255, "email": "kim@example.org"},
        {"auth_time": now - 5},
    ]
    for changes in variations:
        honest.issue(sign(honest.claims(**changes), typ="jwt"))

        assert redeem(provider).identity.subject == changes.get("sub", "subject")


def test_at_hash_of_ed25519_is_a_longer_one(honest: HonestProvider) -> None:
    honest.keys = [public(signing_key("EdDSA"), kid="one")]
    digest = hashlib.sha512(ACCESS_TOKEN.encode()).digest()
    claims = honest.claims(at_hash=base64url(digest[:32]))
    honest.issue(sign(claims, algorithm="EdDSA"))

    assert redeem(IdentityProvider(provider_settings(honest.issuer))).identity.subject == "subject"


def test_auth_time_is_told(honest: HonestProvider) -> None:
    provider = IdentityProvider(provider_settings(honest.issuer))
    now = int(time.time())
    honest.issue(sign(honest.claims(auth_time=now - 5)))

    assert redeem(provider).identity.authenticated_at is not None
    honest.issue(sign(honest.claims()))
    assert redeem(provider).identity.authenticated_at is None


def unsigned(claims: object, algorithm: str = "none", signature: bytes = b"") -> str:
    header = {"alg": algorithm, "kid": "one"}
    parts = [base64url(json.dumps(part).encode()) for part in (header, claims)]
    return ".".join([*parts, base64url(signature)])


def with_hmac(claims: object, secret: bytes) -> str:
    signed = unsigned(claims, "HS256").rpartition(".")[0]
    return f"{signed}.{base64url(hmac.digest(secret, signed.encode(), 'sha256'))}"


def public_pem() -> bytes:
    key = signing_key("ES256")
    assert isinstance(key, ECKey)
    return key.as_pem(private=False)


FORGED = {
    "alg-none": unsigned,
    "alg-None": lambda claims: unsigned(claims, "None"),
    "alg-none-with-a-signature": lambda claims: unsigned(claims, "none", b"signature"),
    "no-signature": lambda claims: unsigned(claims, "ES256"),
    "empty-hmac-key": lambda claims: with_hmac(claims, b""),
    "hmac-with-the-public-key": lambda claims: with_hmac(claims, public_pem()),
    "hmac-with-the-client-secret": lambda claims: with_hmac(claims, b"the secret"),
    "key-of-another": lambda claims: sign(claims, key=signing_key("ES256", 2)),
    "jwk-in-the-header": lambda claims: sign(
        claims, key=signing_key("ES256", 2), jwk=public(signing_key("ES256", 2))
    ),
    "jwk-in-the-header-alone": lambda claims: sign(
        claims, key=signing_key("ES256", 2), jwk=public(signing_key("ES256", 2)), kid="two"
    ),
    "jku-in-the-header": lambda claims: sign(
        claims, key=signing_key("ES256", 2), jku="https://evil.example/jwks"
    ),
    "x5u-in-the-header": lambda claims: sign(
        claims, key=signing_key("ES256", 2), x5u="https://evil.example/certificate"
    ),
    "crit-unknown": lambda claims: sign(claims, crit=["exp2"], exp2=1),
    "crit-empty": lambda claims: sign(claims, crit=[]),
    "crit-b64": lambda claims: sign(claims, crit=["b64"], b64=False),
    "b64": lambda claims: sign(claims, b64=True),
    "typ-of-an-access-token": lambda claims: sign(claims, typ="at+jwt"),
    "typ-a-number": lambda claims: sign(claims, typ=1),
    "kid-unknown": lambda claims: sign(claims, kid="two"),
    "kid-a-number": lambda claims: sign(claims, kid=1),
    "kid-a-path": lambda claims: sign(claims, kid="../../dev/null"),
    "algorithm-of-another-kind-of-key": lambda claims: sign(claims, algorithm="RS256"),
    "algorithm-not-ours": lambda claims: sign(claims, key=signing_key("RS256"), algorithm="RS512"),
    "json-serialization": lambda claims: json.dumps(
        dict(zip(("protected", "payload", "signature"), sign(claims).split("."), strict=True))
    ),
    "json-serialization-without-signatures": lambda claims: json.dumps(
        {"payload": base64url(json.dumps(claims).encode()), "signatures": []}
    ),
    "a-part-more": lambda claims: sign(claims) + ".more",
    "encrypted": lambda claims: sign(claims) + ".more.more",
    "signature-changed": lambda claims: sign(claims)[:-6] + "AAAAAA",
    "claims-changed": lambda claims: ".".join(
        [sign(claims).split(".")[0], base64url(b'{"sub":"admin"}'), sign(claims).split(".")[2]]
    ),
    "claims-in-a-list": lambda claims: sign([claims]),
    "claims-as-text": lambda _claims: sign("subject"),
    "too-long": lambda claims: sign({**claims, "picture": "p" * 16 * 1024}),
    "too-long-altogether": lambda claims: sign({**claims, "picture": "p" * 6000}, note="n" * 6000),
    "nested-deeply": lambda _claims: base64url(b"[" * 12000) + ".e30.AA",
    "not-ascii": lambda claims: sign(claims) + "é",
    "empty": lambda _claims: "",
    "no-text": lambda _claims: {"sub": "subject"},
    "missing": lambda _claims: None,
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_forged_token_is_refused(honest: HonestProvider, forge: object) -> None:
    """OC-5, OC-14, CVE-2026-28802, CVE-2025-59420, CVE-2025-61920."""
    assert callable(forge)

    assert refusal(honest, forge(honest.claims()))


def test_claim_that_stands_twice_is_refused(honest: HonestProvider) -> None:
    text = json.dumps(honest.claims())
    doubled = (text[:-1] + ', "sub": "admin"}').encode()
    model_key = signing_key("ES256")
    header = sign({}).partition(".")[0]
    signed = f"{header}.{base64url(doubled)}"
    token = f"{signed}.{base64url(signature_of(signed, model_key))}"

    assert refusal(honest, token)


def signature_of(text: str, key: Key) -> bytes:
    return jws.JWSRegistry.algorithms["ES256"].sign(text.encode(), key)


def test_token_is_refused_where_no_nonce_was_kept(honest: HonestProvider) -> None:
    """CVE-2026-114617: a request without a nonce does not switch the rule off."""
    assert "nonce" in refusal(honest, sign(honest.claims(nonce="")), nonce=None)
    assert "nonce" in refusal(honest, sign(honest.claims(nonce="")), nonce="")


def test_algorithms_that_metadata_announces_are_not_taken_for_that(honest: HonestProvider) -> None:
    """CVE-2026-28802, CVE-2026-104056: `none` stays refused where the metadata lists it."""
    honest.metadata["id_token_signing_alg_values_supported"] = ["none", "HS256"]

    assert "algorithm" in refusal(honest, unsigned(honest.claims()))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
HEADERS = ["alg", "kid", "typ", "crit", "b64", "jwk", "x5c", "jku", "cty"]
NAMES = ["iss", "sub", "aud", "exp", "iat", "nonce", "azp", "nbf", "at_hash", "auth_time"]


@settings(
    max_examples=trials(3000),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    header=st.dictionaries(st.sampled_from(HEADERS), json_values, max_size=3),
    claims=st.dictionaries(st.sampled_from(NAMES), json_values, min_size=1, max_size=3),
    cut=st.integers(0, 3),
)
def test_whatever_is_bent_nothing_but_a_refusal_comes_out(
    honest: HonestProvider,
    header: dict[str, object],
    claims: dict[str, object],
    cut: int,
) -> None:
    """OC-14."""
    bent = sign({**honest.claims(), **claims}, **{"typ": "JWT", **without_alg(header)})
    parts = [header_part(header), *bent.split(".")[1:]] if "alg" in header else bent.split(".")
    honest.issue(".".join(parts)[: -cut or None])
    provider = shared_provider(honest.issuer)

    try:
        subject = redeem(provider).identity.subject
    except IdentityRejected:
        return
    assert subject == claims.get("sub", "subject")


def without_alg(header: dict[str, object]) -> dict[str, Any]:
    return {name: value for name, value in header.items() if name != "alg"}


def header_part(header: dict[str, object]) -> str:
    return base64url(json.dumps({"kid": "one", **header}).encode())


PROVIDERS: dict[str, IdentityProvider] = {}


def shared_provider(issuer: str) -> IdentityProvider:
    return PROVIDERS.setdefault(issuer, IdentityProvider(provider_settings(issuer)))
