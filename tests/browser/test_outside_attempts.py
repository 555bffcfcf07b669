"""Round trips that go astray: too late, twice at once, or by somebody else's hand."""

from datetime import timedelta

import pytest
import requests
from playwright.sync_api import expect
from sqlalchemy import create_engine, update

from app import clock
from app.config import load_settings
from app.models import AuthorizationRequest
from tests.browser.conftest import NewVisitor
from tests.browser.outside import (
    Outside,
    allow,
    continue_with,
    expect_refusal,
    linked,
    log_in,
    new_login,
)
from tests.browser.steps import expect_account, sign_out, sign_up
from tests.browser.visitors import Visitor
from tests.support.loopback_http import Answer
from tests.support.oidc_peer import drive
from tests.support.outsiders import somebody
from tests.support.servers import Server

UNUSABLE = "That attempt cannot be finished"


@pytest.fixture(scope="session")
def server(outside: Outside) -> Server:
    return outside.server


def let_attempts_expire(server: Server) -> None:
    engine = create_engine(load_settings(server.environment).database.url)
    with engine.begin() as connection:
        a_minute_ago = clock.now() - timedelta(minutes=1)
        connection.execute(update(AuthorizationRequest).values(expires_at=a_minute_ago))
    engine.dispose()


def open_tab(visitor: Visitor) -> None:
    """Go on in one more tab of the same browser."""
    visitor.page = visitor.context.new_page()


def test_late_answer_is_refused_and_the_next_attempt_is_quick(
    visitor: Visitor, server: Server
) -> None:
    continue_with(visitor, "Example")
    log_in(visitor, new_login())
    let_attempts_expire(server)
    allow(visitor)

    expect_refusal(visitor, UNUSABLE, words="finish within ten minutes")
    visitor.page.get_by_role("link", name="Sign in").click()
    visitor.page.get_by_role("link", name="Continue with Example").click()
    expect_account(visitor)


def test_answer_is_taken_once(visitor: Visitor) -> None:
    """CVE-2025-46815: an address out of the browser's history opens nothing."""
    continue_with(visitor, "Example")
    log_in(visitor, new_login())
    with visitor.page.expect_request("**/api/oauth/example/callback?**") as answer:
        allow(visitor)
    expect_account(visitor)
    sign_out(visitor)

    visitor.page.goto(answer.value.url)

    expect_refusal(visitor, UNUSABLE)
    visitor.page.goto("/account")
    visitor.page.wait_for_url("**/sign-in?return_to=/account")


def test_attempts_in_two_tabs_do_not_disturb_each_other(visitor: Visitor) -> None:
    login, first = new_login(), visitor.page
    continue_with(visitor, "Example")
    log_in(visitor, login)
    open_tab(visitor)
    continue_with(visitor, "Example")
    allow(visitor)
    expect_account(visitor)

    visitor.page = first
    allow(visitor)

    expect_account(visitor)
    expect(visitor.page.locator("h1")).to_have_text(login.capitalize())
    expect(visitor.page.locator("[data-list=sessions] > li")).to_have_count(1)


def test_link_that_was_begun_before_signing_out_is_not_made(visitor: Visitor) -> None:
    sign_up(visitor)
    first = visitor.page
    visitor.press("Link Example")
    log_in(visitor, new_login())
    open_tab(visitor)
    visitor.page.goto("/account")
    sign_out(visitor)

    visitor.page = first
    allow(visitor)

    expect_refusal(visitor, UNUSABLE)
    visitor.page.get_by_role("link", name="Sign in").click()
    visitor.press("Sign in with a passkey")
    expect_account(visitor)
    expect(linked(visitor)).to_have_count(0)


def attackers_answer(attacker: Visitor, *, links: bool) -> str:
    """Give the answer to an attempt that somebody begins in a browser of their own."""
    with attacker.page.expect_request("**/auth?**") as begun:
        if links:
            sign_up(attacker, name="Mallory")
            attacker.press("Link Example")
        else:
            continue_with(attacker, "Example")
    with requests.Session() as at_example:
        return drive(at_example, begun.value.url, login=new_login("mallory"))


@pytest.mark.parametrize("links", [False, True], ids=["sign_in", "link"])
def test_answer_from_another_browser_does_nothing(
    visitor: Visitor, new_visitor: NewVisitor, *, links: bool
) -> None:
    """CVE-2026-41425, OA-2: nobody is signed in as, or linked to, whoever sends them an address."""
    attacker = new_visitor()
    callback = attackers_answer(attacker, links=links)

    visitor.page.goto(callback)
    expect_refusal(visitor, UNUSABLE)
    visitor.page.goto("/account")
    visitor.page.wait_for_url("**/sign-in?return_to=/account")
    sign_up(visitor)
    visitor.page.goto(callback)
    expect_refusal(visitor, UNUSABLE)
    visitor.page.get_by_role("link", name="Go to your account").click()
    expect_account(visitor)
    expect(visitor.page.locator("h1")).to_have_text("Ada Lovelace")
    expect(linked(visitor)).to_have_count(0)

    attacker.page.goto(callback)
    expect_account(attacker)
    expect(linked(attacker)).to_have_count(1)


def test_link_on_another_site_signs_nobody_in(visitor: Visitor, outside: Outside) -> None:
    """OA-2: GitHub sends people back unasked, so that the page of ours has to be asked."""
    target = f"{visitor.origin}/api/oauth/github/authorize"
    page = f'<!doctype html><html lang="en"><title>Prizes</title><a href="{target}">Prize</a>'
    outside.github.account = somebody()
    outside.github.instead["/prizes"] = Answer(
        headers={"Content-Type": "text/html"}, body=page.encode()
    )
    asked = outside.github.asked["/login/oauth/authorize"]

    visitor.page.goto(f"{outside.github.origin}/prizes")
    visitor.page.get_by_role("link", name="Prize").click()

    visitor.page.wait_for_url("**/sign-in?return_to=**")
    assert outside.github.asked["/login/oauth/authorize"] == asked
    visitor.page.get_by_role("link", name="Continue with GitHub").click()
    expect_account(visitor)
    assert outside.github.asked["/login/oauth/authorize"] == asked + 1


def test_signing_in_as_somebody_else_ends_the_session_before(
    visitor: Visitor, new_visitor: NewVisitor
) -> None:
    """ASVS 7.2.4: nothing is left behind in a browser that two people share."""
    sign_up(visitor)
    before = new_visitor(storage_state=visitor.context.storage_state())
    before.page.goto("/account")
    expect_account(before)

    visitor.page.goto("/api/oauth/example/authorize")
    log_in(visitor, login := new_login())
    allow(visitor)

    expect_account(visitor)
    expect(visitor.page.locator("h1")).to_have_text(login.capitalize())
    before.page.goto("/account")
    before.page.wait_for_url("**/sign-in?return_to=/account")
