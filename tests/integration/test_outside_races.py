"""What happens elsewhere while somebody is at a provider, or comes back from it.

ASVS 2.3.4, 15.4.2.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from threading import Event
from time import sleep

import pytest
from flask import Flask
from sqlalchemy import delete
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.identity_providers import RedeemedCode
from app.models import AuthorizationRequest, Identity, User, UserSession
from app.services import roles
from app.services.address_proofs import prove_own_address
from app.services.addresses import parse_address
from app.services.ways_in import lock_person
from tests.support.clients import Browser
from tests.support.outside_accounts import (
    QuietProvider,
    begin,
    come_back,
    provider_settings,
    refused,
    sign_in_with,
    state_in,
    switched_on,
    went_on,
)
from tests.support.people import ADDRESS, json_of, refusal, sign_up
from tests.support.tables import count
from tests.support.units import run_unit, side_by_side, wait_for

NewClient = Callable[[], Browser]


class HeldUpProvider(QuietProvider):
    """Lets a test do something while the service waits for the provider."""

    def meanwhile(self) -> None:
        """Do nothing, unless a test says otherwise."""

    def authorization_url(self, **asked: object) -> str:
        self.meanwhile()
        return super().authorization_url(**asked)

    def redeem(self, *, code: str, **bound: object) -> RedeemedCode:
        self.meanwhile()
        return super().redeem(code=code, **bound)


@pytest.fixture
def github(app: Flask) -> Iterator[HeldUpProvider]:
    provider = HeldUpProvider(settings=provider_settings())
    for name in ("ada", "eve"):
        provider.add(name)
    with switched_on(app, provider):
        yield provider


def end_sessions(app: Flask) -> Callable[[], None]:
    def end(session: Session) -> None:
        session.execute(delete(UserSession))

    return lambda: run_unit(app, end)


@pytest.mark.parametrize("purpose", ["link", "reauthenticate"])
def test_a_session_that_ends_during_the_round_trip_gains_nothing(
    app: Flask,
    client: Browser,
    github: HeldUpProvider,
    monkeypatch: pytest.MonkeyPatch,
    purpose: str,
) -> None:
    """F17, P3."""
    sign_in_with(client)
    begun = client.post(f"/api/oauth/github/{purpose}", json={})
    state = state_in(json_of(begun)["location"])
    monkeypatch.setattr(github, "meanwhile", end_sessions(app))

    answer = come_back(client, state, code="eve" if purpose == "link" else "ada")

    assert refused(answer) == "not_signed_in"
    assert count(app, Identity) == 1
    monkeypatch.undo()
    assert went_on(sign_in_with(client))


@pytest.mark.parametrize("purpose", ["link", "reauthenticate"])
def test_a_session_that_ends_while_a_round_trip_begins_leaves_no_request(
    app: Flask,
    client: Browser,
    github: HeldUpProvider,
    monkeypatch: pytest.MonkeyPatch,
    purpose: str,
) -> None:
    sign_in_with(client)
    monkeypatch.setattr(github, "meanwhile", end_sessions(app))

    assert refusal(client.post(f"/api/oauth/github/{purpose}", json={})) == (401, "not_signed_in")

    assert count(app, AuthorizationRequest) == 0
    monkeypatch.undo()
    sign_in_with(client)
    assert client.post(f"/api/oauth/github/{purpose}", json={}).status_code == 200


def test_a_sign_in_during_a_role_change_gets_the_lifetimes_of_the_new_role(
    app: Flask, client: Browser, new_client: NewClient, github: HeldUpProvider
) -> None:
    sign_in_with(client)
    user_id, started = json_of(client.get("/api/auth/session"))["user"]["id"], Event()
    other = new_client()
    state = begin(other)

    def promote(session: Session) -> None:
        roles.change_role(session, user=session.get_one(User, user_id), role="admin")
        session.flush()
        started.set()
        sleep(0.3)  # the sign-in arrives, and has to wait

    def sign_in_meanwhile() -> TestResponse:
        wait_for(started)
        return come_back(other, state, code="ada")

    def promotion() -> TestResponse | None:
        return run_unit(app, promote)

    _, answer = side_by_side([promotion, sign_in_meanwhile])

    assert answer is not None
    assert went_on(answer)
    told = json_of(other.get("/api/auth/session"))["session"]
    idle = datetime.fromisoformat(told["idle_expires_at"]) - datetime.fromisoformat(
        told["created_at"]
    )
    assert idle == timedelta(minutes=15)


def test_an_address_that_its_holder_proves_at_this_moment_stays_theirs(
    app: Flask, client: Browser, new_client: NewClient, github: HeldUpProvider
) -> None:
    """A19: else a proof would be lost to whoever proves the same address a moment later."""
    user_id, started = sign_up(client, email=ADDRESS).user["id"], Event()
    github.add("eve", email=ADDRESS, email_verified=True)
    other = new_client()
    state = begin(other)

    def prove(session: Session) -> None:
        prove_own_address(lock_person(session, user_id), parse_address(ADDRESS))
        session.flush()
        started.set()
        sleep(0.3)

    def take_meanwhile() -> TestResponse:
        wait_for(started)
        return come_back(other, state, code="eve")

    def proof() -> TestResponse | None:
        return run_unit(app, prove)

    _, answer = side_by_side([proof, take_meanwhile])

    assert answer is not None
    assert refused(answer) == "account_exists"
    told = json_of(client.get("/api/auth/session"))["user"]
    assert (told["email"], told["email_verified"]) == (ADDRESS, True)
