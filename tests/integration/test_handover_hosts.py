"""On whose host the way to an application is answered, and for whom.

ASVS 4.1.3.
"""

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.models import HandoverCode
from tests.integration.test_cookies import attributes
from tests.support.clients import Browser
from tests.support.handed_over import (
    FORUM,
    HANDOVER_COOKIE,
    NAVIGATION,
    WIKI,
    arrive,
    go,
    leads_to,
    register,
    set_out,
    take_cookie,
    token_at,
    verify,
    way_back,
)
from tests.support.markup import Page
from tests.support.people import SESSION_COOKIE, Person, is_signed_in, refusal, sign_up
from tests.support.tables import count
from tests.support.variables import ORIGIN

PATHS = ("start", "callback?code=x", "sign-out", "refused")


@pytest.fixture
def ada(app: Flask, client: Browser) -> Person:
    register(app)
    register(app, "forum", origins=[FORUM, "https://forum.example.org"])
    register(app, "inside", origins=[ORIGIN])
    return sign_up(client)


def ask(client: Browser, host: str, path: str, app_id: str = "wiki") -> TestResponse:
    headers = {**NAVIGATION, "Host": host}
    return client.get(f"/.identity/{app_id}/{path}", base_url=WIKI, headers=headers)


@pytest.mark.parametrize(
    ("app_id", "host"),
    [
        ("wiki", "localhost:8000"),
        ("wiki", "forum.localhost:8000"),
        ("wiki", "wiki.localhost"),
        ("wiki", "wiki.localhost:8001"),
        ("wiki", "wiki.localhost:8000.evil.example"),
        ("wiki", "evil.example, wiki.localhost:8000"),
        ("wiki", ""),
        ("inside", "localhost:8000"),
        ("nothing", "wiki.localhost:8000"),
    ],
)
def test_application_is_at_its_own_hosts_alone(ada: Person, app_id: str, host: str) -> None:
    for path in PATHS:
        answer = ask(ada.client, host, path, app_id)

        assert (answer.status_code, answer.mimetype) == (421, "text/html")
        assert "Location" not in answer.headers
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    ("app_id", "host", "origin"),
    [
        ("wiki", "wiki.localhost:8000", WIKI),
        ("wiki", "WIKI.localhost:8000", WIKI),
        ("forum", "forum.example.org", "https://forum.example.org"),
        ("forum", "forum.example.org:443", "https://forum.example.org"),
    ],
)
def test_registered_origin_is_what_leads_back(
    ada: Person, app_id: str, host: str, origin: str
) -> None:
    location = leads_to(ask(ada.client, host, "start", app_id))

    assert location.startswith(f"{ORIGIN}/api/auth/handover?app={app_id}&origin={origin}&browser=")


@pytest.mark.parametrize(
    ("app_id", "origin"),
    [
        ("wiki", FORUM),
        ("wiki", f"{WIKI}/"),
        ("wiki", WIKI.upper()),
        ("wiki", "https://evil.example"),
        ("wiki", ""),
        ("inside", ORIGIN),
        ("nothing", WIKI),
    ],
)
def test_no_code_is_made_for_an_origin_that_is_not_registered(
    app: Flask, ada: Person, app_id: str, origin: str
) -> None:
    query = {"app": app_id, "origin": origin, "browser": "x" * 43, "return_to": "/"}

    answer = ada.client.get("/api/auth/handover", query_string=query)

    assert answer.status_code == 404
    assert "Location" not in answer.headers
    assert count(app, HandoverCode) == 0
    honest = ada.client.get(
        "/api/auth/handover", query_string={**query, "app": "wiki", "origin": WIKI}
    )
    assert leads_to(honest).startswith(f"{WIKI}/.identity/callback?code=")


@pytest.mark.parametrize(
    "said",
    [
        {"X-Forwarded-Method": "POST"},
        {"X-Forwarded-Method": "HEAD"},
        {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
        {"Sec-Fetch-Dest": "iframe"},
        {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
        {"Sec-Fetch-Mode": "websocket", "Sec-Fetch-Dest": "websocket"},
    ],
)
def test_only_a_navigation_is_led_to_sign_in(ada: Person, said: dict[str, str]) -> None:
    answer = ada.client.get("/.identity/wiki/start", base_url=WIKI, headers={**NAVIGATION, **said})

    assert refusal(answer) == (401, "not_signed_in")
    assert answer.headers["WWW-Authenticate"] == "Session"
    assert "Set-Cookie" not in answer.headers
    assert set_out(ada.client).status_code == 303


def test_script_of_an_old_browser_is_not_led_to_sign_in(ada: Person) -> None:
    ada.client.sec_fetch_site = None
    answer = ada.client.get(
        "/.identity/wiki/start", base_url=WIKI, headers={"Accept": "application/json"}
    )

    assert refusal(answer) == (401, "not_signed_in")


def test_person_who_has_a_good_session_is_not_sent_round(app: Flask, ada: Person) -> None:
    """A proxy that asks for another application must not make a loop."""
    token = arrive(ada.client)
    assert verify(app, token, "app=forum") == 401

    answer = set_out(ada.client, return_to="/page?x=1")

    assert (answer.status_code, answer.mimetype) == (409, "text/html")
    assert "Location" not in answer.headers
    assert "/page?x=1" in Page(answer).values("href")
    take_cookie(ada.client, WIKI, "obs_" + "x" * 43)
    assert set_out(ada.client).status_code == 303


@pytest.mark.parametrize("cookies", ["none", "no mark", "another mark", "no root"])
def test_no_failure_leads_on_by_itself(ada: Person, cookies: str) -> None:
    location = way_back(ada.client)
    if cookies in {"none", "no mark"}:
        ada.client.delete_cookie(HANDOVER_COOKIE, domain="wiki.localhost")
    if cookies == "another mark":
        take_cookie(ada.client, WIKI, "x" * 43, HANDOVER_COOKIE)
    if cookies in {"none", "no root"}:
        assert ada.client.delete("/api/auth/session").status_code == 204

    answer = go(ada.client, location)

    assert (answer.status_code, answer.mimetype) == (400, "text/html")
    assert "Location" not in answer.headers
    assert "Refresh" not in answer.headers
    assert "refresh" not in answer.text


def test_damaged_cookie_on_an_applications_host_is_cleared(ada: Person) -> None:
    take_cookie(ada.client, WIKI, "damaged", HANDOVER_COOKIE)

    answer = set_out(ada.client)

    assert (answer.status_code, answer.mimetype) == (400, "text/html")
    assert "Location" not in answer.headers
    assert {*attributes(answer)} == {SESSION_COOKIE, HANDOVER_COOKIE}
    assert token_at(ada.client, name=HANDOVER_COOKIE) is None
    assert is_signed_in(ada.client)
    assert arrive(ada.client)
