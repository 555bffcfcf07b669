"""Adding a passkey: to my own account, not twice, and not without end."""

import os
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from app.models import Credential, User
from tests.conftest import Transaction
from tests.support.authenticator import ExcludedCredentialError, encode
from tests.support.clients import Browser
from tests.support.people import (
    BROWSER_COOKIE,
    Person,
    add_passkey,
    enrol,
    hand_over,
    json_of,
    new_phone,
    passkeys,
    post,
    refusal,
    sign_in,
    sign_up,
    token_of,
)
from tests.support.tables import contents

LIST = "/api/auth/credentials"


@pytest.fixture
def person(client: Browser) -> Person:
    return sign_up(client)


@pytest.fixture
def other(new_client: Callable[[], Browser]) -> Person:
    return sign_up(new_client(), email="eve@example.org")


def path_of(person: Person, at: int = 0) -> str:
    return f"{LIST}/{passkeys(person.client)[at]['id']}"


def test_options_exclude_the_passkeys_that_the_person_has(person: Person, other: Person) -> None:
    spare = new_phone()
    add_passkey(person, spare)

    options = post(person.client, f"{LIST}/options")

    (added,) = spare.credentials["localhost"]
    excluded = [one["id"] for one in options["excludeCredentials"]]
    assert excluded == [encode(person.credential.id), encode(added.id)]
    assert options["user"]["id"] == encode(person.credential.user_handle)
    with pytest.raises(ExcludedCredentialError):
        spare.create(options)


def test_enrolment_begun_in_one_account_ends_in_no_other(
    app: Flask, person: Person, other: Person
) -> None:
    """WA-R29, CVE-2026-105209: even where both share a browser."""
    hand_over(other.client, token_of(person.client, BROWSER_COOKIE), BROWSER_COOKIE)
    phone = new_phone()
    answer = {"credential": phone.create(post(person.client, f"{LIST}/options"))}
    before = contents(app)

    assert refusal(other.client.post(LIST, json=answer)) == (400, "challenge_unusable")

    assert contents(app) == before
    assert person.client.post(LIST, json=answer).status_code == 201
    assert json_of(sign_in(other.client, phone))["user"] == person.user


def test_fifty_passkeys_are_enough(app: Flask, person: Person, transaction: Transaction) -> None:
    with transaction() as session:
        user_id = session.scalars(select(User.id)).one()
        session.add_all(
            Credential(
                user_id=user_id,
                credential_id=os.urandom(32),
                rp_id="localhost",
                public_key=b"",
                sign_count=0,
                transports=[],
                backup_eligible=True,
                backed_up=True,
                name=f"Passkey {number}",
            )
            for number in range(48)
        )
    assert enrol(person.client, new_phone()).status_code == 201
    before = contents(app)

    assert refusal(enrol(person.client, new_phone())) == (409, "too_many_credentials")

    assert contents(app) == before
    assert person.client.delete(path_of(person, 5)).status_code == 200
    assert enrol(person.client, new_phone()).status_code == 201
