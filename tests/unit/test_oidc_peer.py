"""The certified provider runs, and does what its handle says."""

import json
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import requests

from tests.support.jws import claims_of, decode, encode
from tests.support.oidc_peer import OidcPeer, drive, oidc_peer
from tests.support.provider_visits import parameters_of

CALLBACK = "http://localhost:8000/api/oauth/example/callback"
VERIFIER = "v" * 43


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OidcPeer]:
    log_file = tmp_path_factory.mktemp("provider") / "provider.log"
    with oidc_peer(log_file, redirect_uris=[CALLBACK]) as started:
        yield started


@pytest.fixture
def person() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


def location(peer: OidcPeer, **more: str | None) -> str:
    parameters = {
        "response_type": "code",
        "client_id": peer.clients[0].id,
        "redirect_uri": CALLBACK,
        "scope": "openid email profile",
        "state": "a-state",
        "nonce": "a-nonce",
        "code_challenge": encode(sha256(VERIFIER.encode()).digest()),
        "code_challenge_method": "S256",
        **more,
    }
    kept = {name: value for name, value in parameters.items() if value is not None}
    return f"{peer.issuer}/auth?{urlencode(kept)}"


def ask(peer: OidcPeer, path: str, **form: str) -> requests.Response:
    client = (peer.clients[0].id, peer.clients[0].secret)
    return requests.post(f"{peer.issuer}{path}", form, auth=client, timeout=5)


def redeem(peer: OidcPeer, callback: str) -> dict[str, Any]:
    answer = ask(
        peer,
        "/token",
        grant_type="authorization_code",
        code=parameters_of(callback)["code"],
        redirect_uri=CALLBACK,
        code_verifier=VERIFIER,
    )
    assert answer.ok, answer.text
    tokens: dict[str, Any] = answer.json()
    return tokens


def refresh(peer: OidcPeer, token: str) -> requests.Response:
    return ask(peer, "/token", grant_type="refresh_token", refresh_token=token)


def told(peer: OidcPeer, tokens: dict[str, Any]) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    claims: dict[str, Any] = requests.get(f"{peer.issuer}/me", headers=headers, timeout=5).json()
    return claims


@pytest.mark.parametrize(
    ("login", "address"),
    [
        ("ada", {"email": "ada@example.org", "email_verified": True}),
        ("unproved-ada", {"email": "unproved-ada@example.org", "email_verified": False}),
        ("noaddress-ada", {}),
    ],
)
def test_login_name_says_what_the_address_is_worth(
    peer: OidcPeer, person: requests.Session, login: str, address: dict[str, object]
) -> None:
    callback = drive(person, location(peer), login=login)
    claims = told(peer, redeem(peer, callback))

    assert parameters_of(callback)["iss"] == peer.issuer
    assert {name: claims[name] for name in claims if name.startswith("email")} == address
    assert claims["sub"] == login


def test_person_may_say_no_at_the_consent_page(peer: OidcPeer, person: requests.Session) -> None:
    denied = parameters_of(drive(person, location(peer), login="grace", consents=False))

    assert (denied["error"], denied["state"]) == ("access_denied", "a-state")
    assert "code" in parameters_of(drive(person, location(peer), login="grace"))


def test_pkce_is_required(peer: OidcPeer, person: requests.Session) -> None:
    plain = location(peer, code_challenge=None, code_challenge_method=None)

    assert parameters_of(drive(person, plain))["error"] == "invalid_request"


def test_person_is_asked_again_only_where_that_was_asked_for(
    peer: OidcPeer, person: requests.Session
) -> None:
    drive(person, location(peer))
    began_at = time.time()
    silent = drive(person, location(peer), login="somebody-else")
    again = drive(person, location(peer, prompt="login", max_age="0"))

    assert claims_of(redeem(peer, silent)["id_token"])["sub"] == "ada"
    assert claims_of(redeem(peer, again)["id_token"])["auth_time"] >= int(began_at)


def test_refresh_tokens_rotate_and_a_used_one_ends_the_grant(
    peer: OidcPeer, person: requests.Session
) -> None:
    first = redeem(peer, drive(person, location(peer)))["refresh_token"]
    second = refresh(peer, first).json()["refresh_token"]

    assert first != second
    assert refresh(peer, first).json()["error"] == "invalid_grant"
    assert peer.ended_grants()
    assert refresh(peer, second).json()["error"] == "invalid_grant"


def test_revocations_are_known(peer: OidcPeer, person: requests.Session) -> None:
    token = redeem(peer, drive(person, location(peer), login="hopper"))["refresh_token"]
    before = peer.asked("revocation")
    assert ask(peer, "/token/revocation", token=token).ok

    last = peer.revocations()[-1]
    assert (last.token, last.kind, last.login) == (token, "RefreshToken", "hopper")
    assert peer.asked("revocation") == before + 1


def test_person_can_withdraw_what_they_granted(peer: OidcPeer, person: requests.Session) -> None:
    token = redeem(peer, drive(person, location(peer), login="curie"))["refresh_token"]
    refreshed = refresh(peer, token).json()["refresh_token"]

    assert peer.withdraw("curie") > 0
    assert refresh(peer, refreshed).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("keep_old", [True, False])
def test_keys_change_while_it_runs(
    peer: OidcPeer, person: requests.Session, *, keep_old: bool
) -> None:
    def kid() -> str:
        token: str = redeem(peer, drive(person, location(peer)))["id_token"]
        return str(json.loads(decode(token.split(".", maxsplit=1)[0]))["kid"])

    before = kid()
    peer.rotate_keys(keep_old=keep_old)
    after = kid()
    published = {
        key["kid"] for key in requests.get(f"{peer.issuer}/jwks", timeout=5).json()["keys"]
    }

    assert before != after
    assert after in published
    assert (before in published) is keep_old


def test_accounts_and_redirect_uris_are_arranged_while_it_runs(
    peer: OidcPeer, person: requests.Session
) -> None:
    other = "http://localhost:9000/api/oauth/example/callback"
    peer.arrange("lovelace", email="ada@lovelace.example", email_verified=False, name=None)
    peer.allow_redirect_uris(other)

    claims = told(peer, redeem(peer, drive(person, location(peer), login="lovelace")))
    assert claims["email"] == "ada@lovelace.example"
    assert "name" not in claims
    assert drive(person, location(peer, redirect_uri=other)).startswith(other)


def test_it_ends_with_its_block(tmp_path: Path) -> None:
    with oidc_peer(tmp_path / "provider.log") as peer:
        assert peer.process.poll() is None

    assert peer.process.returncode == 0
