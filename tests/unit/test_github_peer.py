"""The GitHub-like provider departs from the standards where the real one does."""

from collections.abc import Iterator
from hashlib import sha256
from urllib.parse import parse_qsl, urlencode

import pytest
import requests

from tests.support.github_peer import (
    GitHubAccount,
    GitHubEmail,
    GitHubPeer,
    github_peer,
    settings_for_github,
)
from tests.support.jws import encode
from tests.support.loopback_http import as_json
from tests.support.provider_visits import parameters_of, sent_back

CALLBACK = "https://service.example/api/oauth/github/callback"
VERIFIER = "v" * 43


@pytest.fixture
def peer() -> Iterator[GitHubPeer]:
    with github_peer() as started:
        yield started


def authorize(peer: GitHubPeer, scope: str = "read:user user:email") -> dict[str, str]:
    parameters = {
        "client_id": peer.client.id,
        "redirect_uri": CALLBACK,
        "scope": scope,
        "state": "a-state",
        "code_challenge": encode(sha256(VERIFIER.encode()).digest()),
        "code_challenge_method": "S256",
    }
    return parameters_of(sent_back(f"{peer.origin}/login/oauth/authorize?{urlencode(parameters)}"))


def redeem(peer: GitHubPeer, code: str, accept: str = "*/*", **instead: str) -> requests.Response:
    form = {
        "client_id": peer.client.id,
        "client_secret": peer.client.secret,
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
        **instead,
    }
    url = f"{peer.origin}/login/oauth/access_token"
    return requests.post(url, form, headers={"Accept": accept}, timeout=5)


def get(peer: GitHubPeer, path: str, token: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(f"{peer.origin}{path}", headers=headers, timeout=5)


def test_answers_are_form_encoded_unless_json_is_asked_for(peer: GitHubPeer) -> None:
    form = dict(parse_qsl(redeem(peer, authorize(peer)["code"]).text))
    told = redeem(peer, authorize(peer)["code"], "application/json").json()
    peer.always_form_encoded = True
    stubborn = dict(parse_qsl(redeem(peer, authorize(peer)["code"], "application/json").text))

    assert form.keys() == told.keys() == stubborn.keys() == {"access_token", "scope", "token_type"}
    assert form["scope"] == told["scope"] == "read:user,user:email"


@pytest.mark.parametrize(
    ("instead", "error"),
    [
        ({"client_secret": "wrong"}, "incorrect_client_credentials"),
        ({"code": "unknown"}, "bad_verification_code"),
        ({"code_verifier": "w" * 43}, "bad_verification_code"),
        ({"redirect_uri": "https://elsewhere.example/"}, "redirect_uri_mismatch"),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value)),
)
def test_refusals_come_with_status_200(
    peer: GitHubPeer, instead: dict[str, str], error: str
) -> None:
    given = {"code": authorize(peer)["code"], "accept": "application/json", **instead}
    refused = redeem(peer, **given)

    assert (refused.status_code, refused.json()["error"]) == (200, error)


def test_addresses_are_told_apart_from_the_person_and_only_within_the_scope(
    peer: GitHubPeer,
) -> None:
    peer.account = GitHubAccount(
        id=7, login="ada", emails=(GitHubEmail(email="ada@example.org", verified=False),)
    )
    tokens = [
        redeem(peer, authorize(peer, scope)["code"], "application/json").json()["access_token"]
        for scope in ("read:user user:email", "read:user")
    ]

    assert get(peer, "/user", tokens[0]).json() == {
        "login": "ada",
        "id": 7,
        "name": None,
        "email": None,
    }
    (address,) = get(peer, "/user/emails", tokens[0]).json()
    assert (address["email"], address["verified"]) == ("ada@example.org", False)
    assert get(peer, "/user/emails", tokens[1]).status_code == 404
    peer.withdraw()
    assert get(peer, "/user", tokens[0]).status_code == 401


def test_person_may_say_no(peer: GitHubPeer) -> None:
    peer.denies = True
    denied = authorize(peer)

    assert (denied["error"], denied["state"]) == ("access_denied", "a-state")
    peer.denies = False
    assert "code" in authorize(peer)


def test_a_path_can_be_made_to_answer_something_else(peer: GitHubPeer) -> None:
    peer.instead["/user"] = as_json({"message": "API rate limit exceeded"}, status=403)

    assert get(peer, "/user", "any").status_code == 403
    assert peer.asked["/user"] == 1


def test_variables_name_every_endpoint(peer: GitHubPeer) -> None:
    assert settings_for_github(peer) == {
        "OAUTH_GITHUB_CLIENT_ID": peer.client.id,
        "OAUTH_GITHUB_CLIENT_SECRET": peer.client.secret,
        "OAUTH_GITHUB_AUTHORIZATION_ENDPOINT": f"{peer.origin}/login/oauth/authorize",
        "OAUTH_GITHUB_TOKEN_ENDPOINT": f"{peer.origin}/login/oauth/access_token",
        "OAUTH_GITHUB_USERINFO_ENDPOINT": f"{peer.origin}/user",
        "OAUTH_GITHUB_EMAILS_ENDPOINT": f"{peer.origin}/user/emails",
    }
