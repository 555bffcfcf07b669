"""Metadata: whose it is, what it may say, and how long it serves."""

from dataclasses import replace

import pytest

from app.errors import ProviderUnavailable
from app.identity_providers import IdentityProvider
from app.identity_providers.metadata import is_endpoint, read_metadata
from tests.support.providers_on_loopback import (
    Answer,
    HonestProvider,
    Stopwatch,
    provider_settings,
    signs_in,
)

METADATA = "/.well-known/openid-configuration"


@pytest.fixture
def provider(honest: HonestProvider, stopwatch: Stopwatch) -> IdentityProvider:
    return IdentityProvider(provider_settings(honest.issuer), monotonic=stopwatch)


def url(provider: IdentityProvider) -> str:
    return provider.authorization_url(
        state="state", nonce="nonce", code_verifier="v" * 43, redirect_uri="https://us.example/cb"
    )


@pytest.mark.parametrize(
    "issuer", ["https://evil.example", "ISSUER/", ["ISSUER"], None, ...], ids=str
)
def test_metadata_of_another_issuer_is_refused(
    honest: HonestProvider, provider: IdentityProvider, issuer: object
) -> None:
    """CVE-2026-104056, OC-13 (invalid-iss)."""
    own = honest.issuer
    told = {"ISSUER/": f"{own}/"}.get(issuer) if isinstance(issuer, str) else issuer
    honest.metadata["issuer"] = [own] if isinstance(issuer, list) else told or issuer
    if issuer is ...:
        del honest.metadata["issuer"]
    honest.publish()

    with pytest.raises(ProviderUnavailable) as caught:
        url(provider)
    assert "not that of" in str(caught.value.reason)
    honest.metadata["issuer"] = own
    honest.publish()
    assert url(provider).startswith(f"{own}/authorize?")


def test_slash_at_the_issuers_end_is_not_doubled(honest: HonestProvider) -> None:
    """OpenID Connect Discovery 1.0, section 4.1; the issuer itself keeps it."""
    honest.metadata["issuer"] = f"{honest.issuer}/realm/"
    honest.publish()
    honest.loopback.answers[f"/realm{METADATA}"] = honest.loopback.answers[METADATA]

    assert url(IdentityProvider(provider_settings(f"{honest.issuer}/realm/")))
    assert [request.path for request in honest.loopback.requests] == [f"/realm{METADATA}"]


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"",
        b"[]",
        b"null",
        b'{"issuer": NaN}',
        b'{"issuer": "a", "issuer": "b"}',
        b"\xff",
        b"[" * 100_000,
        '{"a": 1}'.encode("utf-16"),
    ],
    ids=lambda body: repr(body[:30]),
)
def test_metadata_that_is_not_one_json_object_is_refused(
    honest: HonestProvider, provider: IdentityProvider, body: bytes
) -> None:
    honest.loopback.answers[METADATA] = Answer(body=body)

    with pytest.raises(ProviderUnavailable):
        url(provider)
    honest.publish()
    assert url(provider)


@pytest.mark.parametrize(
    "told",
    [
        "http://accounts.example.org/token",
        "https://user@accounts.example.org/token",
        "https://accounts.example.org/token#fragment",
        "https:///token",
        "/token",
        "javascript:alert(1)",
        "https://accounts.example.org:port/token",
        "https://accounts.example.org\\@evil.example/token",
        "https://accounts.example.org\\.evil.example/token",
        "https://accounts.example.org/to ken",
        "https://[::1/token",
        17,
        [],
    ],
)
@pytest.mark.parametrize("name", ["token_endpoint", "userinfo_endpoint"])
def test_endpoint_that_is_no_plain_https_url_is_refused(
    honest: HonestProvider, provider: IdentityProvider, name: str, told: object
) -> None:
    own = honest.metadata[name]
    honest.metadata[name] = told
    honest.publish()

    with pytest.raises(ProviderUnavailable) as caught:
        url(provider)
    assert name in str(caught.value.reason)
    honest.metadata[name] = own
    honest.publish()
    assert url(provider)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("169.254.169.254", "169.254.169.254"),
        ("10.0.0.7:8443", "10.0.0.7"),
        ("[::ffff:10.0.0.7]", "::ffff:a00:7"),
        ("[fe80::1]", "fe80::1"),
        ("0xa9.0376.43518", "169.254.169.254"),
        ("2852039166", "169.254.169.254"),
    ],
)
@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
def test_endpoint_at_an_address_out_of_reach_is_refused_at_once(
    honest: HonestProvider, provider: IdentityProvider, name: str, host: str, address: str
) -> None:
    """A16: so that the metadata is not kept for an hour."""
    own = honest.metadata[name]
    honest.metadata[name] = f"https://{host}/latest"
    honest.publish()

    with pytest.raises(ProviderUnavailable) as caught:
        url(provider)
    assert f"{name} at {address}, which is not a public address" in str(caught.value.reason)
    honest.metadata[name] = own
    honest.publish()
    assert url(provider)


@pytest.mark.parametrize("host", ["8.8.8.8", "[2606:4700:4700::1111]", "1.example", "0x.example"])
def test_endpoint_at_a_public_address_is_taken(
    honest: HonestProvider, provider: IdentityProvider, host: str
) -> None:
    honest.metadata["authorization_endpoint"] = f"https://{host}/go"
    honest.publish()

    assert url(provider).startswith(f"https://{host}/go?")


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost", "127.1", "10.0.0.7"])
def test_endpoint_stands_where_its_provider_may(host: str) -> None:
    public = provider_settings("https://accounts.example.org", allow_loopback=False)
    endpoint = f"https://{host}/here"
    told: dict[str, object] = {"issuer": public.issuer, "authorization_endpoint": endpoint}
    told |= dict.fromkeys(("token_endpoint", "jwks_uri"), "https://accounts.example.org/there")

    with pytest.raises(ProviderUnavailable):
        read_metadata(told, public)
    private = replace(public, allow_private=True)
    assert read_metadata(told, private).authorization_endpoint == endpoint


def test_plain_http_is_for_this_machine_where_that_is_allowed() -> None:
    assert is_endpoint("https://accounts.example.org/a?b=c", plain=False)
    assert is_endpoint("http://localhost:5000/a", plain=True)
    assert is_endpoint("http://[::1]:5000/a", plain=True)
    assert not is_endpoint("http://localhost:5000/a", plain=False)
    assert not is_endpoint("http://localhost.example.org/a", plain=True)


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
def test_missing_endpoint_is_named_unless_it_is_configured(
    honest: HonestProvider, provider: IdentityProvider, name: str
) -> None:
    own = honest.metadata.pop(name)
    honest.publish()

    with pytest.raises(ProviderUnavailable) as caught:
        url(provider)
    assert name in str(caught.value.reason)
    assert signs_in(IdentityProvider(provider_settings(honest.issuer, **{name: own})))


def test_configured_endpoint_wins(honest: HonestProvider) -> None:
    settings = provider_settings(
        honest.issuer, authorization_endpoint="https://elsewhere.example.org/go"
    )

    assert url(IdentityProvider(settings)).startswith("https://elsewhere.example.org/go?")


def test_metadata_is_not_fetched_where_all_is_configured(honest: HonestProvider) -> None:
    names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    endpoints = {name: honest.metadata[name] for name in names}

    assert signs_in(IdentityProvider(provider_settings(honest.issuer, **endpoints)))
    assert honest.loopback.count(METADATA) == 0


def test_metadata_is_kept_for_an_hour(
    honest: HonestProvider, provider: IdentityProvider, stopwatch: Stopwatch
) -> None:
    url(provider)
    honest.metadata["authorization_endpoint"] = "https://moved.example.org/go"
    honest.publish()
    stopwatch.seconds += 3599
    assert url(provider).startswith(honest.issuer)
    assert honest.loopback.count(METADATA) == 1

    stopwatch.seconds += 1
    assert url(provider).startswith("https://moved.example.org/go?")
    assert honest.loopback.count(METADATA) == 2


def test_metadata_that_cannot_be_refreshed_serves_for_a_day(
    honest: HonestProvider, provider: IdentityProvider, stopwatch: Stopwatch
) -> None:
    url(provider)
    honest.metadata["issuer"] = "https://evil.example"
    honest.publish()
    stopwatch.seconds += 3600

    assert all(url(provider).startswith(honest.issuer) for _ in range(50))
    assert honest.loopback.count(METADATA) == 2
    stopwatch.seconds += 60
    assert url(provider)
    assert honest.loopback.count(METADATA) == 3

    stopwatch.seconds += 23 * 3600
    with pytest.raises(ProviderUnavailable):
        url(provider)
