"""Step-up: what changes the ways into an account asks for a passkey again after a while."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import UUID

import pytest
import time_machine
from flask import Flask
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from tests.support.authenticator import Authenticator, decode
from tests.support.clients import Browser
from tests.support.people import (
    Person,
    add_passkey,
    hand_over,
    is_signed_in,
    json_of,
    new_phone,
    post,
    refusal,
    sign_in,
    sign_up,
    step_up,
    token_of,
)
from tests.support.tables import contents

REJECTED = (401, "assertion_rejected")
STEP_UP_SECONDS = 600
NEED_STEP_UP = {
    "POST /api/auth/credentials",
    "POST /api/auth/credentials/options",
    "DELETE /api/auth/credentials/<id>",
    "POST /api/auth/recovery-codes",
    "DELETE /api/auth/sessions",
    "DELETE /api/auth/sessions/<id>",
    "POST /api/oauth/github/link",
    "DELETE /api/oauth/accounts/<id>",
}
NOBODYS = str(UUID(int=0x7 << 76 | 0x8 << 60))


@pytest.fixture
def time() -> Iterator[time_machine.Traveller]:
    """Stop the clock."""
    with time_machine.travel("2031-01-01T00:00:00Z", tick=False) as time:
        yield time


@pytest.fixture
def person(time: time_machine.Traveller, client: Browser) -> Person:
    return sign_up(client)


def routes(app: Flask) -> dict[str, tuple[str, str]]:
    """Give the method and a path of every operation of the API, by its name."""
    return {
        f"{method} {named(rule)}": (method, named(rule).replace("<id>", NOBODYS))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def named(rule: Rule) -> str:
    return rule.rule.replace("<id:id>", "<id>").replace("<provider:provider>", "github")


def ask(client: Browser, method: str, path: str) -> TestResponse:
    return client.open(path, method=method, json={} if method in {"POST", "PATCH"} else None)


def in_need_of_step_up(app: Flask, client: Browser) -> set[str]:
    token, found = token_of(client), set()
    operations = routes(app)
    # Last, since it ends the session that all others are asked with.
    operations["DELETE /api/auth/session"] = operations.pop("DELETE /api/auth/session")
    for name, (method, path) in operations.items():
        answer = ask(hand_over(client, token), method, path)
        if answer.status_code == 403:
            assert refusal(answer) == (403, "step_up_required"), name
            found.add(name)
    return found


def test_routes_that_change_the_ways_in_need_a_step_up_and_no_others_do(
    app: Flask, person: Person, time: time_machine.Traveller
) -> None:
    """ASVS 7.5.1, 7.5.2, 7.5.3."""
    time.shift(timedelta(seconds=STEP_UP_SECONDS + 1))
    ways_in = contents(app, without=("users", "user_sessions", "webauthn_challenges"))

    assert in_need_of_step_up(app, person.client) == NEED_STEP_UP

    assert contents(app, without=("users", "user_sessions", "webauthn_challenges")) == ways_in


def test_no_route_needs_a_step_up_until_the_time_is_over(
    app: Flask, person: Person, time: time_machine.Traveller
) -> None:
    time.shift(timedelta(seconds=STEP_UP_SECONDS))

    assert post(person.client, "/api/auth/credentials/options")
    assert refusal(person.client.delete(f"/api/auth/sessions/{NOBODYS}")) == (404, "not_found")


def test_step_up_opens_what_it_was_needed_for(person: Person, time: time_machine.Traveller) -> None:
    time.shift(timedelta(seconds=STEP_UP_SECONDS + 1))
    path = "/api/auth/recovery-codes"
    assert refusal(person.client.post(path)) == (403, "step_up_required")

    assert step_up(person.client, person.phone).status_code == 200

    assert person.client.post(path).status_code == 201


def test_step_up_swaps_the_token_and_keeps_the_session(
    person: Person, time: time_machine.Traveller, new_client: Callable[[], Browser]
) -> None:
    """A9, ASVS 7.2.4, NI-7: the old token is dead at once; both lifetimes begin anew."""
    old = token_of(person.client)
    before = json_of(person.client.get("/api/auth/session"))["session"]
    time.shift(timedelta(hours=1))

    renewed = json_of(step_up(person.client, person.phone))["session"]

    assert token_of(person.client) != old
    assert not is_signed_in(hand_over(new_client(), old))
    assert json_of(person.client.get("/api/auth/session"))["session"] == renewed
    assert renewed == before | {
        "authenticated_at": "2031-01-01T01:00:00Z",
        "expires_at": "2031-01-31T01:00:00Z",
        "idle_expires_at": "2031-01-04T01:00:00Z",
    }


def test_options_name_the_passkeys_of_the_person_and_no_others(
    person: Person, time: time_machine.Traveller, new_client: Callable[[], Browser]
) -> None:
    sign_up(new_client(), email="eve@example.org")
    time.shift(timedelta(milliseconds=1))
    spare = new_phone()
    add_passkey(person, spare)

    allowed = post(person.client, "/api/auth/reauthentication/options")["allowCredentials"]

    (mine,), (also_mine,) = person.phone.credentials.values(), spare.credentials.values()
    assert [decode(one["id"]) for one in allowed] == [mine[0].id, also_mine[0].id]
    assert [one["transports"] for one in allowed] == [["hybrid", "internal"]] * 2


def test_passkey_of_somebody_else_is_no_proof(
    app: Flask, person: Person, new_client: Callable[[], Browser]
) -> None:
    """GHSA-97r5-pg8x-p63p: who finds a session open could freshen it by an account of their own."""
    eve = sign_up(new_client(), email="eve@example.org")
    token, before = token_of(person.client), contents(app)

    refused = step_up(person.client, eve.phone, credential=eve.credential)

    assert refusal(refused) == REJECTED
    assert contents(app) == before
    assert token_of(person.client) == token
    assert step_up(person.client, person.phone).status_code == 200


@pytest.mark.parametrize(
    "path", ["/api/auth/reauthentication/options", "/api/auth/reauthentication"]
)
def test_nobody_steps_up_without_a_session(
    client: Browser, new_client: Callable[[], Browser], path: str
) -> None:
    person, stranger = sign_up(client), new_client()

    assert refusal(stranger.post(path, json={})) == (401, "not_signed_in")

    assert step_up(client, person.phone).status_code == 200


def test_step_up_at_the_moment_the_session_ends_opens_nothing(
    app: Flask, person: Person, new_client: Callable[[], Browser]
) -> None:
    """The session ends elsewhere after the person began."""
    options = post(person.client, "/api/auth/reauthentication/options")
    other = new_client()
    assert sign_in(other, person.phone).status_code == 200
    assert json_of(other.delete("/api/auth/sessions")) == {"ended": 1}
    before = contents(app)

    answer = {"credential": person.phone.get(options)}
    refused = person.client.post("/api/auth/reauthentication", json=answer)

    assert refusal(refused) == (401, "not_signed_in")
    assert contents(app) == before
    assert step_up(other, person.phone).status_code == 200


def test_enrolling_and_removing_do_not_count_as_step_up(
    person: Person, time: time_machine.Traveller
) -> None:
    """Only a passkey that is used proves presence, and only the session's own token is fresh."""
    time.shift(timedelta(seconds=STEP_UP_SECONDS))
    phone: Authenticator = new_phone()
    add_passkey(person, phone)
    time.shift(timedelta(seconds=1))

    refused = person.client.post("/api/auth/credentials/options", json={})

    assert refusal(refused) == (403, "step_up_required")
    assert step_up(person.client, phone).status_code == 200
    assert post(person.client, "/api/auth/credentials/options")
