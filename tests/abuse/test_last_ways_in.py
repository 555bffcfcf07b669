"""F16: whatever is taken away at once by several workers, nobody is left outside.

Nor is the service left without an administrator. A19; ASVS 2.3.4, 15.4.2.
"""

from collections.abc import Callable
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.errors import LastAdministrator
from app.models import User
from app.services.addresses import parse_address
from app.services.people import add_user, get_user_by_address
from app.services.roles import change_role
from app.services.ways_in import require_another_administrator
from tests.conftest import NewTally
from tests.support.authenticator import DEVICE_BOUND, Authenticator
from tests.support.clients import Browser
from tests.support.counts import trials
from tests.support.crowds import at_once, both_at_once
from tests.support.deployments import Deployment
from tests.support.people import (
    add_passkey,
    new_phone,
    passkeys,
    post,
    refusal,
    sign_in,
    sign_up,
)
from tests.support.scenes import AUTHENTICATION
from tests.support.units import application_on, run_unit
from tests.support.variables import ORIGIN

SUBJECT = "Ways in"
LAST_WAY_IN = (409, "last_way_in")
ADMINISTRATORS = ("ada@example.org", "grace@example.org")


def removal(browser: Browser, row_id: object) -> Callable[[], TestResponse]:
    return partial(browser.delete, f"/api/auth/credentials/{row_id}")


def test_two_who_remove_the_last_two_passkeys_leave_one(
    deployment: Deployment, new_tally: NewTally
) -> None:
    """Counted before they are locked, this left nobody a way in in 58 of 60 trials."""
    tally = new_tally(SUBJECT, "the last two passkeys removed at once")
    person = sign_up(deployment.browser())
    elsewhere, witness = deployment.browser(), deployment.browser()
    assert sign_in(elsewhere, person.phone).status_code == 200
    phones = {passkeys(person.client)[0]["id"]: person.phone}
    for _ in range(trials(200)):
        spare = new_phone()
        phones[add_passkey(person, spare)["id"]] = spare
        first, second = phones

        answers = at_once([removal(person.client, first), removal(elsewhere, second)])

        with tally.trial():
            refused = [refusal(answer) for answer in answers if answer.status_code != 200]
            assert refused == [LAST_WAY_IN]
            (left,) = passkeys(person.client)
            phones = {left["id"]: phones[left["id"]]}
            assert sign_in(witness, phones[left["id"]]).status_code == 200


def test_passkey_removed_while_the_other_is_quarantined_leaves_one_that_opens(
    deployment: Deployment, new_tally: NewTally
) -> None:
    """Two ways of taking a passkey away, each of which counts on the other one."""
    tally = new_tally(SUBJECT, "a passkey removed while a copy of the other is used")
    for number in range(trials(100)):
        person = sign_up(deployment.browser(), email=f"ada{number}@example.org")
        key = Authenticator(origin=ORIGIN, flags=DEVICE_BOUND, counting=True)
        add_passkey(person, key)
        thief, witness = deployment.browser(), deployment.browser()
        copied = key.get(post(thief, f"{AUTHENTICATION.path}/options"), sign_count=1)
        (mine, _) = passkeys(person.client)

        removed, signed_in = both_at_once(
            removal(person.client, mine["id"]), partial(AUTHENTICATION.finish, thief, copied)
        )

        with tally.trial():
            assert refusal(signed_in) == (401, "assertion_rejected")
            if removed.status_code == 200:
                assert sign_in(witness, key, sign_count=9).status_code == 200
            else:
                assert refusal(removed) == LAST_WAY_IN
                assert sign_in(witness, person.phone).status_code == 200


def install(app: Flask) -> None:
    """Let the two administrators, and nobody else, be there."""

    def begin_anew(session: Session) -> None:
        session.execute(delete(User))
        for number, address in enumerate(ADMINISTRATORS):
            add_user(
                session,
                address=parse_address(address),
                name="Administrator",
                webauthn_id=number.to_bytes(64),
                role="admin",
                groups=[],
            )

    run_unit(app, begin_anew)


def demote(session: Session, address: str) -> None:
    change_role(session, user=get_user_by_address(session, address), role="user")


def remove(session: Session, address: str) -> None:
    """Take the account away, as whatever does so has to ask first; no route does yet."""
    user = get_user_by_address(session, address)
    require_another_administrator(session, user_id=user.id)
    session.execute(delete(User).where(User.id == user.id))


Deed = Callable[[Session, str], None]


def attempt(app: Flask, deed: Deed, address: str) -> bool:
    """Tell whether it was done; the one refusal that there may be is for the last of them."""
    try:
        run_unit(app, lambda session: deed(session, address))
    except LastAdministrator:
        return False
    return True


def administrators(app: Flask) -> list[str]:
    query = select(User.email_canonical).where(User.role == "admin", User.disabled_at.is_(None))
    return [str(one) for one in run_unit(app, lambda s: s.scalars(query).all(), writes=False)]


@pytest.mark.parametrize(
    ("deeds", "times"),
    [((demote, demote), 80), ((remove, remove), 60), ((demote, remove), 60)],
    ids=["demote each other", "remove each other", "one demotes, one removes"],
)
def test_administrators_who_turn_on_each_other_leave_one(
    deployment: Deployment, new_tally: NewTally, deeds: tuple[Deed, Deed], times: int
) -> None:
    """Each works in an application of their own, with its own connections to the database."""
    tally = new_tally(SUBJECT, "two administrators who turn on each other")
    app = deployment.app
    with application_on(deployment.variables) as hers, application_on(deployment.variables) as his:
        for _ in range(trials(times)):
            install(app)

            done = at_once(
                [
                    partial(attempt, one, deed, address)
                    for one, deed, address in zip((hers, his), deeds, ADMINISTRATORS, strict=True)
                ]
            )

            with tally.trial():
                assert sorted(done) == [False, True]
                (left,) = administrators(app)
                install(app)
                assert attempt(app, deeds[0], left), "with another one there, it is allowed"


def test_role_commands_at_once_leave_an_administrator(
    deployment: Deployment, new_tally: NewTally
) -> None:
    tally = new_tally(SUBJECT, "two administrators who demote by command")
    for _ in range(trials(10)):
        install(deployment.app)

        printed = at_once(
            [partial(demote_by_command, deployment, address) for address in ADMINISTRATORS]
        )

        with tally.trial():
            assert sorted(LastAdministrator.sentence in one for one in printed) == [False, True]
            (left,) = administrators(deployment.app)
            install(deployment.app)
            assert attempt(deployment.app, demote, left)


def demote_by_command(deployment: Deployment, address: str) -> str:
    try:
        return deployment.server.flask("users", "role", address, "user")
    except RuntimeError as refused:
        return str(refused)
