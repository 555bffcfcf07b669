"""Signing up: an account, its passkey and its first session, all of them or none."""

import unicodedata
from collections.abc import Callable, Mapping
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from app.models import Challenge, Credential, User, UserSession
from tests.conftest import Transaction
from tests.support.authenticator import EDDSA, ES256, RS256, Authenticator, decode
from tests.support.clients import Browser
from tests.support.people import (
    ADDRESS,
    begin_sign_up,
    json_of,
    new_phone,
    passkeys,
    refusal,
    sign_in,
    sign_up,
)
from tests.support.tables import count
from tests.support.variables import ORIGIN

OPTIONS, FINISH = "/api/auth/registration/options", "/api/auth/registration"
ALGORITHMS = {"EdDSA": EDDSA, "ES256": ES256, "RS256": RS256}
ICLOUD = UUID("fbfc3007-154e-4ecc-8c0b-6e020557d7bd")


@pytest.mark.parametrize("algorithm", ALGORITHMS.values(), ids=ALGORITHMS)
def test_passkey_of_every_offered_algorithm_opens_an_account(
    client: Browser, new_client: Callable[[], Browser], algorithm: int
) -> None:
    phone = Authenticator(origin=ORIGIN, algorithm=algorithm)

    person = sign_up(client, phone)

    assert json_of(client.get("/api/auth/session"))["user"] == person.user
    again = sign_in(new_client(), phone)
    assert again.status_code == 200
    assert json_of(again)["user"] == person.user


def test_new_account_is_an_unproved_users(client: Browser) -> None:
    user = sign_up(client, email="Ada@Example.org").user

    assert user | {"id": "", "created_at": ""} == {
        "id": "",
        "email": "Ada@example.org",
        "email_verified": False,
        "name": "Ada",
        "role": "user",
        "locale": None,
        "created_at": "",
    }


def test_options_name_the_person_by_a_handle_that_says_nothing(client: Browser) -> None:
    """WA-X4."""
    first, second = (json_of(begin_sign_up(client))["user"] for _ in range(2))

    assert (first["name"], first["displayName"]) == (ADDRESS, "Ada")
    assert len(decode(first["id"])) == 64
    assert first["id"] != second["id"]


def test_account_gets_the_handle_that_its_passkey_was_made_for(
    client: Browser, transaction: Transaction
) -> None:
    person = sign_up(client)

    with transaction() as session:
        assert session.scalars(select(User.webauthn_id)).one() == person.credential.user_handle


@pytest.mark.parametrize(
    ("aaguid", "name"),
    [
        pytest.param(ICLOUD.bytes, "Apple Passwords", id="known"),
        pytest.param(bytes(16), "Passkey", id="none"),
        pytest.param(b"\x01" * 16, "Passkey", id="unknown"),
    ],
)
def test_passkey_is_named_after_its_product(client: Browser, aaguid: bytes, name: str) -> None:
    sign_up(client, Authenticator(origin=ORIGIN, aaguid=aaguid))

    assert [passkey["name"] for passkey in passkeys(client)] == [name]


def test_passkey_takes_the_name_that_its_owner_gives(client: Browser) -> None:
    options = json_of(begin_sign_up(client))
    body = {"credential": new_phone().create(options), "credential_name": "  Blue key "}

    assert client.post(FINISH, json=body).status_code == 201

    assert [passkey["name"] for passkey in passkeys(client)] == ["Blue key"]


def test_name_is_stored_composed_and_without_space_around_it(client: Browser) -> None:
    decomposed = unicodedata.normalize("NFD", "Zoë")

    assert sign_up(client, name=f" {decomposed} ").user["name"] == "Zoë"


GOOD = {"email": ADDRESS, "name": "Ada"}
UNDECLARED = ("role", "email_verified", "email_verified_at", "groups", "id", "webauthn_id")
NOT_TAKEN: dict[str, Mapping[str, object]] = {
    "no name": {"email": ADDRESS},
    "no address": {"name": "Ada"},
    "address empty": {**GOOD, "email": ""},
    "address a list": {**GOOD, "email": [ADDRESS]},
    "address too long": {**GOOD, "email": "a" * 250 + "@example.org"},
    "name of spaces": {**GOOD, "name": " \t"},
    "name too long": {**GOOD, "name": "a" * 101},
    "name with a line break": {**GOOD, "name": "Ada\nrole: admin"},
    "name that runs backwards": {**GOOD, "name": "\u202eadA"},
    "invitation a number": {**GOOD, "invitation": 5},
    "invitation empty": {**GOOD, "invitation": ""},
    **{f"A18 {name}": {**GOOD, name: "admin"} for name in UNDECLARED},
}


@pytest.mark.parametrize("body", NOT_TAKEN.values(), ids=NOT_TAKEN)
def test_body_that_is_not_what_sign_up_takes_is_refused(
    app: Flask, client: Browser, body: Mapping[str, object]
) -> None:
    assert refusal(client.post(OPTIONS, json=body)) == (422, "invalid_body")

    assert count(app, Challenge) == 0
    assert client.post(OPTIONS, json=GOOD).status_code == 200


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"credential": None}, id="credential null"),
        pytest.param({"credential": []}, id="credential a list"),
        pytest.param({"credential_name": ""}, id="name empty"),
        pytest.param({"credential_name": "x" * 101}, id="name too long"),
        *(pytest.param({name: "admin"}, id=f"A18 {name}") for name in (*UNDECLARED, "email")),
    ],
)
def test_body_that_is_not_what_finishing_takes_is_refused(
    app: Flask, client: Browser, members: Mapping[str, object]
) -> None:
    honest = {"credential": new_phone().create(json_of(begin_sign_up(client)))}

    assert refusal(client.post(FINISH, json={**honest, **members})) == (422, "invalid_body")

    assert count(app, User, Credential, UserSession) == 0
    assert client.post(FINISH, json=honest).status_code == 201, "the challenge is still good"


@pytest.mark.parametrize("email", ["ada", "ada@", "a@b@example.org", "ada\uff20example.org"])
def test_text_that_is_no_address_is_refused(app: Flask, client: Browser, email: str) -> None:
    assert refusal(begin_sign_up(client, email=email)) == (422, "invalid_address")

    assert count(app, Challenge) == 0
    assert begin_sign_up(client).status_code == 200
