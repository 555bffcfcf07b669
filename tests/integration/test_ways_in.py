"""F16: whatever is taken away at once, nobody is left outside, nor the service unruled.

A19; ASVS 2.3.4, 15.4.2.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from threading import Event
from time import sleep

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.errors import LastAdministrator, LastWayIn, NotSignedIn
from app.models import Role, User
from app.services import roles, ways_in
from app.services.people import add_user
from app.transaction import with_transaction
from tests.conftest import Transaction
from tests.support.clients import Browser
from tests.support.counts import trials
from tests.support.crowds import at_once
from tests.support.people import (
    add_passkey,
    json_of,
    new_codes,
    new_phone,
    passkeys,
    sign_in,
    sign_up,
)
from tests.support.units import run_unit, side_by_side, wait_for


def remover(browser: Browser, credential_id: str) -> Callable[[], TestResponse]:
    return lambda: browser.delete(f"/api/auth/credentials/{credential_id}")


def test_sign_in_while_another_passkey_is_removed_succeeds(
    client: Browser, new_client: Callable[[], Browser]
) -> None:
    """Neither waits for the other in a circle: both lock the passkey and the person."""
    person, others = sign_up(client), [new_client() for _ in range(3)]
    for _ in range(trials(20)):
        spare = add_passkey(person)

        sign_ins: list[Callable[[], TestResponse]] = [
            partial(sign_in, one, person.phone) for one in others
        ]

        answers = at_once([remover(client, spare["id"]), *sign_ins])

        assert [answer.status_code for answer in answers] == [200, 200, 200, 200]


def people(transaction: Transaction, *wanted: Role) -> list[str]:
    with transaction() as session:
        users = [
            add_user(
                session,
                address=None,
                name=f"Person {number}",
                webauthn_id=number.to_bytes(64),
                role=role,
                groups=[],
            )
            for number, role in enumerate(wanted)
        ]
        return [user.id for user in users]


def demotion(app: Flask, user_id: str) -> Callable[[], bool]:
    """Make a person a user, in a thread of its own; tells whether that was allowed."""

    def demote() -> bool:
        with app.app_context():
            try:
                with_transaction(
                    lambda session: roles.change_role(
                        session, user=session.get_one(User, user_id), role="user"
                    )
                )
            except LastAdministrator:
                return False
            return True

    return demote


def test_sign_in_during_a_role_change_gets_the_lifetimes_of_the_new_role(
    app: Flask, client: Browser, new_client: Callable[[], Browser]
) -> None:
    """Else an administrator's session would rest for days, because it began a moment too early."""
    person, started = sign_up(client), Event()

    def promote(session: Session) -> None:
        user = session.get_one(User, person.user["id"])
        roles.change_role(session, user=user, role="admin")
        session.flush()
        started.set()
        sleep(0.3)  # the sign-in arrives, and has to wait

    def sign_in_meanwhile() -> TestResponse:
        wait_for(started)
        return sign_in(new_client(), person.phone)

    def promotion() -> TestResponse | None:
        return run_unit(app, promote)

    _, signed_in = side_by_side([promotion, sign_in_meanwhile])

    assert signed_in is not None
    session = json_of(signed_in)["session"]
    idle = datetime.fromisoformat(session["idle_expires_at"]) - datetime.fromisoformat(
        session["created_at"]
    )
    assert idle == timedelta(minutes=15)


def test_last_administrator_stays_one(app: Flask, transaction: Transaction) -> None:
    first, second = people(transaction, "admin", "admin")

    assert demotion(app, first)()
    assert not demotion(app, second)()

    with transaction() as session:
        assert session.get_one(User, second).role == "admin"
        assert roles.has_administrator(session)


def test_disabled_administrator_does_not_count(app: Flask, transaction: Transaction) -> None:
    first, second = people(transaction, "admin", "admin")
    with transaction() as session:
        session.get_one(User, first).disabled_at = session.get_one(User, first).created_at

    assert not demotion(app, second)()


def test_last_way_in_is_counted_without_the_one_that_goes(
    client: Browser, transaction: Transaction
) -> None:
    person = sign_up(client)
    user_id, (only,) = person.user["id"], passkeys(client)

    with transaction() as session:
        assert ways_in.count_ways_in(session, user_id, issuers=()) == 1
        assert ways_in.count_ways_in(session, user_id, issuers=(), without=only["id"]) == 0
        with pytest.raises(LastWayIn):
            ways_in.require_another(session, user_id=user_id, without=only["id"], issuers=())
        ways_in.require_another(session, user_id=user_id, without="another row's id", issuers=())


def test_disabled_person_is_not_locked(client: Browser, transaction: Transaction) -> None:
    user_id = sign_up(client).user["id"]
    with transaction() as session:
        user = ways_in.lock_person(session, user_id)
        user.disabled_at = user.created_at

    with transaction() as session, pytest.raises(NotSignedIn):
        ways_in.lock_person(session, user_id)


def test_recovery_codes_are_no_way_in(client: Browser) -> None:
    """They open no account by themselves, and may have been lost with the passkey."""
    person = sign_up(client)
    new_codes(client)
    (only,) = passkeys(client)

    assert remover(client, only["id"])().status_code == 409

    add_passkey(person, new_phone())
    assert remover(client, only["id"])().status_code == 200
