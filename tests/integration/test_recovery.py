"""Recovery codes: ten, shown once, each good once, for enrolling a passkey and nothing else."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.models import RecoveryCode, User
from app.services.tokens import hash_code
from tests.conftest import Transaction
from tests.support.clients import Browser
from tests.support.people import (
    Person,
    enrol,
    hand_over,
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
from tests.support.tables import change, contents

CODES, RECOVERY = "/api/auth/recovery-codes", "/api/auth/recovery"
UNUSABLE = (403, "recovery_code_unusable")
ENROLMENT_ONLY = (403, "enrolment_only")
CODE = re.compile(r"([0-9A-HJKMNP-TV-Z]{5}-){4}[0-9A-HJKMNP-TV-Z]{5}")


@pytest.fixture
def person(client: Browser) -> Person:
    return sign_up(client)


@pytest.fixture
def codes(person: Person) -> list[str]:
    return new_codes(person.client)


@pytest.fixture
def recovering(codes: list[str], new_client: Callable[[], Browser]) -> Browser:
    """Give a browser in which a code was just used."""
    browser = new_client()
    assert browser.post(RECOVERY, json={"code": codes[0]}).status_code == 200
    return browser


@pytest.fixture
def time() -> Iterator[time_machine.Traveller]:
    """Stop the clock."""
    with time_machine.travel("2031-01-01T00:00:00Z", tick=False) as time:
        yield time


def test_ten_codes_are_made_for_people_to_copy(codes: list[str]) -> None:
    assert len(set(codes)) == 10
    assert all(CODE.fullmatch(code) for code in codes)


def test_codes_are_counted_and_never_shown_again(person: Person, codes: list[str]) -> None:
    told = person.client.get(CODES)

    assert json_of(told)["remaining"] == 10
    assert set(json_of(told)) == {"remaining", "created_at"}


def test_codes_are_stored_as_hashes_alone(codes: list[str], transaction: Transaction) -> None:
    """ASVS 6.5.2."""
    with transaction() as session:
        rows = session.scalars(select(RecoveryCode)).all()

    assert {row.code_hash for row in rows} == {hash_code(code) for code in codes}
    assert all(len(row.code_hash) == 32 for row in rows)


def test_used_code_is_counted_off(person: Person, codes: list[str], recovering: Browser) -> None:
    assert json_of(person.client.get(CODES))["remaining"] == 9


TYPED: dict[str, Callable[[str], str]] = {
    "as printed": str,
    "small letters": str.lower,
    "no dashes": lambda code: code.replace("-", ""),
    "spaces": lambda code: f"  {code.replace('-', ' ')} ",
    "O for 0": lambda code: code.replace("0", "O"),
    "I for 1": lambda code: code.replace("1", "I"),
    "l for 1": lambda code: code.replace("1", "l"),
}


@pytest.mark.parametrize("typed", TYPED.values(), ids=TYPED)
def test_code_is_good_however_it_is_typed(
    person: Person,
    new_client: Callable[[], Browser],
    transaction: Transaction,
    typed: Callable[[str], str],
) -> None:
    code = "0123A-0B1CD-EFGH0-JKMN1-PQRST"
    with transaction() as session:
        user_id = session.scalars(select(User.id)).one()
        session.add(RecoveryCode(code_hash=hash_code(code), user_id=user_id))

    answer = new_client().post(RECOVERY, json={"code": typed(code)})

    assert answer.status_code == 200
    assert json_of(answer)["user"] == person.user
    assert json_of(answer)["session"]["authenticated_with"] == "recovery_code"


@pytest.mark.parametrize("code", ["x", "00000-00000-00000-00000-00000", "🗝" * 25])
def test_code_of_nobody_opens_nothing(
    app: Flask, codes: list[str], new_client: Callable[[], Browser], code: str
) -> None:
    browser, before = new_client(), contents(app)

    assert refusal(browser.post(RECOVERY, json={"code": code})) == UNUSABLE

    assert contents(app) == before
    assert browser.post(RECOVERY, json={"code": codes[0]}).status_code == 200


@pytest.mark.parametrize("body", [{}, {"code": 5}, {"code": ""}, {"code": "x", "email": "y"}])
def test_body_that_is_not_what_recovery_takes_is_refused(
    codes: list[str], new_client: Callable[[], Browser], body: dict[str, object]
) -> None:
    assert refusal(new_client().post(RECOVERY, json=body)) == (422, "invalid_body")

    assert new_client().post(RECOVERY, json={"code": codes[0]}).status_code == 200


def test_code_is_good_once(
    app: Flask, codes: list[str], recovering: Browser, new_client: Callable[[], Browser]
) -> None:
    """ASVS 6.5.1."""
    browser, before = new_client(), contents(app)

    assert refusal(browser.post(RECOVERY, json={"code": codes[0]})) == UNUSABLE

    assert contents(app) == before
    assert browser.post(RECOVERY, json={"code": codes[1]}).status_code == 200


def test_new_codes_void_the_old_ones(
    person: Person, codes: list[str], new_client: Callable[[], Browser]
) -> None:
    fresh = new_codes(person.client)

    assert not set(fresh) & set(codes)
    assert refusal(new_client().post(RECOVERY, json={"code": codes[0]})) == UNUSABLE
    assert json_of(person.client.get(CODES))["remaining"] == 10
    assert new_client().post(RECOVERY, json={"code": fresh[0]}).status_code == 200


def test_new_codes_leave_those_of_others_alone(
    person: Person, codes: list[str], new_client: Callable[[], Browser]
) -> None:
    new_codes(sign_up(new_client(), email="eve@example.org").client)

    assert json_of(person.client.get(CODES))["remaining"] == 10
    opened = new_client().post(RECOVERY, json={"code": codes[0]})
    assert json_of(opened)["user"] == person.user


def test_code_of_a_disabled_account_opens_nothing_and_is_not_spent(
    app: Flask, codes: list[str], new_client: Callable[[], Browser]
) -> None:
    browser = new_client()
    change(app, User, disabled_at=datetime.now(UTC))
    before = contents(app)

    assert refusal(browser.post(RECOVERY, json={"code": codes[0]})) == UNUSABLE

    assert contents(app) == before
    change(app, User, disabled_at=None)
    assert browser.post(RECOVERY, json={"code": codes[0]}).status_code == 200


def test_recovery_session_enrols_a_passkey_and_is_a_full_one_then(
    person: Person, recovering: Browser, new_client: Callable[[], Browser]
) -> None:
    """A9: the recovery session's token is dead after it."""
    old, phone = token_of(recovering), new_phone()
    assert refusal(recovering.get("/api/auth/session")) == ENROLMENT_ONLY

    enrolled = enrol(recovering, phone, name="New phone")

    assert enrolled.status_code == 201
    assert json_of(enrolled)["user"] == person.user
    assert json_of(enrolled)["session"]["authenticated_with"] == "passkey"
    assert token_of(recovering) != old
    assert refusal(hand_over(new_client(), old).get("/api/auth/session")) == (401, "not_signed_in")
    assert [one["name"] for one in passkeys(recovering)] == ["Passkey", "New phone"]
    assert json_of(sign_in(new_client(), phone))["user"] == person.user


def test_recovery_session_enrols_one_passkey(
    app: Flask, recovering: Browser, new_client: Callable[[], Browser]
) -> None:
    """Two ceremonies begun in it: the second finds its session gone, and its challenge with it."""
    token = token_of(recovering)
    phones = [new_phone(), new_phone()]
    path = "/api/auth/credentials"
    answers = [phone.create(post(recovering, f"{path}/options")) for phone in phones]

    first = recovering.post(path, json={"credential": answers[0]})
    before = contents(app)
    second = hand_over(recovering, token).post(path, json={"credential": answers[1]})

    assert first.status_code == 201
    assert refusal(second) == (401, "not_signed_in")
    assert contents(app) == before


def test_recovery_session_ends_after_a_quarter_of_an_hour(
    time: time_machine.Traveller, recovering: Browser
) -> None:
    time.shift(timedelta(minutes=15, seconds=-1))
    assert post(recovering, "/api/auth/credentials/options")

    time.shift(timedelta(seconds=1))

    refused = recovering.post("/api/auth/credentials/options", json={})
    assert refusal(refused) == (401, "not_signed_in")


def test_recovery_session_can_be_given_up(recovering: Browser) -> None:
    token = token_of(recovering)

    assert recovering.delete("/api/auth/session").status_code == 204

    refused = hand_over(recovering, token).post("/api/auth/credentials/options", json={})
    assert refusal(refused) == (401, "not_signed_in")
