"""What a session at an application is good for, and how long it lasts."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from app import clock
from app.models import User
from tests.support.clients import Browser
from tests.support.handed_over import (
    FORUM,
    WIKI,
    arrive,
    children,
    go,
    leads_to,
    register,
    set_out,
    take_cookie,
    token_at,
    verify,
    way_back,
)
from tests.support.people import (
    SESSION_COOKIE,
    Person,
    is_signed_in,
    refusal,
    sign_in,
    sign_up,
    step_up,
    token_of,
)
from tests.support.tables import change
from tests.support.variables import ORIGIN

NewClient = Callable[[], Browser]


@pytest.fixture
def ada(app: Flask, client: Browser) -> Person:
    """Be signed in at the identity host; there are a wiki and a forum."""
    register(app)
    register(app, "forum", origins=[FORUM])
    return sign_up(client)


def test_childs_token_opens_its_application_and_nothing_else(
    app: Flask, ada: Person, new_client: NewClient
) -> None:
    token, thief = arrive(ada.client), new_client()
    take_cookie(thief, ORIGIN, token)
    take_cookie(thief, FORUM, token)

    assert verify(app, token) == 204
    assert verify(app, token, "app=forum") == 401
    assert verify(app, token, "") == 401
    assert not is_signed_in(thief)
    for path in ("/api/users/me", "/api/auth/sessions", "/api/auth/credentials"):
        assert refusal(thief.get(path)) == (401, "not_signed_in")
    assert leads_to(go(thief, leads_to(set_out(thief)))).startswith("/sign-in")
    assert leads_to(set_out(thief, FORUM)).startswith(f"{ORIGIN}/api/auth/handover?app=forum")
    assert is_signed_in(ada.client)


def test_roots_token_opens_no_application(app: Flask, ada: Person, new_client: NewClient) -> None:
    root, thief = token_of(ada.client), new_client()
    take_cookie(thief, WIKI, root)

    assert verify(app, root) == 401
    assert leads_to(set_out(thief)).startswith(f"{ORIGIN}/api/auth/handover")
    assert verify(app, root, "") == 204
    assert verify(app, arrive(ada.client)) == 204


def test_each_application_has_a_session_of_its_own(app: Flask, ada: Person) -> None:
    wiki, forum = arrive(ada.client), arrive(ada.client, FORUM)

    assert wiki != forum
    assert (verify(app, forum, "app=forum"), verify(app, forum)) == (204, 401)


def test_sessions_at_applications_are_no_devices(ada: Person) -> None:
    arrive(ada.client)
    arrive(ada.client, FORUM)

    listed = ada.client.get("/api/auth/sessions").get_json()["items"]

    assert [one["current"] for one in listed] == [True]


def test_arriving_again_ends_what_the_browser_had(app: Flask, ada: Person) -> None:
    first = arrive(ada.client)
    code = _code_of_another_tab(ada, first)

    assert leads_to(go(ada.client, code)) == f"{WIKI}/page"

    assert (verify(app, first), verify(app, token_at(ada.client))) == (401, 204)
    assert len(children(app)) == 1


def test_ninth_session_at_one_application_ends_the_first(app: Flask, ada: Person) -> None:
    tokens = []
    for _ in range(9):
        tokens.append(arrive(ada.client))
        ada.client.delete_cookie(SESSION_COOKIE, domain="wiki.localhost")
    forum = arrive(ada.client, FORUM)

    assert [verify(app, token) for token in tokens] == [401, *[204] * 8]
    assert verify(app, forum, "app=forum") == 204


def _code_of_another_tab(person: Person, token: str) -> str:
    """Set out before the session of the first tab came, and keep that session."""
    person.client.delete_cookie(SESSION_COOKIE, domain="wiki.localhost")
    location = way_back(person.client)
    take_cookie(person.client, WIKI, token)
    return location


def test_idle_root_is_kept_alive_by_its_childs_use(app: Flask, client: Browser) -> None:
    with time_machine.travel(clock.now()) as traveller:
        register(app)
        sign_up(client)
        token = arrive(client)
        for _ in range(4):
            traveller.shift(timedelta(days=2))
            assert verify(app, token) == 204
        assert is_signed_in(client)

        traveller.shift(timedelta(days=3, seconds=61))
        assert verify(app, token) == 401
        assert not is_signed_in(client)


def test_child_ends_with_its_roots_time_and_not_before(app: Flask, client: Browser) -> None:
    with time_machine.travel(clock.now()) as traveller:
        register(app)
        person = sign_up(client)
        token = arrive(client)
        for _ in range(10):
            traveller.shift(timedelta(days=2))
            assert verify(app, token) == 204
        # A step-up puts the root's end off, and so its child's.
        assert step_up(client, person.phone).status_code == 200
        for _ in range(14):
            traveller.shift(timedelta(days=2))
            assert verify(app, token) == 204
        traveller.shift(timedelta(days=2))
        assert verify(app, token) == 401


def test_whatever_ends_the_root_ends_its_children(app: Flask, ada: Person) -> None:
    token = arrive(ada.client)
    other = sign_in(ada.client, ada.phone)
    assert other.status_code == 200

    assert verify(app, token) == 401
    assert children(app) == []


def test_person_is_refused_at_once_everywhere(app: Flask, ada: Person) -> None:
    token = arrive(ada.client)

    change(app, User, disabled_at=clock.now())
    assert verify(app, token) == 401
    change(app, User, disabled_at=None)
    assert verify(app, token) == 204
