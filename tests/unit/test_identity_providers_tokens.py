"""The token endpoint: how codes and refresh tokens are presented, and what is taken for them."""

import base64
import time
from datetime import timedelta
from urllib.parse import unquote_plus

import pytest

from app import clock
from app.errors import GrantInvalid, ProviderUnavailable
from app.identity_providers import IdentityProvider, Limits
from tests.support.providers_on_loopback import (
    ACCESS_TOKEN,
    CLIENT_ID,
    CLIENT_SECRET,
    CODE,
    REDIRECT_URI,
    VERIFIER,
    Answer,
    HonestProvider,
    Request,
    Write,
    as_json,
    provider_settings,
    redeem,
    signs_in,
)

OLD, NEW = "old", "new"
"""Refresh tokens."""


@pytest.fixture
def provider(honest: HonestProvider) -> IdentityProvider:
    return IdentityProvider(provider_settings(honest.issuer))


def token_request(honest: HonestProvider) -> Request:
    return next(each for each in honest.loopback.requests if each.path == "/token")


def test_code_is_presented_with_its_verifier(
    honest: HonestProvider, provider: IdentityProvider
) -> None:
    """OA-3, OC-13 (client-secret-basic)."""
    tokens = redeem(provider).tokens

    request = token_request(honest)
    assert request.form == {
        "grant_type": "authorization_code",
        "code": CODE,
        "code_verifier": VERIFIER,
        "redirect_uri": REDIRECT_URI,
    }
    assert request.headers["accept"] == "application/json"
    assert (tokens.access_token, tokens.refresh_token) == (ACCESS_TOKEN, "refresh-token")


@pytest.mark.parametrize("secret", ["plain", "a:b", "100%", "a b+c", "é€", "%41", "&=?/"])
def test_basic_credentials_are_form_encoded(honest: HonestProvider, secret: str) -> None:
    """RFC 6749, section 2.3.1."""
    settings = provider_settings(honest.issuer, client_id="us:there", client_secret=secret)
    honest.loopback.answers["/token"] = as_json({"error": "invalid_grant"})
    with pytest.raises(GrantInvalid):
        redeem(IdentityProvider(settings))

    scheme, _, value = token_request(honest).headers["authorization"].partition(" ")
    name, _, password = base64.b64decode(value).decode("ascii").partition(":")
    assert (scheme, unquote_plus(name), unquote_plus(password)) == ("Basic", "us:there", secret)
    assert "client_secret" not in token_request(honest).form


@pytest.mark.parametrize(
    ("methods", "posts"),
    [
        (["client_secret_post"], True),
        (["client_secret_post", "client_secret_basic"], False),
        (["private_key_jwt"], False),
        ("client_secret_post", False),
        (None, False),
    ],
    ids=str,
)
def test_credentials_are_posted_where_nothing_else_is_taken(
    honest: HonestProvider, provider: IdentityProvider, methods: object, *, posts: bool
) -> None:
    honest.metadata["token_endpoint_auth_methods_supported"] = methods
    honest.publish()

    assert signs_in(provider)
    request = token_request(honest)
    assert (request.form.get("client_secret") == CLIENT_SECRET) is posts
    assert (request.form.get("client_id") == CLIENT_ID) is posts
    assert ("authorization" in request.headers) is not posts


@pytest.mark.parametrize("status", [200, 400, 401])
@pytest.mark.parametrize(
    ("error", "refusal"),
    [
        ("invalid_grant", GrantInvalid),
        ("bad_verification_code", GrantInvalid),
        ("bad_refresh_token", GrantInvalid),
        ("invalid_client", ProviderUnavailable),
        ("invalid_request", ProviderUnavailable),
        ("", ProviderUnavailable),
    ],
)
def test_error_says_whether_the_grant_is_at_fault(
    honest: HonestProvider,
    provider: IdentityProvider,
    error: str,
    refusal: type[Exception],
    status: int,
) -> None:
    """OA-8."""
    honest.loopback.answers["/token"] = as_json({"error": error, **honest.answer}, status=status)

    with pytest.raises(refusal):
        redeem(provider)
    with pytest.raises(refusal):
        provider.refresh(refresh_token="refresh-token")  # noqa: S106 - a made-up one
    honest.publish()
    assert signs_in(provider)


@pytest.mark.parametrize(
    "changes",
    [
        {"token_type": "mac"},
        {"token_type": None},
        {"token_type": ["bearer"]},
        {"access_token": None},
        {"access_token": ""},
        {"access_token": 17},
        {"access_token": "a\r\nX-Injected: b"},
        {"access_token": "é"},
        {"access_token": "a" * 16385},
        {"refresh_token": 17},
        {"refresh_token": "a b"},
        {"refresh_token": "a" * 16385},
        {"error": 17},
    ],
    ids=lambda changes: str(changes)[:40],
)
def test_tokens_that_cannot_be_used_are_refused(
    honest: HonestProvider, provider: IdentityProvider, changes: dict[str, object]
) -> None:
    honest.loopback.answers["/token"] = as_json({**honest.answer, **changes})

    with pytest.raises(ProviderUnavailable):
        redeem(provider)
    honest.publish()
    assert signs_in(provider)


@pytest.mark.parametrize("status", [201, 204, 400, 403, 500, 503])
def test_tokens_with_another_status_than_success_are_refused(
    honest: HonestProvider, provider: IdentityProvider, status: int
) -> None:
    honest.loopback.answers["/token"] = as_json(honest.answer, status=status)

    if status == 201:
        assert signs_in(provider)
        return
    with pytest.raises(ProviderUnavailable):
        redeem(provider)


@pytest.mark.parametrize(
    ("expires_in", "seconds"),
    [
        (3600, 3600),
        ("3600", 3600),
        (10**12, 3650 * 86400),
        (0, None),
        (-5, None),
        (True, None),
        ("soon", None),
        (None, None),
        ([], None),
        (1.5, None),
    ],
    ids=repr,
)
def test_lifetime_is_read_where_it_can_be(
    honest: HonestProvider, provider: IdentityProvider, expires_in: object, seconds: int | None
) -> None:
    honest.answer |= {"expires_in": expires_in, "expires_at": "soon", "token_type": "bEARER"}
    honest.publish()
    before = clock.now()

    expires_at = redeem(provider).tokens.expires_at

    if seconds is None:
        assert expires_at is None
    else:
        assert expires_at is not None
        assert (
            timedelta() <= expires_at - before - timedelta(seconds=seconds) < timedelta(minutes=1)
        )


def test_refresh_tells_only_what_it_was_given(
    honest: HonestProvider, provider: IdentityProvider
) -> None:
    del honest.answer["refresh_token"], honest.answer["id_token"]
    honest.publish()

    tokens = provider.refresh(refresh_token=OLD)

    assert (tokens.access_token, tokens.refresh_token) == (ACCESS_TOKEN, None)
    assert token_request(honest).form == {"grant_type": "refresh_token", "refresh_token": OLD}
    honest.answer["refresh_token"] = NEW
    honest.publish()
    assert provider.refresh(refresh_token=OLD).refresh_token == NEW


def test_token_is_revoked_where_there_is_an_endpoint(
    honest: HonestProvider, provider: IdentityProvider
) -> None:
    """RFC 7009."""
    assert not provider.revoke(token="t")  # noqa: S106 - a made-up one
    endpoint = f"{honest.issuer}/revoke"
    able = IdentityProvider(provider_settings(honest.issuer, revocation_endpoint=endpoint))

    with pytest.raises(ProviderUnavailable):
        able.revoke(token="t")  # noqa: S106 - a made-up one
    honest.loopback.answers["/revoke"] = Answer(body=b"")
    assert able.revoke(token="t")  # noqa: S106 - a made-up one
    request = honest.loopback.requests[-1]
    assert request.form == {"token": "t"}
    assert request.headers["authorization"].startswith("Basic ")


def test_tokens_that_are_revoked_together_share_their_time(honest: HonestProvider) -> None:
    """A16: ten seconds for both, not for each; here 0.5."""

    def answer_late(write: Write) -> None:
        time.sleep(0.3)
        write(b"HTTP/1.0 200 OK\r\n\r\n")

    honest.loopback.answers["/revoke"] = answer_late
    settings = provider_settings(honest.issuer, revocation_endpoint=f"{honest.issuer}/revoke")
    provider = IdentityProvider(settings, limits=Limits(operation_seconds=0.5))
    provider.require_issuer(None)
    budget = provider.new_budget()

    assert provider.revoke(token=OLD, budget=budget)
    with pytest.raises(ProviderUnavailable):
        provider.revoke(token=NEW, budget=budget)
    assert budget.left == 0
    assert provider.revoke(token=NEW)


def test_code_that_cannot_be_sent_is_refused(provider: IdentityProvider) -> None:
    with pytest.raises(ProviderUnavailable):
        provider.redeem(code="\ud800", nonce="n", code_verifier=VERIFIER, redirect_uri=REDIRECT_URI)
    assert signs_in(provider)
