"""The hostile provider is honest when nothing else is asked of it."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
from authlib.oidc.core.util import create_half_hash  # type: ignore[import-untyped]
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.support.hostile_provider import HostileProvider, hostile_provider
from tests.support.jws import encode
from tests.support.lies import BY_NAME
from tests.support.provider_visits import (
    delivered_to,
    parameters_of,
    passed_on,
    sent_back,
    with_parameters,
)

CALLBACK = "https://service.example/api/oauth/hostile/callback"


@dataclass(kw_only=True)
class PlainClient:
    """A client that believes everything, for one authorization."""

    provider: HostileProvider
    scope: str = "openid email profile"
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    def authorize(self) -> dict[str, str]:
        parameters = {
            "response_type": "code",
            "client_id": self.provider.client_id,
            "redirect_uri": CALLBACK,
            "scope": self.scope,
            "state": "a-state",
            "nonce": self.nonce,
            "code_challenge": encode(sha256(self.verifier.encode()).digest()),
            "code_challenge_method": "S256",
        }
        location = f"{self.provider.metadata()['authorization_endpoint']}?{urlencode(parameters)}"
        return parameters_of(sent_back(location))

    def redeem(self, code: str, **instead: str) -> requests.Response:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": self.verifier,
            "client_id": self.provider.client_id,
            "client_secret": self.provider.client_secret,
        }
        return self.ask("token", {**form, **instead})

    def ask(
        self, path: str, form: dict[str, str] | None = None, token: str = ""
    ) -> requests.Response:
        return requests.request(
            "POST" if form else "GET",
            f"{self.provider.issuer}/{path}",
            data=form,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=5,
        )


@pytest.fixture
def provider() -> Iterator[HostileProvider]:
    with hostile_provider() as started:
        yield started


@pytest.fixture
def client(provider: HostileProvider) -> PlainClient:
    return PlainClient(provider=provider)


def half_hash(text: str, algorithm: str) -> str:
    made = create_half_hash(text, algorithm)
    assert made is not None
    return str(made.decode())


def verified(client: PlainClient, token: str) -> dict[str, Any]:
    keys = KeySet.import_key_set(client.ask("jwks").json())
    return dict(jwt.decode(token, keys, ["RS256", "PS256", "ES256", "EdDSA"]).claims)


@pytest.mark.parametrize(
    "name",
    [
        "honest",
        "sig-es256",
        "sig-ps256",
        pytest.param("sig-eddsa", marks=pytest.mark.filterwarnings("ignore:EdDSA is deprecated")),
    ],
)
def test_honest_tokens_hold_for_another_library(client: PlainClient, name: str) -> None:
    client.provider.lie = BY_NAME[name]
    back = client.authorize()
    answer = client.redeem(back["code"]).json()
    claims = verified(client, answer["id_token"])

    assert back["state"] == "a-state"
    assert claims["iss"] == back["iss"] == client.provider.issuer
    assert (claims["aud"], claims["nonce"]) == (client.provider.client_id, client.nonce)
    assert claims["at_hash"] == half_hash(answer["access_token"], client.provider.lie.algorithm)
    assert client.ask("userinfo", token=answer["access_token"]).json() == client.provider.person


def test_userinfo_tells_what_the_scope_covers(client: PlainClient) -> None:
    client.scope = "openid email"
    token = client.redeem(client.authorize()["code"]).json()["access_token"]

    told = client.ask("userinfo", token=token).json()
    assert set(told) == {"sub", "email", "email_verified"}


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"code_verifier": "of-somebody-else"}, "invalid_grant"),
        ({"redirect_uri": "https://elsewhere.example/"}, "invalid_grant"),
        ({"code": "unknown"}, "invalid_grant"),
        ({"client_secret": "wrong"}, "invalid_client"),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value)),
)
def test_token_endpoint_checks_what_it_is_sent(
    client: PlainClient, form: dict[str, str], error: str
) -> None:
    code = client.authorize()["code"]

    assert client.redeem(**{"code": code, **form}).json() == {"error": error}
    assert client.redeem(client.authorize()["code"]).ok


def test_codes_and_refresh_tokens_are_good_once(client: PlainClient) -> None:
    code = client.authorize()["code"]
    first = client.redeem(code).json()
    refresh = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}

    assert client.redeem(code).json() == {"error": "invalid_grant"}
    second = client.redeem("", **refresh).json()
    assert client.redeem("", **refresh).json() == {"error": "invalid_grant"}
    assert client.redeem("", **{**refresh, "refresh_token": second["refresh_token"]}).ok


def test_revoked_tokens_are_recorded_and_no_longer_good(client: PlainClient) -> None:
    token = client.redeem(client.authorize()["code"]).json()["access_token"]

    assert client.ask("revoke", {"token": token}).ok
    assert client.provider.revoked == [token]
    assert client.ask("userinfo", token=token).status_code == 401


def test_provider_insists_on_the_authentication_that_it_announces(client: PlainClient) -> None:
    client.provider.lie = BY_NAME["metadata-basic-only"]
    refused = client.redeem(client.authorize()["code"])

    client.provider.lie = BY_NAME["metadata-post-only"]
    assert (refused.status_code, client.redeem(client.authorize()["code"]).status_code) == (
        401,
        200,
    )


def test_lies_are_told_over_the_wire(client: PlainClient) -> None:
    client.provider.lie = BY_NAME["userinfo-invalid-sub"]
    token = client.redeem(client.authorize()["code"]).json()["access_token"]
    assert client.ask("userinfo", token=token).json()["sub"] != client.provider.person["sub"]


def test_authorization_can_be_carried_to_another_provider(client: PlainClient) -> None:
    with hostile_provider(client_id="another-client") as honest:
        location = f"{client.provider.issuer}/authorize?client_id=hostile-client&state=s"
        location = with_parameters(location, redirect_uri=CALLBACK, nonce=None)
        endpoint = f"{honest.issuer}/authorize"
        callback = sent_back(passed_on(location, endpoint=endpoint, client_id=honest.client_id))

    assert parameters_of(callback)["iss"] == honest.issuer
    assert honest.questions[-1].query["client_id"] == "another-client"
    assert delivered_to("other", callback).startswith(
        "https://service.example/api/oauth/other/callback?code="
    )
