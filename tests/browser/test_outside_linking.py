"""Linking an account elsewhere to one's own, and unlinking it."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NewVisitor
from tests.browser.outside import (
    Outside,
    address_at_example,
    allow,
    expect_refusal,
    link_example,
    linked,
    log_in,
    new_login,
    sign_in_by_example,
)
from tests.browser.steps import dialog, expect_account, make_time_pass, rows, sign_up
from tests.browser.visitors import Visitor
from tests.support.outsiders import somebody
from tests.support.servers import Server

LINKED = "Example is linked."


@pytest.fixture(scope="session")
def server(outside: Outside) -> Server:
    return outside.server


def unlink_example(visitor: Visitor) -> None:
    visitor.press("Unlink Example")
    expect(dialog(visitor)).to_contain_text("It will no longer sign you in here.")
    visitor.press("Unlink", dialog(visitor))


def test_linked_account_signs_in_from_another_browser(
    visitor: Visitor, new_visitor: NewVisitor, server: Server
) -> None:
    """The passkey is asked for first: linking changes how the account is protected."""
    login, other = new_login(), new_visitor()
    sign_up(visitor)
    make_time_pass(server)

    visitor.press("Link Example")
    visitor.press("Use your passkey", dialog(visitor))
    log_in(visitor, login)
    allow(visitor)

    expect(visitor.page.get_by_text(LINKED)).to_be_visible()
    expect(linked(visitor)).to_have_count(1)
    expect(linked(visitor)).to_contain_text(f"{login.capitalize()} {address_at_example(login)}")
    expect(linked(visitor)).to_contain_text("Linked ")
    visitor.page.reload()
    expect(linked(visitor)).to_have_count(1)
    expect(visitor.page.get_by_text(LINKED)).to_have_count(0)
    sign_in_by_example(other, login)
    expect(other.page.locator("h1")).to_have_text("Ada Lovelace")
    expect(rows(other, "passkeys")).to_have_count(1)


def test_cancelled_step_up_links_nothing(visitor: Visitor, server: Server) -> None:
    sign_up(visitor)
    make_time_pass(server)

    visitor.press("Link Example")
    visitor.press("Cancel", dialog(visitor))

    expect(dialog(visitor)).to_be_hidden()
    expect(visitor.page.get_by_role("button", name="Link Example")).to_be_focused()
    assert visitor.page.url == f"{visitor.origin}/account"


def test_account_of_somebody_else_is_not_linked(visitor: Visitor, new_visitor: NewVisitor) -> None:
    login, owner = new_login(), new_visitor()
    sign_in_by_example(owner, login)
    sign_up(visitor)

    with visitor.page.expect_response("**/sign-in/refused?**") as told:
        link_example(visitor, login)

    expect_refusal(visitor, "Linked to somebody else", words="Nothing was changed.")
    assert told.value.status == 409
    visitor.page.get_by_role("link", name="Go to your account").click()
    expect_account(visitor)
    expect(visitor.page.locator("h1")).to_have_text("Ada Lovelace")
    expect(visitor.page.get_by_text(LINKED)).to_have_count(0)
    expect(linked(visitor)).to_have_count(0)
    owner.page.reload()
    expect(linked(owner)).to_have_count(1)


def test_unlinked_account_opens_nothing_and_its_tokens_are_revoked(
    visitor: Visitor, new_visitor: NewVisitor, outside: Outside
) -> None:
    login, other = new_login(), new_visitor()
    sign_up(visitor)
    link_example(visitor, login)
    expect(linked(visitor)).to_have_count(1)
    before = len(outside.example.revocations())

    unlink_example(visitor)

    expect(visitor.message).to_have_text("Unlinked: Example.")
    expect(linked(visitor)).to_have_count(0)
    revoked = outside.example.revocations()[before:]
    assert {one.login for one in revoked if one.kind == "RefreshToken"} == {login}
    sign_in_by_example(other, login)
    expect(other.page.locator("h1")).to_have_text(login.capitalize())


def test_last_way_in_is_not_unlinked_until_there_is_another(
    visitor: Visitor, outside: Outside
) -> None:
    outside.github.account = somebody()
    sign_in_by_example(visitor, new_login())
    before = len(outside.example.revocations())

    unlink_example(visitor)

    expect(visitor.message).to_contain_text("This is the last way into your account.")
    expect(linked(visitor)).to_have_count(1)
    assert len(outside.example.revocations()) == before
    visitor.press("Link GitHub")
    expect(visitor.page.get_by_text("GitHub is linked.")).to_be_visible()
    unlink_example(visitor)
    expect(visitor.message).to_have_text("Unlinked: Example.")
    expect(linked(visitor)).to_have_count(1)
