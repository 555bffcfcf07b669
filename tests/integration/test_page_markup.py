"""What the pages are made of: text stays text, and nothing needs what the policy forbids."""

from collections.abc import Callable

import pytest
from flask import Flask

from tests.support.clients import Browser, InProcessBrowser
from tests.support.markup import Page
from tests.support.people import Person, add_passkey, refusal, sign_up

HOSTILE_NAME = """<script>alert(1)</script><img src=x onerror=alert(1)>"'&amp;{{7*7}}"""


@pytest.fixture
def ada(client: Browser) -> Person:
    return sign_up(client)


def test_hostile_names_stay_text(ada: Person) -> None:
    spare = add_passkey(ada)
    path = f"/api/auth/credentials/{spare['id']}"
    assert ada.client.patch("/api/users/me", json={"name": HOSTILE_NAME}).status_code == 200
    assert ada.client.patch(path, json={"name": HOSTILE_NAME}).status_code == 200

    page = Page(ada.client.get("/account"))

    assert page.texts["h1"] == HOSTILE_NAME
    assert HOSTILE_NAME in page.texts["h3"]
    assert HOSTILE_NAME in page.values("value")
    assert [attrs for tag, attrs in page.elements if tag == "script"] == [
        {"type": "module", "src": "/static/identity.js"}
    ]
    assert list(page.values("onerror")) == []


def test_hostile_service_name_and_address_stay_text(make_app: Callable[..., Flask]) -> None:
    name, address = """<b>"Tom" & 'Jerry'</b>""", "o'neill&co@example.org"
    client = InProcessBrowser(make_app(RP_NAME=name))
    sign_up(client, email=address)

    page = Page(client.get("/sign-up"))

    assert page.texts["title"].endswith(name)
    assert address in page.texts["section"]
    assert name in page.values("data-service")
    assert "b" not in {tag for tag, _ in page.elements}


@pytest.mark.parametrize(
    "path",
    [
        "/sign-in",
        "/sign-in/refused?code=account_exists",
        "/sign-up",
        "/recovery",
        "/account",
        "/docs",
        "/nowhere",
    ],
)
def test_page_needs_nothing_that_the_policy_forbids(
    ada: Person, new_client: Callable[[], Browser], path: str
) -> None:
    for client in (ada.client, new_client()):
        answer = client.get(path, follow_redirects=True)

        page = Page(answer)
        policy = answer.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        names = {name for _, attrs in page.elements for name in attrs}
        assert not {name for name in names if name.startswith("on") or name == "style"}
        assert "style" not in {tag for tag, _ in page.elements}
        assert page.texts.get("script", "") == ""
        links = [attrs["href"] for tag, attrs in page.elements if tag == "link"]
        assert all((it or "").startswith("/static/") for it in (*page.values("src"), *links))
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("method", "path", "status", "title"),
    [
        ("GET", "/nowhere", 404, "Not Found"),
        ("GET", "/account/passkeys", 404, "Not Found"),
        ("POST", "/account", 405, "Method Not Allowed"),
        ("GET", "/static/nothing.css", 404, "Not Found"),
    ],
)
def test_error_page_is_for_people(
    client: Browser, method: str, path: str, status: int, title: str
) -> None:
    answer = client.open(path, method=method)

    page = Page(answer)
    assert answer.status_code == status
    assert page.texts["h1"] == title
    assert answer.headers["X-Request-Id"] in page.texts["p"]
    assert "Location" not in answer.headers


def test_error_of_the_api_is_for_programs(client: Browser) -> None:
    assert refusal(client.get("/api/nowhere")) == (404, "not_found")


def test_error_page_repeats_nothing_of_the_address(client: Browser) -> None:
    answer = client.get("/<script>alert(1)</script>?q=<b>needle</b>")

    assert answer.status_code == 404
    assert "alert" not in answer.text
    assert "needle" not in answer.text
