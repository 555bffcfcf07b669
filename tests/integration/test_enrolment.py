"""Adding a passkey: to my own account, not twice, and not without end."""

import os
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.models import Credential, User
from tests.conftest import Transaction
from tests.support.authenticator import ExcludedCredentialError, Json, encode
from tests.support.clients import Browser
from tests.support.people import (
    BROWSER_COOKIE,
    Person,
    add_passkey,
    enrol,
    hand_over,
    is_signed_in,
    json_of,
    new_codes,
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


@pytest.fixture
def fill(app: Flask, person: Person, transaction: Transaction) -> None:
    """Give the person as many passkeys as may be added."""
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
            for number in range(49)
        )


def begin_enrolment(client: Browser) -> TestResponse:
    return client.post("/api/auth/credentials/options", json={})


def finish_enrolment(client: Browser, options: Json) -> TestResponse:
    return client.post(LIST, json={"credential": new_phone().create(options)})


def test_fifty_passkeys_are_enough(app: Flask, person: Person, fill: None) -> None:
    """The device is not even asked to make one more, which nobody could use."""
    before = contents(app)

    assert refusal(begin_enrolment(person.client)) == (409, "too_many_credentials")

    assert contents(app) == before
    assert person.client.delete(path_of(person, 5)).status_code == 200
    assert enrol(person.client, new_phone()).status_code == 201


def test_fifty_passkeys_are_enough_for_two_ceremonies_at_once(person: Person, fill: None) -> None:
    assert person.client.delete(path_of(person, 5)).status_code == 200
    first, second = (json_of(begin_enrolment(person.client)) for _ in range(2))

    done = finish_enrolment(person.client, first)
    refused = finish_enrolment(person.client, second)

    assert done.status_code == 201
    assert refusal(refused) == (409, "too_many_credentials")


def test_whoever_lost_fifty_passkeys_still_gets_back_in(
    person: Person, fill: None, new_client: Callable[[], Browser]
) -> None:
    code, browser = new_codes(person.client)[0], new_client()
    assert browser.post("/api/auth/recovery", json={"code": code}).status_code == 200

    assert enrol(browser, new_phone()).status_code == 201

    assert is_signed_in(browser)
