"""What people meet on the host of an application: pages that keep out, and that sign out.

ASVS 3.5.1, 3.5.3.
"""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.models import HandoverCode
from tests.support.clients import Browser
from tests.support.handed_over import (
    FORUM,
    NAVIGATION,
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
)
from tests.support.markup import Page
from tests.support.people import SESSION_COOKIE, Person, is_signed_in, refusal, sign_up
from tests.support.tables import count
from tests.support.variables import ORIGIN


@pytest.fixture
def ada(app: Flask, client: Browser) -> Person:
    register(app)
    register(app, "forum", origins=[FORUM, "https://forum.example.org"])
    register(app, "inside", origins=[ORIGIN])
    return sign_up(client)


def test_person_who_is_not_let_in_is_told_so(app: Flask, client: Browser) -> None:
    register(app, allowed_groups=["editors"])
    sign_up(client)

    location = leads_to(go(client, leads_to(set_out(client))))
    answer = go(client, location)

    assert answer.status_code == 403
    page = Page(answer)
    assert page.texts["h1"] == "Your account may not use Wiki"
    assert "ada@example.org" in page.texts["p"]
    assert count(app, HandoverCode) == 0
    (sign_in_again,) = page.values("data-sign-in")
    assert "/api/auth/handover" in str(sign_in_again)


@pytest.mark.parametrize("app_id", ["nothing", "", "x\x00", "é"])
def test_page_for_people_who_are_not_let_in_takes_any_application(
    ada: Person, app_id: str, new_client: Callable[[], Browser]
) -> None:
    answer = ada.client.get("/not-allowed", query_string={"app": app_id})

    assert answer.status_code == 403
    assert "this application" in answer.text
    assert new_client().get("/not-allowed").location == "/sign-in?return_to=/account"


def test_person_is_told_what_is_not_for_them_on_the_applications_host(
    app: Flask, ada: Person
) -> None:
    arrive(ada.client)

    answer = go(ada.client, f"{WIKI}/.identity/refused")

    assert answer.status_code == 403
    assert Page(answer).texts["h1"] == "That part of Wiki is not for your account"
    assert "ada@example.org" in answer.text
    assert "/.identity/sign-out" in Page(answer).values("href")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"X-Forwarded-Method": "GET", "Sec-Fetch-Mode": "cors"}, "not_allowed"),
        ({"X-Forwarded-Method": "POST", "Sec-Fetch-Site": "same-origin"}, "not_allowed"),
        ({"X-Forwarded-Method": "POST"}, "cross_site_request"),
    ],
)
def test_program_is_told_what_was_refused(ada: Person, said: dict[str, str], expected: str) -> None:
    answer = ada.client.get(
        "/.identity/wiki/refused", base_url=WIKI, headers={**NAVIGATION, **said}
    )

    assert refusal(answer) == (403, expected)


def post(client: Browser, path: str, **headers: str) -> TestResponse:
    """Send a form without fields, as a browser does from the page that asks."""
    form = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Sec-Fetch-Mode": "navigate",
        "Origin": WIKI,
    }
    return client.post(f"/.identity/wiki/{path}", base_url=WIKI, headers={**form, **headers})


def test_signing_out_of_one_application_leaves_the_rest(app: Flask, ada: Person) -> None:
    wiki, forum = arrive(ada.client), arrive(ada.client, FORUM)

    answer = post(ada.client, "sign-out")

    assert answer.status_code == 200
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert token_at(ada.client) is None
    assert (verify(app, wiki), verify(app, forum, "app=forum")) == (401, 204)
    assert is_signed_in(ada.client)


def test_signing_out_everywhere_leaves_nothing(app: Flask, ada: Person) -> None:
    wiki, forum = arrive(ada.client), arrive(ada.client, FORUM)

    answer = post(ada.client, "sign-out/everywhere")

    assert Page(answer).texts["h1"] == "Signed out everywhere"
    assert token_at(ada.client) is None
    assert (verify(app, wiki), verify(app, forum, "app=forum")) == (401, 401)
    assert not is_signed_in(ada.client)
    assert children(app) == []


@pytest.mark.parametrize("path", ["sign-out", "sign-out/everywhere"])
def test_only_the_applications_own_page_signs_out(app: Flask, ada: Person, path: str) -> None:
    token = arrive(ada.client)

    for name, value in (
        ("Origin", ORIGIN),
        ("Origin", FORUM),
        ("Origin", "null"),
        ("Sec-Fetch-Site", "same-site"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "none"),
    ):
        assert post(ada.client, path, **{name: value}).status_code == 403

    assert verify(app, token) == 204
    assert post(ada.client, path).status_code == 200
    assert verify(app, token) == 401


@pytest.mark.parametrize("path", ["sign-out", "sign-out/everywhere"])
def test_form_with_fields_signs_nobody_out(app: Flask, ada: Person, path: str) -> None:
    token = arrive(ada.client)

    answer = ada.client.post(f"/.identity/wiki/{path}", base_url=WIKI, data={"a": "b"})

    assert answer.status_code == 415
    assert verify(app, token) == 204


def test_asking_to_sign_out_signs_nobody_out(app: Flask, ada: Person) -> None:
    token = arrive(ada.client)

    page = Page(go(ada.client, f"{WIKI}/.identity/sign-out"))

    assert [*page.values("action")] == ["/.identity/sign-out", "/.identity/sign-out/everywhere"]
    assert "ada@example.org" in page.texts["p"]
    assert verify(app, token) == 204


def test_another_hosts_token_signs_nobody_out(app: Flask, ada: Person) -> None:
    root, forum = ada.client.get_cookie(SESSION_COOKIE), arrive(ada.client, FORUM)
    assert root is not None

    for token in (root.value, forum):
        take_cookie(ada.client, WIKI, token)
        for path in ("sign-out", "sign-out/everywhere"):
            answer = post(ada.client, path)
            assert Page(answer).texts["h1"] == "Signed out of Wiki"

    assert is_signed_in(ada.client)
    assert verify(app, forum, "app=forum") == 204


@pytest.mark.parametrize("path", ["callback", "refused", "sign-out", "nothing"])
def test_page_on_an_applications_host_needs_nothing_of_the_application(
    ada: Person, path: str
) -> None:
    answer = go(ada.client, f"{WIKI}/.identity/{path}")

    page = Page(answer)
    files = [attrs["href"] for tag, attrs in page.elements if tag == "link"]
    assert len(files) == 2
    assert all(str(it).startswith("/.identity/static/") for it in (*files, *page.values("src")))
    assert "script" not in {tag for tag, _ in page.elements}
    for file in files:
        sent = go(ada.client, f"{WIKI}{file}")
        assert sent.status_code == 200
        assert "no-store" not in sent.headers["Cache-Control"]
        sent.close()
    links = {urlsplit(str(link)).netloc for link in page.values("href")}
    assert links <= {"", "localhost:8000"}


def test_other_files_are_not_sent_there(ada: Person) -> None:
    for file in ("identity.js", "nothing", "..%2fidentity.css"):
        assert go(ada.client, f"{WIKI}/.identity/static/{file}").status_code == 404
    assert ada.client.get("/.identity/wiki/static/identity.css").status_code == 421
