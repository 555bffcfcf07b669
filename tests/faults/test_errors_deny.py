"""An error inside, at whatever step and of whatever kind, lets nobody pass and tells nothing.

P4, ASVS 16.5.1, 16.5.2, 16.5.3, 16.5.4.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy.exc import InterfaceError, OperationalError
from werkzeug.test import TestResponse

from app import clock
from app.models import UserSession
from tests.conftest import NewTally
from tests.support.callers import assert_tells_no_secret
from tests.support.clients import Browser
from tests.support.counts import trials
from tests.support.people import Person, passkeys, post, refusal, sign_up
from tests.support.tables import change, contents

UNAVAILABLE, CRASH = (503, "database_unavailable"), (500, "internal_error")
DRIVERS_WORDS = Exception("server closed the connection unexpectedly")

FAULTS: dict[str, Callable[[], Exception]] = {
    "operational_error": lambda: OperationalError("SELECT token", {}, DRIVERS_WORDS),
    "interface_error": lambda: InterfaceError("SELECT token", {}, DRIVERS_WORDS),
    "runtime_error": lambda: RuntimeError("sqlalchemy has met SELECT token"),
    "key_error": lambda: KeyError("psycopg"),
    "memory_error": lambda: MemoryError("sqlite3"),
}
TRIED = list(FAULTS) if trials(10) > 1 else ["operational_error", "runtime_error"]
OF_THE_DATABASE = {"operational_error", "interface_error"}


@dataclass(frozen=True, kw_only=True)
class Step:
    """A function that can fail, and whether it runs inside a unit of work."""

    name: str
    in_unit: bool = True
    forgives: bool = False
    """The step is a courtesy, for which nobody is held up by the database."""
    after_commit: bool = False
    """It also comes when all is done, so that the fault takes but the answer."""


STEPS = [
    Step(name="app.blueprints.baseline.cookies.read_session_cookie", in_unit=False),
    Step(name="app.blueprints.current.hash_secret", in_unit=False),
    Step(name="app.services.sessions.find_session"),
    Step(name="app.services.sessions.hash_secret"),
    Step(name="app.services.sessions.clock.now"),
    Step(name="app.services.sessions.active_session", in_unit=False, after_commit=True),
    Step(name="app.blueprints.current.name_in_log", in_unit=False, after_commit=True),
    Step(name="app.blueprints.guards.is_due_for_touch", in_unit=False),
    Step(name="app.blueprints.guards.touch_sessions", forgives=True),
    Step(name="app.blueprints.step_up.is_fresh", in_unit=False),
    Step(name="app.blueprints.guards.consume_challenge"),
    Step(name="app.blueprints.guards.hold_session"),
    Step(name="app.transaction._attempt"),
    Step(name="app.transaction.Session.connection"),
    Step(name="app.transaction.Session.execute"),
    Step(name="app.transaction.Session.scalar"),
    Step(name="app.transaction.Session.commit"),
    Step(name="app.transaction.Session.flush"),
]


@pytest.fixture
def person(client: Browser) -> Person:
    return sign_up(client)


def finish_step_up(person: Person) -> Callable[[], TestResponse]:
    options = post(person.client, "/api/auth/reauthentication/options")
    body = {"credential": person.phone.get(options)}
    return lambda: person.client.post("/api/auth/reauthentication", json=body)


def finish_sign_in(person: Person) -> Callable[[], TestResponse]:
    options = post(person.client, "/api/auth/authentication/options")
    body = {"credential": person.phone.get(options)}
    return lambda: person.client.post("/api/auth/authentication", json=body)


REQUESTS: dict[str, Callable[[Person], Callable[[], TestResponse]]] = {
    "who": lambda person: lambda: person.client.get("/api/auth/session"),
    "account": lambda person: lambda: person.client.get("/account"),
    "rename": lambda person: (
        lambda: person.client.patch("/api/users/me", json={"name": "Ada", "locale": "de"})
    ),
    "codes": lambda person: lambda: person.client.post("/api/auth/recovery-codes"),
    "step_up": finish_step_up,
    "sign_in": finish_sign_in,
}


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name.removeprefix("app."))
def test_a_step_that_fails_denies(
    app: Flask, person: Person, new_tally: NewTally, step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: the same request without the fault does what it should."""
    tally = new_tally("Locked and away", "an internal error at a step of a request")
    reached = 0
    for fault in TRIED:
        for prepare in REQUESTS.values():
            ask = prepare(person)
            if step.forgives:
                change(app, UserSession, last_seen_at=clock.now() - timedelta(minutes=2))
            before = contents(app)
            with failing(monkeypatch, step.name, FAULTS[fault]) as times:
                answer = ask()
            if not times:
                continue
            reached += 1
            with tally.trial():
                assert_denied(answer, step, fault)
                assert step.forgives or step.after_commit or contents(app) == before
            assert prepare(person)().status_code in {200, 201}
    assert reached >= len(TRIED), "the step was hardly reached"
    assert len(passkeys(person.client)) == 1


@contextmanager
def failing(
    monkeypatch: pytest.MonkeyPatch, name: str, make: Callable[[], Exception]
) -> Iterator[list[str]]:
    """Let a function fail until the block ends; gives a list that grows with each call."""
    times: list[str] = []

    def fail(*_arguments: object, **_keywords: object) -> None:
        times.append(name)
        raise make()

    with monkeypatch.context() as patch:
        patch.setattr(name, fail)
        yield times


def assert_denied(answer: TestResponse, step: Step, fault: str) -> None:
    assert_tells_no_secret(answer)
    of_database = fault in OF_THE_DATABASE
    if of_database and step.forgives:
        assert answer.status_code in {200, 201}
        return
    status, code = UNAVAILABLE if of_database and step.in_unit else CRASH
    if answer.mimetype == "text/html":
        assert answer.status_code == status
    else:
        assert refusal(answer) == (status, code)
    assert ("Retry-After" in answer.headers) is (status == UNAVAILABLE[0])
