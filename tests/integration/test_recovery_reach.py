"""A17: what a recovery session reaches, found by walking the URL map."""

from collections.abc import Callable
from uuid import UUID

from flask import Flask
from werkzeug.routing import Rule

from tests.support.authenticator import Json
from tests.support.clients import Browser
from tests.support.people import hand_over, new_codes, sign_up, token_of
from tests.support.tables import contents

NOBODYS = str(UUID(int=0x7 << 76 | 0x8 << 60))
ENROLMENT = {"POST /api/auth/credentials", "POST /api/auth/credentials/options"}
PAGES_FOR_PEOPLE_SIGNED_IN = {"GET /account"}


def levels(app: Flask) -> dict[str, str]:
    """Give the level that each operation declares, by method and path."""
    return {
        f"{method} {path_of(rule)}": vars(app.view_functions[rule.endpoint])["level"]
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static"
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def path_of(rule: Rule) -> str:
    return rule.rule.replace("<id:id>", NOBODYS).replace("<provider:provider>", "github")


def reached(browser: Browser, operation: str) -> tuple[int, str | None]:
    """Ask for an operation; give the status, and the code or the place sent to."""
    method, path = operation.split()
    body: Json | None = {} if method in {"POST", "PATCH"} else None
    answer = browser.open(path, method=method, json=body)
    document = answer.get_json(silent=True) or {}
    return answer.status_code, document.get("code", answer.headers.get("Location"))


def test_recovery_session_may_enrol_a_passkey_and_nothing_else(
    app: Flask, client: Browser, new_client: Callable[[], Browser]
) -> None:
    code = new_codes(sign_up(client).client)[0]
    browser = new_client()
    assert browser.post("/api/auth/recovery", json={"code": code}).status_code == 200
    token, before = token_of(browser), contents(app)

    guarded = {name for name, level in levels(app).items() if level != "public"}
    answers = {name: reached(hand_over(browser, token), name) for name in guarded}

    refused = {name for name, answer in answers.items() if answer == (403, "enrolment_only")}
    sent_on = {name for name, answer in answers.items() if answer == (303, "/recovery")}
    assert sent_on == PAGES_FOR_PEOPLE_SIGNED_IN
    assert guarded - refused - sent_on == ENROLMENT
    assert answers["POST /api/auth/credentials/options"] == (200, None)
    assert answers["POST /api/auth/credentials"] == (422, "invalid_body")
    assert contents(app) == before


def test_the_same_routes_are_open_to_a_full_session(app: Flask, client: Browser) -> None:
    """The honest control: what was refused above is refused for the session's purpose alone."""
    token = token_of(sign_up(client).client)

    for name, level in levels(app).items():
        if level != "public":
            status, code = reached(hand_over(client, token), name)
            assert status in {200, 201, 404, 422}, (name, status, code)
