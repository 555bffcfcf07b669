"""Sessions as their owner sees them, and further sign-ins of the same person."""

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import User, UserSession
from app.services import sessions
from app.services.devices import Device
from tests.conftest import Transaction
from tests.support.authenticator import Json
from tests.support.clients import Browser
from tests.support.people import Person, json_of, sign_in
from tests.support.units import run_unit


def listed(client: Browser) -> list[Json]:
    answer = client.get("/api/auth/sessions")
    assert answer.status_code == 200, answer.text
    items: list[Json] = json_of(answer)["items"]
    return items


def sign_in_again(person: Person, client: Browser) -> str:
    """Sign the same person in somewhere else and give the session's id."""
    answer = sign_in(client, person.phone)
    assert answer.status_code == 200, answer.text
    return str(json_of(answer)["session"]["id"])


def only_row(transaction: Transaction) -> UserSession:
    with transaction() as session:
        return session.scalars(select(UserSession)).one()


def open_session_of(app: Flask, person: Person) -> str:
    """Sign somebody in beside the service, without a ceremony, and give the token."""
    settings = app.extensions["openbadges"].service

    def unit(session: Session) -> str:
        opened = sessions.open_session(
            session,
            user=session.get_one(User, person.user["id"]),
            authentication=sessions.Authentication(method="passkey"),
            device=Device(label="Firefox on Linux", network=None),
            settings=settings,
        )
        return opened.token

    return run_unit(app, unit)
