"""Links and codes that open an account: invitations, the first administrator's, recovery."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NewVisitor
from tests.browser.steps import (
    expect_account,
    fill_in_sign_up,
    new_address,
    rows,
    shown_codes,
    sign_in,
    sign_out,
    sign_up,
    take_link,
)
from tests.browser.visitors import Visitor
from tests.support.servers import Server


def enrol_anew(visitor: Visitor) -> None:
    """Go through the recovery's second step."""
    visitor.press("Continue")
    expect(visitor.page.get_by_role("heading", name="Create a new passkey")).to_be_focused()
    visitor.press("Create a new passkey")
    expect(visitor.page.get_by_role("heading", name="You are back in")).to_be_focused()


def test_recovery_code_lets_a_person_make_a_new_passkey(
    visitor: Visitor, new_visitor: NewVisitor
) -> None:
    codes = sign_up(visitor)
    other = new_visitor()

    other.page.goto("/recovery")
    other.page.get_by_label("Recovery code").fill(codes[3].lower())
    enrol_anew(other)

    old = other.page.locator("[data-old-list] li")
    expect(old).to_have_count(2)
    expect(old.first).to_contain_text("Passkey")
    expect(old.last).to_contain_text("Session on")
    other.page.get_by_role("link", name="Review them").click()
    expect(rows(other, "passkeys")).to_have_count(2)
    expect(other.page.get_by_text("9 of 10 left")).to_be_visible()
    sign_out(other)
    sign_in(other)


def test_recovery_code_works_once(visitor: Visitor, new_visitor: NewVisitor) -> None:
    codes = sign_up(visitor)
    for other, outcome in (
        (new_visitor(), "Create a new passkey"),
        (new_visitor(), "Recover your account"),
    ):
        other.page.goto("/recovery")
        other.page.get_by_label("Recovery code").fill(codes[0])
        other.press("Continue")
        expect(other.page.locator("[aria-busy]")).to_have_count(0)
        expect(other.page.locator("h1").filter(visible=True)).to_have_text(outcome)

    expect(other.message).to_have_text(
        "That recovery code is not valid, has expired, or was used before."
    )


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_recovery_opens_nothing_before_the_new_passkey_is_made(
    visitor: Visitor, new_visitor: NewVisitor
) -> None:
    codes = sign_up(visitor)
    other = new_visitor()
    other.page.goto("/recovery")
    other.page.get_by_label("Recovery code").fill(codes[0])
    other.press("Continue")
    expect(other.page.get_by_role("heading", name="Create a new passkey")).to_be_focused()

    other.page.goto("/account")

    other.page.wait_for_url("**/recovery")
    other.press("Stop and sign out")
    other.page.wait_for_url("**/sign-in")


def test_link_of_the_operator_leads_back_in(
    visitor: Visitor, new_visitor: NewVisitor, server: Server
) -> None:
    """ASVS 14.2.1: its code leaves the address bar at once."""
    address = new_address()
    sign_up(visitor, email=address)
    other = new_visitor()

    other.page.goto(take_link(server.flask("users", "recover", address)))
    expect(other.page).to_have_url(f"{server.origin}/recovery")
    enrol_anew(other)

    other.page.get_by_role("link", name="Review them").click()
    expect(other.page.get_by_text(address)).to_be_visible()


def test_invitation_names_its_address(visitor: Visitor, server: Server) -> None:
    address = new_address()

    visitor.page.goto(take_link(server.flask("users", "invite", address)))

    expect(visitor.page).to_have_url(f"{server.origin}/sign-up")
    expect(visitor.page.get_by_label("Email")).to_have_value(address)
    expect(visitor.page.get_by_label("Email")).not_to_be_editable()
    visitor.page.get_by_label("Name").fill("Grace Hopper")
    visitor.press("Create account")
    assert len(shown_codes(visitor)) == 10


def test_first_administrator_comes_by_the_printed_link(visitor: Visitor, server: Server) -> None:
    visitor.page.goto(take_link(server.flask("welcome")))
    fill_in_sign_up(visitor, email=new_address(), name="Root")
    shown_codes(visitor)
    visitor.page.get_by_role("link", name="Continue").click()

    expect_account(visitor)
    expect(visitor.page.get_by_text("Administrator")).to_be_visible()
    assert re.search(r"http\S+#", server.flask("welcome")) is None
