"""Which key verifies, and how often keys are fetched."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from joserfc.jwk import RSAKey

from app.errors import IdentityRejected, ProviderUnavailable
from app.identity_providers import IdentityProvider, Limits
from app.identity_providers.keys import read_keys
from tests.support.providers_on_loopback import (
    HonestProvider,
    Stopwatch,
    as_json,
    provider_settings,
    public,
    redeem,
    sign,
    signing_key,
    signs_in,
)


@pytest.fixture
def provider(honest: HonestProvider, stopwatch: Stopwatch) -> IdentityProvider:
    patient = Limits(wait_seconds=30, operation_seconds=60)
    return IdentityProvider(provider_settings(honest.issuer), limits=patient, monotonic=stopwatch)


def test_token_without_kid_is_taken_where_one_key_fits(
    honest: HonestProvider, provider: IdentityProvider
) -> None:
    """OC-13 (kid-absent-single-jwks): keys for other purposes do not count."""
    honest.keys = [
        public(signing_key("ES256")),
        public(signing_key("ES256", 2), use="enc"),
        public(signing_key("RS256")),
    ]
    honest.issue(sign(honest.claims(), kid=None))

    assert redeem(provider).identity.subject == "subject"


def test_token_without_kid_is_refused_where_several_keys_fit(
    honest: HonestProvider, provider: IdentityProvider
) -> None:
    """OC-13 (kid-absent-multiple-jwks)."""
    honest.keys = [public(signing_key("ES256")), public(signing_key("ES256", 2))]
    honest.issue(sign(honest.claims(), kid=None))

    with pytest.raises(IdentityRejected) as caught:
        redeem(provider)
    assert "which of the keys" in str(caught.value.reason)


def test_new_key_is_fetched_once_a_minute_has_passed(
    honest: HonestProvider, provider: IdentityProvider, stopwatch: Stopwatch
) -> None:
    assert signs_in(provider)
    honest.keys = [public(signing_key("ES256", 2), kid="two")]
    honest.issue(sign(honest.claims(), key=signing_key("ES256", 2), kid="two"))

    with pytest.raises(IdentityRejected):
        redeem(provider)
    stopwatch.seconds += 60

    assert redeem(provider).identity.subject == "subject"
    assert honest.loopback.count("/jwks") == 2


@pytest.mark.parametrize("broken", [False, True], ids=["keys answer", "keys do not answer"])
def test_ten_thousand_unknown_keys_cause_one_fetch_a_minute(
    honest: HonestProvider, provider: IdentityProvider, stopwatch: Stopwatch, *, broken: bool
) -> None:
    """A16."""
    assert signs_in(provider)
    source = provider._protocol._keys  # type: ignore[attr-defined]
    if broken:
        honest.loopback.answers["/jwks"] = as_json({}, status=500)
    budget = provider.new_budget()
    stopwatch.seconds += 60

    def ask(_: int) -> None:
        try:
            source.newer(budget)
        except ProviderUnavailable:
            assert broken

    with ThreadPoolExecutor(8) as pool:
        assert len(list(pool.map(ask, range(10_000)))) == 10_000
    assert honest.loopback.count("/jwks") == 2
    stopwatch.seconds += 59
    ask(0)
    assert honest.loopback.count("/jwks") == 2
    stopwatch.seconds += 1
    ask(0)
    assert honest.loopback.count("/jwks") == 3


def test_keys_are_not_used_for_more_than_an_hour(
    honest: HonestProvider, provider: IdentityProvider, stopwatch: Stopwatch
) -> None:
    assert signs_in(provider)
    honest.loopback.answers["/jwks"] = as_json({}, status=500)
    stopwatch.seconds += 3599

    assert signs_in(provider)
    stopwatch.seconds += 1
    with pytest.raises(ProviderUnavailable):
        redeem(provider)


ES256, RS256, EDDSA = (public(signing_key(name)) for name in ("ES256", "RS256", "EdDSA"))


def short_rsa_key() -> dict[str, object]:
    # A modulus of 1,024 bits, whatever its factors: the library would warn about making one.
    return {"kty": "RSA", "n": "w" * 170 + "0", "e": "AQAB"}


UNUSABLE: dict[str, object] = {
    "symmetric": {"kty": "oct", "k": "c2VjcmV0"},
    "encryption": {**ES256, "use": "enc"},
    "other operations": {**ES256, "key_ops": ["sign"]},
    "operations no list": {**ES256, "key_ops": "verify"},
    "other algorithm": {**ES256, "alg": "ES512"},
    "algorithm no text": {**ES256, "alg": ["ES256"]},
    "hmac by its alg": {**RS256, "alg": "HS256"},
    "other curve": {**ES256, "crv": "secp256k1"},
    "not on the curve": {**ES256, "x": ES256["y"]},
    "Ed448": {**EDDSA, "crv": "Ed448"},
    "Ed25519 too short": {**EDDSA, "x": "AAAA"},
    "RSA of 1024 bits": short_rsa_key(),
    "RSA of 9000 bits": {"kty": "RSA", "n": "w" * 1500, "e": "AQAB"},
    "RSA with exponent 1": {**RS256, "e": "AQ"},
    "RSA with a padded modulus": {**RS256, "n": f"{RS256['n']}="},
    "kid no text": {**ES256, "kid": 1},
    "no type": {"x": "AA"},
    "no object": "key",
}


@pytest.mark.parametrize("member", UNUSABLE.values(), ids=UNUSABLE)
def test_key_that_cannot_verify_is_passed_over(member: object) -> None:
    """RFC 7517, section 5."""
    assert read_keys({"keys": [member]}) == ()
    found = read_keys({"keys": [member, {**ES256, "use": "sig", "key_ops": ["verify"]}]})
    assert [key.algorithms for key in found] == [{"ES256"}]


def test_key_serves_its_own_algorithm_alone() -> None:
    both, one = read_keys({"keys": [RS256, {**RS256, "alg": "PS256"}]})

    assert (both.algorithms, one.algorithms) == (
        frozenset({"RS256", "PS256"}),
        frozenset({"PS256"}),
    )


def test_key_for_another_algorithm_is_not_used(
    honest: HonestProvider, provider: IdentityProvider
) -> None:
    """OC-5, CVE-2024-37568: not even where its kind would fit."""
    honest.keys = [{**RS256, "kid": "one", "alg": "PS256"}]
    honest.issue(sign(honest.claims(), key=signing_key("RS256"), algorithm="RS256"))

    with pytest.raises(IdentityRejected):
        redeem(provider)
    honest.issue(sign(honest.claims(), key=signing_key("RS256"), algorithm="PS256"))
    assert signs_in(provider)


def test_private_parts_of_a_key_are_left_behind() -> None:
    key = RSAKey.generate_key(2048)

    (found,) = read_keys({"keys": [key.as_dict(private=True)]})

    assert not found.key.is_private


@pytest.mark.parametrize(
    "document",
    [{}, {"keys": {}}, {"keys": [ES256] * 101}],
    ids=["no keys", "keys no list", "too many keys"],
)
def test_set_that_is_none_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(ProviderUnavailable):
        read_keys(document)
    assert len(read_keys({"keys": [ES256] * 100})) == 100
