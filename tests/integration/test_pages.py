"""The pages as the server makes them, before any script: where they lead, and what they let in."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.support.clients import Browser, InProcessBrowser
from tests.support.markup import Page
from tests.support.people import (
    BROWSER_COOKIE,
    SESSION_COOKIE,
    Person,
    add_passkey,
    finish_sign_up,
    json_of,
    new_codes,
    new_phone,
    sign_in,
    sign_up,
    token_of,
)

PEOPLES_PAGES = ["/sign-in", "/sign-up", "/recovery"]


@pytest.fixture
def ada(client: Browser) -> Person:
    return sign_up(client)


@pytest.fixture
def recovering(ada: Person, new_client: Callable[[], Browser]) -> Browser:
    """Give a browser whose session can enrol a passkey and nothing else."""
    (code, *_), browser = new_codes(ada.client), new_client()
    assert browser.post("/api/auth/recovery", json={"code": code}).status_code == 200
    return browser


def led(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.headers["Location"]


def test_start_leads_to_what_can_be_done(
    ada: Person, recovering: Browser, new_client: Callable[[], Browser]
) -> None:
    assert led(new_client().get("/")) == (302, "/sign-in")
    assert led(ada.client.get("/")) == (302, "/account")
    assert led(recovering.get("/")) == (302, "/recovery")


@pytest.mark.parametrize(
    ("path", "return_to"),
    [
        ("/account", "/account"),
        ("/account?", "/account"),
        ("/account?tab=a%26b&x=%2F", "/account?tab=a%26b&x=%2F"),
    ],
)
def test_account_leads_to_sign_in_and_sign_in_leads_back(
    client: Browser, path: str, return_to: str
) -> None:
    status, location = led(client.get(path))

    assert (status, urlsplit(location).path) == (303, "/sign-in")
    assert parse_qs(urlsplit(location).query) == {"return_to": [return_to]}
    assert return_to in Page(client.get(location)).values("data-return-to")


def test_recovery_session_sees_no_account(recovering: Browser) -> None:
    assert led(recovering.get("/account")) == (303, "/recovery")
    assert recovering.get("/sign-in").status_code == 200
    page = Page(recovering.get("/recovery"))
    steps = {
        attrs["data-step"]: "hidden" in attrs for _, attrs in page.elements if "data-step" in attrs
    }
    assert steps == {"code": True, "enrol": False, "done": True}


def test_recovery_names_the_account_that_it_opens(recovering: Browser, ada: Person) -> None:
    """A link from somebody else must not pass for the way into one's own account (A11)."""
    address = ada.user["email"]

    assert address in Page(recovering.get("/recovery")).texts["strong"]
    assert f"You are signed in as {address}." in ada.client.get("/recovery").text
    assert address not in InProcessBrowser(ada.client.application).get("/recovery").text


def test_sign_up_tells_who_is_signed_in_already(ada: Person) -> None:
    answer = ada.client.get("/sign-up")

    assert ada.user["email"] in Page(answer).texts["section"]
    assert led(ada.client.get("/sign-in")) == (302, "/account")


@pytest.mark.parametrize(
    ("registration", "words", "forms"),
    [
        ("open", "there is no password to invent", 1),
        ("invite", "Accounts here are by invitation", 1),
        ("closed", "New accounts cannot be created here", 0),
    ],
)
def test_sign_up_says_who_may_create_an_account(
    make_app: Callable[..., Flask], registration: str, words: str, forms: int
) -> None:
    page = Page(InProcessBrowser(make_app(REGISTRATION=registration)).get("/sign-up"))

    assert words in page.texts["section"]
    assert [tag for tag, _ in page.elements].count("form") == forms


def test_account_lists_what_is_mine_with_this_session_first(
    ada: Person, new_client: Callable[[], Browser]
) -> None:
    other, spare = new_client(), add_passkey(ada, name="Blue key")
    sign_in(other, ada.phone)
    sign_up(new_client(), email="eve@example.org")
    mine = json_of(ada.client.get("/api/auth/session"))["session"]["id"]
    theirs = json_of(other.get("/api/auth/session"))["session"]["id"]

    for client, order in ((ada.client, [mine, theirs]), (other, [theirs, mine])):
        ids = [one for one in Page(client.get("/account")).values("data-id") if one]
        assert ids[-2:] == order
        assert len(ids) == 4
        assert spare["id"] in ids


def test_account_offers_the_language_that_was_chosen(ada: Person) -> None:
    assert ada.client.patch("/api/users/me", json={"locale": "gsw-CH"}).status_code == 200

    page = Page(ada.client.get("/account"))

    assert [attrs["value"] for _, attrs in page.elements if "selected" in attrs] == ["gsw-CH"]


@pytest.mark.parametrize("path", PEOPLES_PAGES)
def test_page_marks_the_browser_before_its_ceremonies_begin(client: Browser, path: str) -> None:
    shown = client.get(path)
    mark = token_of(client, BROWSER_COOKIE)

    answers = [client.post("/api/auth/authentication/options", json={}) for _ in range(2)]
    again = client.get(path)

    assert len(shown.headers.getlist("Set-Cookie")) == 1
    assert [one.headers.getlist("Set-Cookie") for one in (*answers, again)] == [[], [], []]
    assert token_of(client, BROWSER_COOKIE) == mark


def test_ceremonies_begun_side_by_side_belong_to_one_browser(app: Flask, client: Browser) -> None:
    client.get("/sign-up")
    phone = new_phone()
    # Both calls leave before either is answered: each carries what the page was given.
    cookie = {"Cookie": f"{BROWSER_COOKIE}={token_of(client, BROWSER_COOKIE)}"}
    begun = [
        InProcessBrowser(app, use_cookies=False).post(path, json=body, headers=cookie)
        for path, body in (
            ("/api/auth/registration/options", {"email": "ada@example.org", "name": "Ada"}),
            ("/api/auth/authentication/options", {}),
        )
    ]

    for answer in begun:
        for line in answer.headers.getlist("Set-Cookie"):
            client.set_cookie(BROWSER_COOKIE, line.partition(";")[0].partition("=")[2])

    assert finish_sign_up(client, phone, json_of(begun[0])).status_code == 201
    assertion = phone.get(json_of(begun[1]))
    finished = client.post("/api/auth/authentication", json={"credential": assertion})
    assert finished.status_code == 200


@pytest.mark.parametrize("path", ["/", "/docs", "/nowhere", "/healthz"])
def test_what_begins_no_ceremony_marks_no_browser(client: Browser, path: str) -> None:
    assert client.get(path).headers.getlist("Set-Cookie") == []


@pytest.mark.parametrize("path", [*PEOPLES_PAGES, "/account", "/"])
def test_page_refuses_a_damaged_cookie_once_and_works_then(client: Browser, path: str) -> None:
    client.set_cookie(SESSION_COOKIE, "damaged")

    refused = client.get(path)

    assert refused.status_code == 400
    assert "please try again" in Page(refused).texts["p"]
    assert client.get(path, follow_redirects=True).status_code == 200


def test_ended_session_leads_from_the_account_to_sign_in(ada: Person) -> None:
    token = token_of(ada.client)
    ada.client.delete("/api/auth/session")
    ada.client.set_cookie(SESSION_COOKIE, token)

    assert led(ada.client.get("/account")) == (303, "/sign-in?return_to=/account")
    assert ada.client.get("/sign-in").status_code == 200


def test_sign_up_keeps_the_way_back(client: Browser) -> None:
    page = Page(client.get("/sign-in?return_to=/account%23sessions"))
    (link,) = (one for one in page.values("href") if one.startswith("/sign-up"))

    there = Page(client.get(link))

    assert "/account#sessions" in there.values("data-return-to")
    assert "/account#sessions" in there.values("href")
