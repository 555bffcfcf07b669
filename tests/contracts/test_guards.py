"""Every route says who may call it, and holds to it (ASVS 8.2.1, 8.3.1, CS-5, A17)."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from werkzeug.test import TestResponse

from app import clock
from app.blueprints.guards import Level, Operation
from app.blueprints.handover.hosts import require_place
from app.identifiers import new_id
from app.models import User
from tests.support.clients import Browser
from tests.support.people import Person, json_of, new_codes, sign_up, step_up
from tests.support.tables import change

LEVELS = {
    "GET /": "public",
    "GET /.identity/<application:application_id>/callback": "public",
    "GET /.identity/<application:application_id>/refused": "public",
    "GET /.identity/<application:application_id>/sign-out": "public",
    "POST /.identity/<application:application_id>/sign-out": "public",
    "POST /.identity/<application:application_id>/sign-out/everywhere": "public",
    "GET /.identity/<application:application_id>/start": "public",
    "GET /.identity/<application:application_id>/static/<file>": "public",
    "GET /account": "signed_in",
    "GET /docs": "public",
    "GET /healthz": "public",
    "GET /not-allowed": "public",
    "GET /openapi.json": "public",
    "GET /readyz": "public",
    "GET /recovery": "public",
    "GET /sign-in": "public",
    "GET /sign-in/refused": "public",
    "GET /sign-up": "public",
    "POST /api/auth/authentication": "public",
    "POST /api/auth/authentication/options": "public",
    "GET /api/auth/credentials": "signed_in",
    "POST /api/auth/credentials": "enrolment",
    "DELETE /api/auth/credentials/<id:id>": "step_up",
    "PATCH /api/auth/credentials/<id:id>": "signed_in",
    "POST /api/auth/credentials/options": "enrolment",
    "POST /api/auth/reauthentication": "signed_in",
    "POST /api/auth/reauthentication/options": "signed_in",
    "GET /api/auth/handover": "public",
    "POST /api/auth/recovery": "public",
    "GET /api/auth/recovery-codes": "signed_in",
    "POST /api/auth/recovery-codes": "step_up",
    "POST /api/auth/registration": "public",
    "POST /api/auth/registration/options": "public",
    "DELETE /api/auth/session": "public",
    "GET /api/auth/session": "signed_in",
    "DELETE /api/auth/sessions": "step_up",
    "GET /api/auth/sessions": "signed_in",
    "DELETE /api/auth/sessions/<id:id>": "step_up",
    "GET /api/auth/verify": "public",
    "GET /api/oauth/accounts": "signed_in",
    "DELETE /api/oauth/accounts/<id:id>": "step_up",
    "GET /api/oauth/<provider:provider>/authorize": "public",
    "GET /api/oauth/<provider:provider>/callback": "public",
    "POST /api/oauth/<provider:provider>/link": "step_up",
    "POST /api/oauth/<provider:provider>/reauthenticate": "signed_in",
    "GET /api/oauth/providers": "public",
    "GET /api/users/me": "signed_in",
    "PATCH /api/users/me": "signed_in",
}

NOT_SIGNED_IN = (401, "not_signed_in")
ENROLMENT_ONLY = (403, "enrolment_only")
STEP_UP_REQUIRED = (403, "step_up_required")

REFUSED: dict[str, dict[str, tuple[int, str]]] = {
    "anonymous": dict.fromkeys(("signed_in", "step_up", "enrolment"), NOT_SIGNED_IN),
    "disabled": dict.fromkeys(("signed_in", "step_up", "enrolment"), NOT_SIGNED_IN),
    "recovering": dict.fromkeys(("signed_in", "step_up"), ENROLMENT_ONLY),
    "stale": dict.fromkeys(("step_up", "enrolment"), STEP_UP_REQUIRED),
    "fresh": {},
    "stale, then stepped up": {},
}
"""Whom a guard turns away, and how; everybody else comes through."""

GUARDED = {NOT_SIGNED_IN, ENROLMENT_ONLY, STEP_UP_REQUIRED}


def guards_of(app: Flask) -> dict[str, object]:
    """Give what every route declares; None where it declares nothing."""
    return {
        f"{method} {rule.rule}": getattr(app.view_functions[rule.endpoint], "level", None)
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static"  # files that anybody may read
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def test_every_route_declares_the_level_of_this_table(app: Flask) -> None:
    assert guards_of(app) == {route: Level(level) for route, level in LEVELS.items()}


def test_unguarded_route_would_be_found(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    app.add_url_rule("/api/auth/forgotten", "forgotten", lambda: "everybody's")

    assert guards_of(app)["GET /api/auth/forgotten"] is None
    assert set(guards_of(app)) - set(LEVELS) == {"GET /api/auth/forgotten"}


def test_every_route_of_the_api_declares_what_it_takes_and_answers(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        declared = getattr(app.view_functions[rule.endpoint], "operation", None)
        assert isinstance(declared, Operation) or not rule.rule.startswith("/api/"), rule


def test_every_path_on_another_host_asks_the_registry_whose_it_is(app: Flask) -> None:
    rules = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/.identity/")]

    assert len(rules) == 7
    for rule in rules:
        assert rule.endpoint.startswith("handover."), rule
        assert rule.arguments >= {"application_id"}, rule
    assert require_place in app.before_request_funcs["handover"]


def call(client: Browser, route: str) -> TestResponse:
    """Call a route with nothing in the body and nobody's id in the path."""
    method, path = route.split()
    path = path.replace("<id:id>", new_id()).replace("<provider:provider>", "none")
    return client.open(path, method=method)


def refusal_by_guard(answer: TestResponse) -> tuple[int, str] | None:
    """Give status and code where the guard turned the caller away."""
    problem = json_of(answer) if answer.mimetype == "application/problem+json" else {}
    given = (answer.status_code, str(problem.get("code")))
    return given if given in GUARDED else None


@pytest.fixture
def callers(client: Browser, app: Flask) -> Iterator[Callable[[str], Browser]]:
    """Give the browser of each kind of caller."""
    with time_machine.travel(clock.now()) as traveller:
        person = sign_up(client)

        def become(who: str) -> Browser:
            if who == "anonymous":
                client.delete_cookie("openbadges_session_8000")
            if who == "disabled":
                change(app, User, disabled_at=clock.now())
            if who == "recovering":
                _recover(person)
            if who.startswith("stale"):
                traveller.shift(timedelta(minutes=10, seconds=1))
            if who.endswith("stepped up"):
                assert step_up(client, person.phone).status_code == 200
            return client

        yield become


def _recover(person: Person) -> None:
    (code, *_) = new_codes(person.client)
    assert person.client.post("/api/auth/recovery", json={"code": code}).status_code == 200


@pytest.mark.parametrize("who", REFUSED)
def test_guard_turns_away_whom_it_must_and_nobody_else(
    callers: Callable[[str], Browser], who: str
) -> None:
    client = callers(who)
    # The session gate turns away by itself. Signing out comes last, or the rest would be anonymous.
    guarded = (route for route in LEVELS if "/api/" in route and not route.endswith("/verify"))
    routes = sorted(guarded, key="DELETE /api/auth/session".__eq__)

    refused = {route: refusal_by_guard(call(client, route)) for route in routes}

    assert refused == {route: REFUSED[who].get(LEVELS[route]) for route in routes}


@pytest.mark.parametrize(
    ("who", "target"),
    [("anonymous", "/sign-in?return_to=/account"), ("recovering", "/recovery"), ("fresh", None)],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_page_leads_to_where_one_can_go_on(
    callers: Callable[[str], Browser], who: str, target: str | None, method: str
) -> None:
    answer = callers(who).open("/account", method=method)

    expected = (200, None) if target is None else (303, target)
    assert (answer.status_code, answer.location) == expected
