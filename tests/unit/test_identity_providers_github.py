"""GitHub, with its quirks: errors with status 200, forms for JSON, addresses in another place."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from app.config.oauth import ProviderKind
from app.errors import GrantInvalid, IdentityRejected, ProviderUnavailable
from app.identity_providers import IdentityProvider
from tests.support.providers_on_loopback import (
    CLIENT_SECRET,
    Answer,
    Loopback,
    as_json,
    listening,
    provider_settings,
    redeem,
    signs_in,
)

FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
TOKENS = {"access_token": "gho_made_up", "token_type": "bearer", "scope": "read:user,user:email"}
USER = {"id": 583231, "login": "octocat", "name": "The Octocat", "email": "public@example.org"}
PROVED = {"email": "octocat@example.org", "primary": True, "verified": True}


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    with listening(Loopback()) as loopback:
        loopback.answers = {
            "/token": as_json(TOKENS),
            "/user": as_json(USER),
            "/user/emails": as_json(
                [{**PROVED, "email": "b@example.org", "primary": False}, PROVED]
            ),
        }
        yield loopback


@pytest.fixture
def github(loopback: Loopback) -> IdentityProvider:
    url = loopback.url
    return IdentityProvider(
        provider_settings(
            "https://github.com",
            kind=ProviderKind.GITHUB,
            scopes=("read:user", "user:email"),
            authorization_endpoint=f"{url}/authorize",
            token_endpoint=f"{url}/token",
            userinfo_endpoint=f"{url}/user",
            emails_endpoint=f"{url}/user/emails",
        )
    )


def test_address_is_proved_only_where_the_word_is_taken(github: IdentityProvider) -> None:
    doubted = IdentityProvider(replace(github.settings, trusts_email=False))

    assert not redeem(doubted, nonce=None).identity.email_verified
    assert redeem(github, nonce=None).identity.email_verified


def test_identity_is_the_number_with_the_proved_address(
    github: IdentityProvider, loopback: Loopback
) -> None:
    identity = redeem(github, nonce=None).identity

    assert (identity.issuer, identity.subject) == ("https://github.com", "583231")
    assert (identity.email, identity.email_verified) == ("octocat@example.org", True)
    assert (identity.name, identity.username) == ("The Octocat", "octocat")
    assert loopback.requests[0].form["client_secret"] == CLIENT_SECRET
    assert loopback.requests[0].form["code_verifier"] == "v" * 43
    assert loopback.requests[0].headers["accept"] == "application/json"
    assert loopback.requests[1].headers["authorization"] == "Bearer gho_made_up"
    assert loopback.requests[1].headers["user-agent"]


def test_token_in_a_form_is_read(github: IdentityProvider, loopback: Loopback) -> None:
    body = b"access_token=gho_made_up&scope=read%3Auser%2Cuser%3Aemail&token_type=bearer"
    loopback.answers["/token"] = Answer(body=body, headers=FORM)

    assert redeem(github, nonce=None).tokens.access_token == "gho_made_up"  # noqa: S105
    doubled = body + b"&access_token=another"
    loopback.answers["/token"] = Answer(body=doubled, headers=FORM)
    with pytest.raises(ProviderUnavailable):
        redeem(github, nonce=None)


@pytest.mark.parametrize(
    ("error", "refusal"),
    [
        ("bad_verification_code", GrantInvalid),
        ("incorrect_client_credentials", ProviderUnavailable),
        ("redirect_uri_mismatch", ProviderUnavailable),
    ],
)
def test_error_with_status_200_is_an_error(
    github: IdentityProvider, loopback: Loopback, error: str, refusal: type[Exception]
) -> None:
    for answer in (
        as_json({"error": error, "error_description": "Sorry."}),
        Answer(body=f"error={error}&error_description=Sorry.".encode(), headers=FORM),
    ):
        loopback.answers["/token"] = answer
        with pytest.raises(refusal):
            redeem(github, nonce=None)
    loopback.answers["/token"] = as_json(TOKENS)
    assert signs_in(github, nonce=None)


@pytest.mark.parametrize("number", [True, "583231", 0, -1, 1.5, None, 2**63, [583231]], ids=str)
def test_user_without_a_number_is_refused(
    github: IdentityProvider, loopback: Loopback, number: object
) -> None:
    """OC-11."""
    loopback.answers["/user"] = as_json({**USER, "id": number})

    with pytest.raises(IdentityRejected):
        redeem(github, nonce=None)
    loopback.answers["/user"] = as_json(USER)
    assert signs_in(github, nonce=None)


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [{**PROVED, "verified": False}],
        [{**PROVED, "verified": "true"}],
        [{**PROVED, "verified": 1}],
        [{**PROVED, "primary": False}],
        [{**PROVED, "email": ["octocat@example.org"]}],
        [{**PROVED, "email": "a" * 309 + "@example.org"}],
        ["octocat@example.org"],
    ],
    ids=str,
)
def test_address_that_is_not_primary_and_verified_is_none(
    github: IdentityProvider, loopback: Loopback, entries: object
) -> None:
    """OC-12; the public address is never taken."""
    loopback.answers["/user/emails"] = as_json(entries)

    identity = redeem(github, nonce=None).identity

    assert (identity.email, identity.email_verified) == (None, False)


@pytest.mark.parametrize("status", [403, 404])
def test_addresses_that_were_not_agreed_to_are_none(
    github: IdentityProvider, loopback: Loopback, status: int
) -> None:
    loopback.answers["/user/emails"] = as_json({"message": "Not Found"}, status=status)

    assert redeem(github, nonce=None).identity.email is None


@pytest.mark.parametrize("path", ["/user", "/user/emails"])
@pytest.mark.parametrize(
    "answer",
    [as_json({}, status=401), as_json({}, status=500), as_json("no"), Answer(body=b"<html>")],
    ids=["401", "500", "text", "html"],
)
def test_answer_that_cannot_be_read_is_a_failure(
    github: IdentityProvider, loopback: Loopback, path: str, answer: Answer
) -> None:
    loopback.answers[path] = answer

    with pytest.raises(ProviderUnavailable):
        redeem(github, nonce=None)


def test_issuer_is_that_of_its_authorization_server(github: IdentityProvider) -> None:
    """OA-4: GitHub names itself so since April 2026, and left it out before."""
    github.require_issuer(None)
    github.require_issuer("https://github.com/login/oauth")
    for other in ("https://github.com/login", "https://evil.example", ""):
        with pytest.raises(IdentityRejected):
            github.require_issuer(other)


@pytest.mark.parametrize(
    ("error", "works"), [("bad_verification_code", True), ("incorrect_client_credentials", False)]
)
def test_check_tries_the_credentials(
    github: IdentityProvider, loopback: Loopback, error: str, *, works: bool
) -> None:
    loopback.answers["/token"] = as_json({"error": error})

    assert [finding.works for finding in github.check()] == [works]
