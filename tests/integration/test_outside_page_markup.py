"""What the pages say of outside accounts: links that need no script, and words for each refusal."""

from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from sqlalchemy import update

from app import clock
from app.blueprints.pages.outside import refusal_by_code
from app.config.service import Registration
from app.errors import ServiceError
from app.models import User
from tests.conftest import Transaction
from tests.support.clients import Browser
from tests.support.markup import Page
from tests.support.outside_accounts import (
    QuietProvider,
    link_with,
    provider_settings,
    sign_in_with,
    switched_on,
)
from tests.support.people import sign_up

HOSTILE = """<script>alert(1)</script>"'&amp;{{7*7}}"""
REFUSALS = sorted(it.code for it in ServiceError.__subclasses__() if refusal_by_code(it.code))
REPEATABLE = [
    "authorization_denied",
    "identity_rejected",
    "provider_unavailable",
]


@pytest.fixture
def github(app: Flask) -> Iterator[QuietProvider]:
    provider = QuietProvider(settings=provider_settings(label=f"GitHub {HOSTILE}"))
    provider.add(name=HOSTILE, email=f"{HOSTILE}@example.org")
    with switched_on(app, provider):
        yield provider


def refusal_page(client: Browser, code: str, **query: str) -> Page:
    told = {"code": code, "provider": "github", **query}
    return Page(client.get("/sign-in/refused", query_string=told))


def authorize_links(page: Page) -> list[str]:
    return [href for href in page.values("href") if href.startswith("/api/oauth/")]


def first_step(page: Page) -> str:
    (way,) = (attrs["href"] for _, attrs in page.elements if attrs.get("class") == "button primary")
    return way or ""


@pytest.mark.parametrize("path", ["/sign-in", "/sign-up"])
def test_each_provider_is_a_plain_link_that_keeps_the_way_back(
    client: Browser, github: QuietProvider, path: str
) -> None:
    page = Page(client.get(path, query_string={"return_to": "/account?a=b&c=d#e"}))

    (href,) = authorize_links(page)
    assert urlsplit(href).path == "/api/oauth/github/authorize"
    assert parse_qs(urlsplit(href).query) == {"return_to": ["/account?a=b&c=d#e"]}
    assert f"Continue with {github.settings.label}" in page.texts["a"]


@pytest.mark.parametrize("path", ["/sign-in", "/sign-up"])
def test_nothing_is_offered_where_there_is_no_provider(client: Browser, path: str) -> None:
    page = Page(client.get(path))

    assert authorize_links(page) == []
    assert "data-elsewhere" not in {name for _, attrs in page.elements for name in attrs}


def test_no_account_is_offered_where_registration_is_closed(
    app: Flask, client: Browser, github: QuietProvider
) -> None:
    with switched_on(app, github, registration=Registration.CLOSED):
        assert authorize_links(Page(client.get("/sign-up"))) == []
        assert len(authorize_links(Page(client.get("/sign-in")))) == 1


def test_what_a_provider_says_stays_text(client: Browser, github: QuietProvider) -> None:
    sign_up(client)
    link_with(client)

    page = Page(client.get("/account"))

    assert f"GitHub {HOSTILE}" in page.texts["h3"]
    assert f"{HOSTILE}@example.org" in page.texts["li"]
    assert [attrs for tag, attrs in page.elements if tag == "script"] == [
        {"type": "module", "src": "/static/identity.js"}
    ]


def test_account_page_believes_no_address_that_says_what_was_done(
    client: Browser, github: QuietProvider
) -> None:
    path = "/account?linked=github&confirmed=github"
    sign_up(client)
    notices = Page(client.get(path)).texts.get("strong", "")
    assert "is linked." not in notices
    assert "has confirmed" not in notices

    link_with(client)
    assert f"{github.settings.label} is linked." in Page(client.get(path)).texts["strong"]
    sign_in_with(client)
    assert f"{github.settings.label} has confirmed" in Page(client.get(path)).texts["strong"]


def test_account_without_a_passkey_is_advised_to_add_one(
    client: Browser, new_client: Callable[[], Browser], github: QuietProvider
) -> None:
    other = new_client()
    sign_in_with(client)
    sign_up(other)

    assert hint(client) == {"class": "notice", "data-passkey-hint": None}
    assert hint(other) == {"class": "notice", "data-passkey-hint": None, "hidden": None}


def hint(client: Browser) -> dict[str, str | None]:
    elements = Page(client.get("/account")).elements
    (found,) = (attrs for _, attrs in elements if "data-passkey-hint" in attrs)
    return dict(found)


def test_account_that_lost_its_address_is_told(client: Browser, transaction: Transaction) -> None:
    sign_up(client)
    assert "no longer has an email address" not in client.get("/account").text
    with transaction() as session:
        session.execute(update(User).values(address_lost_at=clock.now(), email=None))

    assert "no longer has an email address" in Page(client.get("/account")).texts["strong"]


def test_page_without_providers_speaks_of_no_linked_accounts(client: Browser) -> None:
    sign_up(client)

    assert "linked-accounts" not in set(Page(client.get("/account")).values("id"))


@pytest.mark.parametrize("code", REFUSALS)
def test_every_refusal_says_that_nothing_was_changed_and_where_to_go_on(
    client: Browser, github: QuietProvider, code: str
) -> None:
    page = refusal_page(client, code)

    assert page.texts["h1"] not in {"", "Conflict", "Forbidden", "Unauthorized", "Bad Request"}
    assert "othing was changed" in page.texts["p"]
    assert github.settings.label in page.texts["p"]
    assert "script" not in {tag for tag, _ in page.elements}
    expected = "/api/oauth/github/authorize" if code in REPEATABLE else "/sign-in"
    assert urlsplit(first_step(page)).path == expected


@pytest.mark.parametrize("code", REFUSALS)
def test_whoever_is_signed_in_is_led_to_their_account_and_not_into_another(
    client: Browser, github: QuietProvider, code: str
) -> None:
    """A sign-in at the provider would make a second account where one was to be linked."""
    sign_up(client)

    page = refusal_page(client, code, return_to="/account?linked=github#linked-accounts")

    assert authorize_links(page) == []
    way = first_step(page)
    assert urlsplit(way).path == "/account"
    assert urlsplit(way).query == ""


def test_an_account_that_exists_is_told_to_link(client: Browser, github: QuietProvider) -> None:
    page = refusal_page(client, "account_exists", return_to="/apps/wiki")

    assert "Sign in here the way you always do." in page.texts["ol"]
    assert f"“Link {github.settings.label}”" in page.texts["ol"]
    (way,) = (href for href in page.values("href") if href.startswith("/sign-in"))
    assert parse_qs(urlsplit(way).query) == {"return_to": ["/account#linked-accounts"]}


def test_a_refusal_nobody_knows_has_no_page(client: Browser) -> None:
    assert client.get("/sign-in/refused?code=nothing").status_code == 404
    assert client.get("/sign-in/refused").status_code == 404
