"""Confirming through an outside account that it is you, and for whom that counts."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from app import clock
from app.models import UserSession
from tests.conftest import Transaction
from tests.support.clients import Browser
from tests.support.outside_accounts import (
    QuietProvider,
    come_back,
    link_with,
    refused,
    sign_in_with,
    state_in,
    switched_on,
    went_on,
)
from tests.support.people import (
    enrol,
    is_signed_in,
    json_of,
    new_phone,
    refusal,
    sign_up,
    step_up,
    token_of,
)

NewClient = Callable[[], Browser]


def a_while_ago(transaction: Transaction) -> None:
    with transaction() as session:
        session.execute(
            update(UserSession).values(authenticated_at=clock.now() - timedelta(hours=1))
        )


def reauthenticate(client: Browser, code: str = "ada") -> TestResponse:
    begun = client.post("/api/oauth/github/reauthenticate", json={})
    assert begun.status_code == 200, begun.text
    return come_back(client, state_in(json_of(begun)["location"]), code=code)


def test_a_person_without_a_passkey_steps_up_at_the_provider(
    client: Browser, github: QuietProvider, transaction: Transaction
) -> None:
    """ASVS 7.5.1, 7.2.4, GHSA-97r5-pg8x-p63p."""
    sign_in_with(client)
    a_while_ago(transaction)
    assert refusal(client.post("/api/auth/recovery-codes", json={})) == (403, "step_up_required")
    before = token_of(client)

    assert went_on(reauthenticate(client), "/account?confirmed=github")

    assert github.asked[-1]["reauthenticates"] is True
    assert token_of(client) != before
    assert client.post("/api/auth/recovery-codes", json={}).status_code == 201


@pytest.mark.parametrize("code", ["eve", "second"])
def test_a_step_up_by_another_account_is_refused(
    client: Browser,
    new_client: NewClient,
    github: QuietProvider,
    transaction: Transaction,
    code: str,
) -> None:
    """GHSA-97r5-pg8x-p63p: an unknown account, and one that is somebody else's."""
    sign_in_with(new_client(), "eve")
    sign_in_with(client)
    a_while_ago(transaction)

    assert refused(reauthenticate(client, code)) == "wrong_identity"

    assert client.post("/api/auth/recovery-codes", json={}).status_code == 403
    assert went_on(reauthenticate(client), "/account?confirmed=github")


def test_a_step_up_that_the_provider_did_not_ask_for_anew_is_refused(
    client: Browser, github: QuietProvider, transaction: Transaction
) -> None:
    """ASVS 6.8.4, OC-9."""
    github.add("ada", authenticated_at=clock.now() - timedelta(minutes=5))
    sign_in_with(client)
    a_while_ago(transaction)

    assert refused(reauthenticate(client)) == "reauthentication_stale"
    github.add("ada", authenticated_at=clock.now())
    assert went_on(reauthenticate(client), "/account?confirmed=github")


def test_a_provider_that_does_not_say_when_it_asked_is_told_to_be_weaker(
    client: Browser, github: QuietProvider, transaction: Transaction
) -> None:
    github.add("ada", authenticated_at=clock.now())
    sign_in_with(client)
    assert "does not say when it last asked" not in client.get("/account").text
    github.add("ada")
    reauthenticate(client)

    assert "does not say when it last asked" in client.get("/account").text
    with transaction() as look:
        assert look.scalars(select(UserSession.auth_time)).one() is None


def test_whoever_has_a_passkey_confirms_with_it(
    client: Browser, new_client: NewClient, github: QuietProvider, transaction: Transaction
) -> None:
    """ASVS 6.3.4: linking an account makes nothing weaker that a passkey protects."""
    person = sign_up(client)
    link_with(client)
    other = new_client()
    sign_in_with(other)

    assert refusal(other.post("/api/oauth/github/reauthenticate", json={})) == (
        403,
        "passkey_required",
    )
    for method, path in [("POST", "/api/auth/recovery-codes"), ("DELETE", "/api/auth/sessions")]:
        answer = other.open(path, method=method, json={})
        assert refusal(answer) == (403, "step_up_required")
    assert step_up(other, person.phone).status_code == 200
    assert other.post("/api/auth/recovery-codes", json={}).status_code == 201


def test_a_step_up_under_way_is_refused_once_there_is_a_passkey(
    client: Browser, github: QuietProvider
) -> None:
    sign_in_with(client)
    begun = client.post("/api/oauth/github/reauthenticate", json={})
    enrol(client, new_phone())

    answer = come_back(client, state_in(json_of(begun)["location"]), code="ada")

    assert refused(answer) == "passkey_required"
    assert is_signed_in(client)


def test_nobody_steps_up_at_a_provider_where_they_linked_nothing(
    client: Browser, github: QuietProvider
) -> None:
    sign_up(client)
    path = "/api/oauth/github/reauthenticate"
    assert refusal(client.post(path, json={})) == (404, "not_found")
    assert refusal(client.post("/api/oauth/none/link", json={})) == (404, "not_found")


def test_a_disabled_person_does_not_step_up(
    client: Browser, github: QuietProvider, transaction: Transaction
) -> None:
    sign_in_with(client)
    state = state_in(json_of(client.post("/api/oauth/github/reauthenticate", json={}))["location"])
    with transaction() as session:
        session.execute(update(UserSession).values(expires_at=clock.now()))

    assert refused(come_back(client, state, code="ada")) == "authorization_request_unusable"


def test_a_sign_in_that_the_provider_let_through_is_no_step_up(
    client: Browser, github: QuietProvider, transaction: Transaction
) -> None:
    """ASVS 6.8.4: where it tells that it asked long ago, that is when the person authenticated."""
    github.add("ada", authenticated_at=clock.now() - timedelta(days=20))
    sign_in_with(client)

    refused_codes = client.post("/api/auth/recovery-codes", json={})
    assert refusal(refused_codes) == (403, "step_up_required")
    github.add("ada", authenticated_at=clock.now())
    assert went_on(reauthenticate(client), "/account?confirmed=github")
    assert client.post("/api/auth/recovery-codes", json={}).status_code == 201


def test_a_provider_that_is_switched_off_vouches_for_nobody(
    app: Flask, client: Browser, github: QuietProvider
) -> None:
    """CVE-2026-1486."""
    sign_in_with(client)
    with switched_on(app):
        assert client.post("/api/auth/recovery-codes", json={}).status_code == 403
    assert client.post("/api/auth/recovery-codes", json={}).status_code == 201
