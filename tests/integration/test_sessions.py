"""Sessions: seen and ended by their owner and nobody else (F17).

ASVS 7.2.1, 7.4.1, 7.4.2, 7.5.2, 8.2.2, 8.3.2; NI-4.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app import clock
from app.models import User
from app.services.roles import change_role
from tests.conftest import Transaction
from tests.support.clients import Browser
from tests.support.people import (
    SESSION_COOKIE,
    hand_over,
    is_signed_in,
    json_of,
    refusal,
    sign_up,
    token_of,
)
from tests.support.sessions import listed, only_row, sign_in_again
from tests.support.tables import change

NewClient = Callable[[], Browser]


def test_sign_out_ends_the_session_on_the_server(client: Browser, new_client: NewClient) -> None:
    person = sign_up(client)
    elsewhere = new_client()
    sign_in_again(person, elsewhere)
    stolen = hand_over(new_client(), token_of(client))
    assert is_signed_in(stolen)

    assert client.delete("/api/auth/session").status_code == 204

    assert client.get_cookie(SESSION_COOKIE) is None
    assert refusal(stolen.get("/api/auth/session")) == (401, "not_signed_in")
    assert is_signed_in(elsewhere)


@pytest.mark.parametrize("held", [None, "obs_" + "A" * 43])
def test_signing_out_twice_is_no_fault(client: Browser, held: str | None) -> None:
    if held is not None:
        hand_over(client, held)

    assert client.delete("/api/auth/session").status_code == 204


def test_list_shows_my_live_sessions_and_marks_this_one(
    client: Browser, new_client: NewClient
) -> None:
    idle = timedelta(days=3)
    with time_machine.travel(clock.now(), tick=False) as time:
        person = sign_up(client)
        sign_up(new_client(), email="eve@example.org")
        phone, unused = new_client(), new_client()
        sign_in_again(person, unused)
        time.shift(idle / 2)
        assert is_signed_in(client)
        time.shift(idle / 2)
        second = sign_in_again(person, phone)

        mine = listed(client)

        assert [(each["id"] == second, each["current"]) for each in mine] == [
            (False, True),
            (True, False),
        ]
        assert [each["current"] for each in listed(phone)] == [False, True]
        assert {each["authenticated_with"] for each in mine} == {"passkey"}


def test_list_comes_in_pages(client: Browser, new_client: NewClient) -> None:
    person = sign_up(client)
    made = [listed(client)[0]["id"], *(sign_in_again(person, new_client()) for _ in range(4))]

    pages, query = [], "limit=2"
    while query:
        page = json_of(client.get(f"/api/auth/sessions?{query}"))
        pages.append([each["id"] for each in page["items"]])
        query = f"limit=2&after={page['next']}" if page["next"] else ""

    assert [len(page) for page in pages] == [2, 2, 1]
    assert [each for page in pages for each in page] == sorted(made)


def test_ended_session_is_refused_at_its_next_request(
    client: Browser, new_client: NewClient
) -> None:
    person = sign_up(client)
    laptop, phone = new_client(), new_client()
    ended = sign_in_again(person, laptop)
    sign_in_again(person, phone)
    assert is_signed_in(laptop)

    assert client.delete(f"/api/auth/sessions/{ended}").status_code == 204

    assert refusal(laptop.get("/api/auth/session")) == (401, "not_signed_in")
    assert is_signed_in(phone)
    assert is_signed_in(client)


def test_ending_this_session_signs_out_here(client: Browser) -> None:
    sign_up(client)
    (mine,) = listed(client)

    answer = client.delete(f"/api/auth/sessions/{mine['id']}")

    assert answer.status_code == 204
    assert client.get_cookie(SESSION_COOKIE) is None
    assert "Clear-Site-Data" in answer.headers


def test_ending_the_others_keeps_this_one(client: Browser, new_client: NewClient) -> None:
    """ASVS 7.4.3."""
    person = sign_up(client)
    stranger = sign_up(new_client(), email="eve@example.org").client
    others = [new_client(), new_client()]
    for other in others:
        sign_in_again(person, other)

    answer = client.delete("/api/auth/sessions")

    assert json_of(answer) == {"ended": 2}
    assert not any(is_signed_in(other) for other in others)
    assert is_signed_in(client)
    assert is_signed_in(stranger)


def test_session_of_somebody_else_is_not_found(client: Browser, new_client: NewClient) -> None:
    victim = sign_up(new_client(), email="eve@example.org").client
    (theirs,) = listed(victim)
    sign_up(client)
    (mine,) = listed(client)

    answer = client.delete(f"/api/auth/sessions/{theirs['id']}")

    assert refusal(answer) == (404, "not_found")
    assert is_signed_in(victim)
    assert client.delete(f"/api/auth/sessions/{mine['id']}").status_code == 204


def test_twenty_first_sign_in_ends_the_oldest_session(
    client: Browser, new_client: NewClient
) -> None:
    """ASVS 7.1.2."""
    person = sign_up(client)
    stranger = sign_up(new_client(), email="eve@example.org").client
    others = [new_client() for _ in range(20)]
    for other in others[:19]:
        sign_in_again(person, other)
    assert is_signed_in(client)

    sign_in_again(person, others[19])

    assert not is_signed_in(client)
    assert all(is_signed_in(other) for other in others)
    assert is_signed_in(stranger)


def test_sessions_of_a_disabled_person_are_refused_at_once(app: Flask, client: Browser) -> None:
    """CVE-2025-65430, CVE-2026-97056."""
    sign_up(client)
    assert is_signed_in(client)

    change(app, User, disabled_at=clock.now())

    assert refusal(client.get("/api/auth/session")) == (401, "not_signed_in")
    change(app, User, disabled_at=None)
    assert is_signed_in(client)


def test_role_change_ends_the_sessions_of_the_old_role(
    client: Browser, transaction: Transaction
) -> None:
    person = sign_up(client)

    with transaction() as session:
        user = session.scalars(select(User)).one()
        assert change_role(session, user=user, role="admin") == 1

    assert not is_signed_in(client)
    sign_in_again(person, client)
    answer = json_of(client.get("/api/auth/session"))
    assert answer["user"]["role"] == "admin"
    left = only_row(transaction).expires_at - clock.now()
    assert timedelta(hours=11, minutes=59) < left <= timedelta(hours=12)


def test_role_is_read_at_every_request(app: Flask, client: Browser) -> None:
    assert sign_up(client).user["role"] == "user"

    change(app, User, role="admin")

    assert json_of(client.get("/api/users/me"))["role"] == "admin"
