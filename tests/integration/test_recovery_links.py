"""One-time links that an operator hands out: `flask users recover`."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import delete

from app.models import Credential, RecoveryCode, User
from tests.conftest import Transaction
from tests.support.clients import Browser
from tests.support.people import (
    ADDRESS,
    Person,
    enrol,
    json_of,
    new_codes,
    new_phone,
    refusal,
    sign_in,
    sign_up,
)
from tests.support.tables import change, contents, count
from tests.support.variables import ORIGIN

RECOVERY = "/api/auth/recovery"
UNUSABLE = (403, "recovery_code_unusable")


@pytest.fixture
def person(client: Browser) -> Person:
    return sign_up(client)


@pytest.fixture
def link(app: Flask, person: Person) -> Callable[[], str]:
    """Make a link as an operator does; gives the code in it."""

    def recover() -> str:
        done = app.test_cli_runner().invoke(args=["users", "recover", ADDRESS])
        assert done.exit_code == 0, done.output
        prefix, code = done.stdout.strip().split("#code=")
        assert prefix == f"{ORIGIN}/recovery"
        return code

    return recover


def test_link_leads_somebody_who_lost_everything_back_in(
    person: Person,
    link: Callable[[], str],
    new_client: Callable[[], Browser],
    transaction: Transaction,
) -> None:
    with transaction() as session:
        session.execute(delete(Credential))
    browser, phone = new_client(), new_phone()

    assert browser.post(RECOVERY, json={"code": link()}).status_code == 200
    assert enrol(browser, phone).status_code == 201

    assert json_of(sign_in(new_client(), phone))["user"] == person.user


def test_link_is_good_once(
    app: Flask, link: Callable[[], str], new_client: Callable[[], Browser]
) -> None:
    """CVE-2026-37982."""
    code = link()
    assert new_client().post(RECOVERY, json={"code": code}).status_code == 200
    before = contents(app)

    assert refusal(new_client().post(RECOVERY, json={"code": code})) == UNUSABLE

    assert contents(app) == before


def test_link_is_good_for_an_hour(
    app: Flask, link: Callable[[], str], new_client: Callable[[], Browser]
) -> None:
    with time_machine.travel("2031-01-01T00:00:00Z", tick=False) as time:
        first = link()
        time.shift(timedelta(hours=1))
        before = contents(app)
        assert refusal(new_client().post(RECOVERY, json={"code": first})) == UNUSABLE
        assert contents(app) == before

        second = link()
        time.shift(timedelta(seconds=3599))
        assert new_client().post(RECOVERY, json={"code": second}).status_code == 200


def test_second_link_voids_the_first(
    link: Callable[[], str], new_client: Callable[[], Browser]
) -> None:
    first, second = link(), link()

    assert refusal(new_client().post(RECOVERY, json={"code": first})) == UNUSABLE
    assert new_client().post(RECOVERY, json={"code": second}).status_code == 200


def test_link_leaves_the_persons_own_codes_alone(
    person: Person, link: Callable[[], str], new_client: Callable[[], Browser]
) -> None:
    codes = new_codes(person.client)

    link()

    assert json_of(person.client.get("/api/auth/recovery-codes"))["remaining"] == 10
    assert new_client().post(RECOVERY, json={"code": codes[0]}).status_code == 200


def test_new_codes_of_the_person_leave_the_link_alone(
    person: Person, link: Callable[[], str], new_client: Callable[[], Browser]
) -> None:
    code = link()

    new_codes(person.client)

    assert new_client().post(RECOVERY, json={"code": code}).status_code == 200


def test_link_of_a_disabled_account_opens_nothing(
    app: Flask, link: Callable[[], str], new_client: Callable[[], Browser]
) -> None:
    code = link()
    change(app, User, disabled_at=datetime.now(UTC))
    before = contents(app)

    assert refusal(new_client().post(RECOVERY, json={"code": code})) == UNUSABLE

    assert contents(app) == before
    change(app, User, disabled_at=None)
    assert new_client().post(RECOVERY, json={"code": code}).status_code == 200


def test_operator_is_shown_no_credential_and_changes_none(
    app: Flask, person: Person, link: Callable[[], str]
) -> None:
    """ASVS 6.4.6: what is made is one code, of which the hash alone is kept."""
    before = contents(app, without=("webauthn_challenges", "recovery_codes"))

    code = link()

    assert contents(app, without=("webauthn_challenges", "recovery_codes")) == before
    assert count(app, RecoveryCode) == 1
    assert code not in str(contents(app))
