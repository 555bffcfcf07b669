"""Signing up and in with an account elsewhere, by a real browser at a certified provider."""

from dataclasses import replace

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NewVisitor
from tests.browser.outside import (
    Outside,
    address_at_example,
    allow,
    continue_with,
    expect_refusal,
    linked,
    log_in,
    new_login,
    sign_in_by_example,
    sign_in_by_github,
)
from tests.browser.steps import (
    expect_account,
    new_address,
    rows,
    sign_out,
    sign_up,
)
from tests.browser.visitors import Visitor
from tests.support.github_peer import GitHubAccount, GitHubEmail
from tests.support.outsiders import somebody
from tests.support.servers import Server

UNCONFIRMED = "Your address is not confirmed yet"
LOST = "This account no longer has an email address."


@pytest.fixture(scope="session")
def server(outside: Outside) -> Server:
    return outside.server


def expect_address(visitor: Visitor, address: str | None) -> None:
    """See which address the account has, and that it counts as confirmed."""
    expect(visitor.page.locator(".lede").first).to_have_text(address or "No email address")
    expect(visitor.page.get_by_text(UNCONFIRMED)).to_have_count(0)


def at_github(address: str | None, *, verified: bool = True) -> GitHubAccount:
    """Give an account there, with one address or none."""
    held = GitHubEmail(email=address, primary=True, verified=verified) if address else None
    return replace(somebody(), emails=(held,) if held else ())


def test_sign_up_takes_name_and_proved_address_and_signs_in_again(
    visitor: Visitor, outside: Outside
) -> None:
    login = new_login()
    outside.example.arrange(login, name="Ada King")

    sign_in_by_example(visitor, login, page="/sign-up")

    expect(visitor.page.locator("h1")).to_have_text("Ada King")
    expect_address(visitor, address_at_example(login))
    expect(linked(visitor)).to_have_count(1)
    expect(rows(visitor, "sessions")).to_contain_text("through Example")
    sign_out(visitor)
    # Example still knows the browser and asks nothing: signing out here is none there.
    continue_with(visitor, "Example")
    expect_account(visitor)
    expect(visitor.page.locator("h1")).to_have_text("Ada King")
    expect(rows(visitor, "sessions")).to_have_count(1)


def test_unproved_address_is_not_taken(visitor: Visitor) -> None:
    """OC-12."""
    login = new_login("unproved")

    sign_in_by_example(visitor, login)

    expect_address(visitor, None)
    expect(linked(visitor)).to_contain_text(address_at_example(login))


def test_person_goes_on_to_where_they_wanted_to(visitor: Visitor) -> None:
    continue_with(visitor, "Example", page="/sign-in?return_to=/docs")
    log_in(visitor, new_login())
    allow(visitor)

    visitor.page.wait_for_url("**/docs")
    assert visitor.page.url == f"{visitor.origin}/docs"
    visitor.page.goto("/account")
    expect_account(visitor)


def test_round_trip_needs_no_script(new_visitor: NewVisitor) -> None:
    plain = new_visitor(java_script_enabled=False)
    login = new_login()

    continue_with(plain, "Example")
    log_in(plain, login)
    allow(plain)

    plain.page.wait_for_url("**/account")
    expect(plain.page.locator("h1")).to_have_text(login.capitalize())
    expect(plain.page.locator("noscript .notice").first).to_contain_text("JavaScript is off")


def test_no_at_the_provider_is_told_and_can_be_taken_back(visitor: Visitor) -> None:
    continue_with(visitor, "Example", page="/sign-in?return_to=/docs")
    log_in(visitor, new_login())
    visitor.press("Deny")

    expect_refusal(visitor, "Stopped at Example", words="Nothing was shared")
    visitor.page.get_by_role("link", name="Try again with Example").click()
    allow(visitor)
    visitor.page.wait_for_url("**/docs")


@pytest.mark.parametrize("address", [None, "unproved", "proved"])
def test_github_signs_people_up_with_what_it_proves(
    visitor: Visitor, outside: Outside, address: str | None
) -> None:
    held = new_address() if address else None
    outside.github.account = at_github(held, verified=address == "proved")

    sign_in_by_github(visitor)

    expect(visitor.page.locator("h1")).to_have_text(outside.github.account.name or "")
    expect_address(visitor, held if address == "proved" else None)
    expect(linked(visitor)).to_have_count(1)
    expect(visitor.page.get_by_text("Confirmed through GitHub.")).to_be_visible()


def test_address_that_is_proved_for_an_account_leads_to_linking(
    visitor: Visitor, outside: Outside
) -> None:
    """A19: an address joins no accounts, and its owner is told how they are joined."""
    login = new_login()
    outside.github.account = at_github(address_at_example(login))
    sign_in_by_github(visitor)
    sign_out(visitor)
    with visitor.page.expect_response("**/sign-in/refused?**") as told:
        continue_with(visitor, "Example")
        log_in(visitor, login)
        allow(visitor)

    expect_refusal(visitor, "You already have an account", words="press “Link Example”.")
    assert told.value.status == 409
    visitor.page.get_by_role("link", name="Sign in", exact=True).click()
    visitor.page.get_by_role("link", name="Continue with GitHub").click()
    expect_account(visitor)
    expect(linked(visitor)).to_have_count(1)
    # Example knows by now who it is, and that they consent.
    visitor.press("Link Example")

    expect(visitor.page.get_by_text("Example is linked.")).to_be_visible()
    sign_out(visitor)
    continue_with(visitor, "Example")
    expect_account(visitor)
    expect(visitor.page.locator("h1")).to_have_text(outside.github.account.name or "")
    expect_address(visitor, address_at_example(login))
    expect(linked(visitor)).to_have_count(2)


def test_squatter_loses_the_address_and_is_told(visitor: Visitor, new_visitor: NewVisitor) -> None:
    """A19: whoever sits in an account with somebody else's address gets nothing of theirs."""
    login, owner = new_login(), new_visitor()
    sign_up(visitor, email=address_at_example(login), name="A squatter")
    expect(visitor.page.get_by_text(UNCONFIRMED)).to_be_visible()

    sign_in_by_example(owner, login)

    expect(owner.page.locator("h1")).to_have_text(login.capitalize())
    expect_address(owner, address_at_example(login))
    expect(rows(owner, "passkeys")).to_have_count(0)
    expect(rows(owner, "sessions")).to_have_count(1)
    expect(owner.page.get_by_text(LOST)).to_have_count(0)
    visitor.page.reload()
    expect(visitor.page.get_by_text(LOST)).to_be_visible()
    expect(visitor.page.locator("h1")).to_have_text("A squatter")
    expect_address(visitor, None)
    expect(linked(visitor)).to_have_count(0)
