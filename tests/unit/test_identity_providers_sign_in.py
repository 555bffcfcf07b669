"""Requests to the person's browser and answers from it, UserInfo, and the check for operators."""

import base64
import hashlib
import json
import subprocess
import sys
from urllib.parse import parse_qsl, urlsplit

import pytest

from app.errors import IdentityRejected, ProviderUnavailable
from app.identity_providers import IdentityProvider, IdentityProviders
from tests.support.providers_on_loopback import (
    ACCESS_TOKEN,
    CLIENT_ID,
    REDIRECT_URI,
    VERIFIER,
    Answer,
    HonestProvider,
    as_json,
    provider_settings,
    public,
    redeem,
    sign,
    signing_key,
    signs_in,
)
from tests.support.servers import ROOT


@pytest.fixture
def provider(honest: HonestProvider) -> IdentityProvider:
    return IdentityProvider(provider_settings(honest.issuer))


def parameters(provider: IdentityProvider, *, reauthenticates: bool = False) -> dict[str, str]:
    url = provider.authorization_url(
        state="the state",
        nonce="the nonce",
        code_verifier=VERIFIER,
        redirect_uri=REDIRECT_URI,
        reauthenticates=reauthenticates,
    )
    pairs = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def test_authorization_request_says_what_it_must(provider: IdentityProvider) -> None:
    """OA-3, OA-5, OA-6."""
    challenge = hashlib.sha256(VERIFIER.encode()).digest()
    asked = {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": REDIRECT_URI,
        "scope": "openid profile email",
        "state": "the state",
        "nonce": "the nonce",
        "code_challenge": base64.urlsafe_b64encode(challenge).decode().rstrip("="),
        "code_challenge_method": "S256",
    }

    assert parameters(provider) == asked
    again = {"max_age": "0", "prompt": "login"}
    assert parameters(provider, reauthenticates=True) == asked | again


def test_query_of_the_endpoint_is_kept(honest: HonestProvider, provider: IdentityProvider) -> None:
    endpoint = f"{honest.issuer}/authorize?tenant=a%26b&empty=&response_type=token"
    honest.metadata["authorization_endpoint"] = endpoint
    honest.publish()

    found = parameters(provider)

    assert (found["tenant"], found["empty"], found["response_type"]) == ("a&b", "", "code")


def test_issuer_of_a_response_must_be_this_one(
    honest: HonestProvider, provider: IdentityProvider
) -> None:
    """OA-4."""
    provider.require_issuer(honest.issuer)
    provider.require_issuer(None)
    for other in ("https://evil.example", f"{honest.issuer}/", honest.issuer.upper(), ""):
        with pytest.raises(IdentityRejected):
            provider.require_issuer(other)


def test_issuer_that_was_promised_must_not_be_missing(
    honest: HonestProvider, provider: IdentityProvider
) -> None:
    """OA-4 (RFC 9207, section 2.4)."""
    honest.metadata["authorization_response_iss_parameter_supported"] = True
    honest.publish()

    with pytest.raises(IdentityRejected):
        provider.require_issuer(None)
    provider.require_issuer(honest.issuer)


def test_userinfo_fills_in_what_the_token_lacks(
    honest: HonestProvider, provider: IdentityProvider
) -> None:
    """OC-13 (scope-userinfo-claims); not asked where the token has it all."""
    assert signs_in(provider)
    assert honest.loopback.count("/userinfo") == 0
    honest.userinfo = {"sub": "subject", "email": "kim@example.net", "email_verified": True}
    honest.issue(sign(honest.claims(email=..., email_verified=...)))

    identity = redeem(provider).identity

    assert (identity.email, identity.email_verified) == ("kim@example.net", True)
    assert identity.name == "Kim"
    assert honest.loopback.requests[-1].headers["authorization"] == f"Bearer {ACCESS_TOKEN}"


@pytest.mark.parametrize(
    "subject", ["another", "Subject", "subject ", ["subject"], None, ...], ids=str
)
def test_userinfo_about_somebody_else_is_refused(
    honest: HonestProvider, provider: IdentityProvider, subject: object
) -> None:
    """OC-10, OC-13 (userinfo-invalid-sub)."""
    honest.userinfo = {} if subject is ... else {"sub": subject}
    honest.issue(sign(honest.claims(name=...)))

    with pytest.raises(IdentityRejected):
        redeem(provider)
    honest.userinfo = {"sub": "subject"}
    honest.publish()
    assert signs_in(provider)


@pytest.mark.parametrize("kind", ["application/jwt", "text/html", ""])
def test_userinfo_of_another_type_is_refused(
    honest: HonestProvider, provider: IdentityProvider, kind: str
) -> None:
    honest.issue(sign(honest.claims(name=...)))
    body = json.dumps(honest.userinfo).encode()
    honest.loopback.answers["/userinfo"] = Answer(body=body, headers={"Content-Type": kind})

    with pytest.raises(ProviderUnavailable):
        redeem(provider)
    honest.publish()
    assert signs_in(provider)


@pytest.mark.parametrize("word", ["true", 1, "yes", None, False, [True], ...], ids=str)
def test_address_is_verified_by_the_boolean_alone(
    honest: HonestProvider, provider: IdentityProvider, word: object
) -> None:
    """OC-12."""
    honest.issue(sign(honest.claims(email_verified=word)))

    identity = redeem(provider).identity

    assert (identity.email, identity.email_verified) == ("kim@example.org", False)


def test_word_for_an_address_comes_with_the_address(
    honest: HonestProvider, provider: IdentityProvider
) -> None:
    """OC-12: UserInfo's word is about UserInfo's address."""
    honest.userinfo = {"sub": "subject", "email": "kim@example.net", "email_verified": True}
    honest.issue(sign(honest.claims(email_verified=..., name=...)))

    identity = redeem(provider).identity

    assert (identity.email, identity.email_verified) == ("kim@example.org", False)


def test_word_of_a_provider_whose_tenants_write_addresses_is_not_taken(
    honest: HonestProvider,
) -> None:
    provider = IdentityProvider(provider_settings(honest.issuer, trusts_email=False))

    assert not redeem(provider).identity.email_verified


@pytest.mark.parametrize(
    "told", [17, "", "a" * 321, "a\0@example.org", "\ud800", ["kim@example.org"], None], ids=ascii
)
def test_address_that_is_no_text_is_none(
    honest: HonestProvider, provider: IdentityProvider, told: object
) -> None:
    honest.issue(sign(honest.claims(email=told, name=told)))

    identity = redeem(provider).identity

    assert (identity.email, identity.email_verified, identity.subject) == (None, False, "subject")


def sentences(provider: IdentityProvider) -> dict[bool, str]:
    found = list(provider.check())
    return {
        works: " ".join(each.sentence for each in found if each.works is works)
        for works in (True, False)
    }


def test_check_of_a_good_provider_finds_no_fault(
    honest: HonestProvider, provider: IdentityProvider
) -> None:
    honest.metadata |= {
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
    }
    honest.keys.append(public(signing_key("EdDSA"), kid="two"))
    honest.publish()
    honest.loopback.answers["/token"] = as_json({"error": "invalid_grant"}, status=400)

    found = sentences(provider)

    assert found[False] == ""
    assert f"is that of {honest.issuer}" in found[True]
    assert "takes PKCE with S256" in found[True]
    assert "It names itself" in found[True]
    assert "2 of its keys can be used, for these algorithms: ES256 (1), EdDSA (1)" in found[True]
    assert "takes the client's credentials" in found[True]


def test_check_names_each_fault(honest: HonestProvider, provider: IdentityProvider) -> None:
    honest.metadata["code_challenge_methods_supported"] = ["plain"]
    honest.keys = []
    honest.publish()
    honest.loopback.answers["/token"] = as_json({"error": "invalid_client"}, status=401)

    found = sentences(provider)

    assert "does not take PKCE with S256" in found[False]
    assert "None of its keys can be used" in found[False]
    assert "refuses the client's credentials (invalid_client)" in found[False]


def test_check_says_which_variable_would_help(honest: HonestProvider) -> None:
    provider = IdentityProvider(provider_settings(honest.issuer, allow_loopback=False))

    assert "OAUTH_EXAMPLE_ALLOW_PRIVATE" in sentences(provider)[False]
    wrong = IdentityProvider(provider_settings(f"{honest.issuer}/"))
    assert "not that of" in sentences(wrong)[False]


def test_providers_stand_in_the_order_of_their_settings() -> None:
    names = ("zebra", "ape")
    settings = tuple(provider_settings("https://idp.example.org", name=name) for name in names)

    providers = IdentityProviders(settings)

    assert tuple(providers) == names
    assert providers["ape"].settings is settings[1]
    assert "github" not in providers


def test_libraries_are_loaded_when_a_provider_is_first_spoken_to() -> None:
    """docs/performance.md: a service without providers starts without them."""
    program = (
        "import sys; from app.identity_providers import IdentityProviders; IdentityProviders(());"
        "first = set(sys.modules); import app.identity_providers.loading;"
        "print(*({'authlib', 'joserfc', 'requests', 'urllib3'} & first), '|', *sys.modules)"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    first, _, later = done.stdout.partition("|")

    assert first.split() == []
    assert {"authlib", "joserfc", "requests", "urllib3"} <= set(later.split())
