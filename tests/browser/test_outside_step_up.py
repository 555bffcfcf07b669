"""Showing again who one is by an account elsewhere, for people who have no passkey."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NewVisitor
from tests.browser.outside import (
    Outside,
    allow,
    expect_refusal,
    log_in,
    new_login,
    sign_in_by_example,
    sign_in_by_github,
)
from tests.browser.steps import dialog, expect_account, make_time_pass
from tests.browser.visitors import Visitor
from tests.support.outsiders import somebody
from tests.support.servers import Server

CONFIRMED = "Example has confirmed that it is you."


@pytest.fixture(scope="session")
def server(outside: Outside) -> Server:
    return outside.server


def ask_for_codes(visitor: Visitor) -> None:
    """Ask for recovery codes and confirm it; what comes of it is the test's."""
    visitor.press("Make recovery codes")
    visitor.press("Make new codes", dialog(visitor))


def confirm_elsewhere(visitor: Visitor) -> None:
    """Leave for Example, to show there once more who it is."""
    ask_for_codes(visitor)
    expect(dialog(visitor)).to_contain_text("Confirm that it is you")
    visitor.press("Continue with Example", dialog(visitor))


def test_person_without_a_passkey_confirms_at_the_provider(
    visitor: Visitor, server: Server
) -> None:
    login = new_login()
    sign_in_by_example(visitor, login)
    make_time_pass(server)

    confirm_elsewhere(visitor)
    # Example knows this browser, and has to ask nevertheless.
    log_in(visitor, login)

    expect(visitor.page.get_by_text(CONFIRMED)).to_be_visible()
    ask_for_codes(visitor)
    expect(visitor.page.get_by_label("Your recovery codes").locator("li")).to_have_count(10)


@pytest.mark.parametrize("is_known", [False, True], ids=["unknown_here", "known_here"])
def test_another_login_at_the_provider_confirms_nothing(
    visitor: Visitor, new_visitor: NewVisitor, server: Server, *, is_known: bool
) -> None:
    """GHSA-97r5-pg8x-p63p: nobody confirms an open session with an account of their own."""
    login, mallory = new_login(), new_login("mallory")
    if is_known:
        sign_in_by_example(new_visitor(), mallory)
    sign_in_by_example(visitor, login)
    make_time_pass(server)

    confirm_elsewhere(visitor)
    log_in(visitor, mallory)
    allow(visitor)

    expect_refusal(visitor, "That was another account", words="Nothing was changed.")
    visitor.page.get_by_role("link", name="Go to your account").click()
    expect_account(visitor)
    expect(visitor.page.locator("h1")).to_have_text(login.capitalize())
    expect(visitor.page.get_by_text(CONFIRMED)).to_have_count(0)
    confirm_elsewhere(visitor)
    log_in(visitor, login)
    # The other login ended the first one's session at Example, and its consent with it.
    allow(visitor)
    expect(visitor.page.get_by_text(CONFIRMED)).to_be_visible()


def test_no_at_the_provider_confirms_nothing(visitor: Visitor, server: Server) -> None:
    sign_in_by_example(visitor, new_login())
    make_time_pass(server)

    confirm_elsewhere(visitor)
    log_in(visitor, new_login())
    visitor.press("Deny")

    expect_refusal(visitor, "Stopped at Example")
    visitor.page.get_by_role("link", name="Go to your account").click()
    expect_account(visitor)
    ask_for_codes(visitor)
    expect(dialog(visitor)).to_contain_text("Confirm that it is you")


def test_github_confirms_without_asking_and_the_page_says_so(
    visitor: Visitor, outside: Outside, server: Server
) -> None:
    outside.github.account = somebody()
    sign_in_by_github(visitor)
    make_time_pass(server)

    ask_for_codes(visitor)
    visitor.press("Continue with GitHub", dialog(visitor))

    expect(visitor.page.get_by_text("GitHub has confirmed that it is you.")).to_be_visible()
    expect(visitor.page.get_by_text("It does not say when it last asked")).to_be_visible()
    ask_for_codes(visitor)
    expect(visitor.page.get_by_label("Your recovery codes").locator("li")).to_have_count(10)
