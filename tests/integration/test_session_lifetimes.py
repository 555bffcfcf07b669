"""How long sessions last, by the role of whose they are (ASVS 7.3.1, 7.3.2, NI-1, NI-2, NI-7)."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

import pytest
import time_machine
from flask import Flask

from app import clock
from app.models import UserSession
from app.services.invitations import invite_first_administrator
from tests.conftest import Transaction
from tests.support.clients import Browser
from tests.support.people import is_signed_in, new_codes, refusal, sign_up, step_up
from tests.support.sessions import listed, only_row
from tests.support.tables import change

DAY, HOUR, MINUTE, SECOND = (
    timedelta(days=1),
    timedelta(hours=1),
    timedelta(minutes=1),
    timedelta(seconds=1),
)


class Kind(NamedTuple):
    """The lifetimes of a role."""

    role: str
    idle: timedelta
    absolute: timedelta


ROLES = pytest.mark.parametrize(
    "kind",
    [Kind("user", 3 * DAY, 30 * DAY), Kind("admin", 15 * MINUTE, 12 * HOUR)],
    ids=lambda kind: kind.role,
)


@pytest.fixture
def time() -> Iterator[time_machine.Traveller]:
    """Stop the clock at a whole second; a test moves it by hand."""
    with time_machine.travel(clock.now().replace(microsecond=0), tick=False) as traveller:
        yield traveller


@pytest.fixture
def signed_in_as(client: Browser, transaction: Transaction) -> Callable[[str], Browser]:
    """Give a browser in which somebody of a role is signed in."""

    def begin(role: str) -> Browser:
        if role == "user":
            return sign_up(client).client
        with transaction() as session:
            invitation = invite_first_administrator(session)
        return sign_up(client, invitation=invitation).client

    return begin


@ROLES
@pytest.mark.parametrize(("late", "good"), [(-SECOND, True), (timedelta(), False)])
def test_unused_session_ends_when_its_idle_time_is_over(
    signed_in_as: Callable[[str], Browser],
    time: time_machine.Traveller,
    kind: Kind,
    late: timedelta,
    good: bool,  # noqa: FBT001
) -> None:
    client = signed_in_as(kind.role)

    time.shift(kind.idle + late)

    assert is_signed_in(client) is good


@ROLES
def test_use_puts_the_idle_end_off_and_never_the_absolute_one(
    signed_in_as: Callable[[str], Browser],
    transaction: Transaction,
    time: time_machine.Traveller,
    kind: Kind,
) -> None:
    client = signed_in_as(kind.role)
    end = only_row(transaction).expires_at
    assert end == clock.now() + kind.absolute

    while clock.now() + kind.idle - SECOND < end:
        time.shift(kind.idle - SECOND)
        assert is_signed_in(client)
    assert only_row(transaction).expires_at == end
    assert only_row(transaction).idle_expires_at == end
    time.move_to(end - SECOND)
    assert is_signed_in(client)

    time.move_to(end)
    assert refusal(client.get("/api/auth/session")) == (401, "not_signed_in")


@pytest.mark.parametrize("end", ["expires_at", "idle_expires_at"])
def test_either_end_is_enough(app: Flask, client: Browser, end: str) -> None:
    sign_up(client)

    change(app, UserSession, **{end: clock.now() + HOUR})
    assert is_signed_in(client)
    change(app, UserSession, **{end: clock.now() - SECOND})
    assert refusal(client.get("/api/auth/session")) == (401, "not_signed_in")


def test_recovery_session_lasts_a_quarter_of_an_hour_used_or_not(
    client: Browser, time: time_machine.Traveller
) -> None:
    code = new_codes(sign_up(client).client)[0]
    assert client.post("/api/auth/recovery", json={"code": code}).status_code == 200

    time.shift(15 * MINUTE - SECOND)
    assert client.post("/api/auth/credentials/options", json={}).status_code == 200

    time.shift(SECOND)
    assert refusal(client.post("/api/auth/credentials/options", json={}))[0] == 401


@pytest.mark.parametrize(("after", "is_written"), [(59 * SECOND, False), (60 * SECOND, True)])
def test_last_seen_is_written_at_most_once_a_minute(
    client: Browser,
    transaction: Transaction,
    time: time_machine.Traveller,
    after: timedelta,
    is_written: bool,  # noqa: FBT001
) -> None:
    sign_up(client)
    before = clock.now()

    time.shift(after)
    assert is_signed_in(client)

    seen = clock.now() if is_written else before
    row = only_row(transaction)
    assert (row.last_seen_at, row.idle_expires_at) == (seen, seen + 3 * DAY)


def test_step_up_begins_both_lifetimes_anew(client: Browser, time: time_machine.Traveller) -> None:
    person = sign_up(client)
    (first,) = listed(client)
    time.shift(2 * DAY)

    assert step_up(client, person.phone).status_code == 200

    (second,) = listed(client)
    assert second["id"] == first["id"]
    for moment in ("authenticated_at", "expires_at", "idle_expires_at", "last_seen_at"):
        moved = datetime.fromisoformat(second[moment]) - datetime.fromisoformat(first[moment])
        assert moved == 2 * DAY
