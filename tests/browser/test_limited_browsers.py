"""Browsers that lack something: each page says what it needs, and does what it can without."""

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import NewVisitor
from tests.browser.steps import sign_up
from tests.browser.visitors import Visitor
from tests.support.servers import Server

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)

PAGES = ["/sign-in", "/sign-up", "/recovery"]


@pytest.mark.parametrize("path", PAGES)
def test_page_without_javascript_says_what_it_needs(
    browser: Browser, server: Server, path: str
) -> None:
    page = browser.new_page(base_url=server.origin, java_script_enabled=False)

    page.goto(path)

    expect(page.locator("noscript .notice").filter(visible=True)).to_contain_text("JavaScript")
    expect(page.get_by_role("button")).to_have_count(0)
    expect(page.get_by_role("textbox")).to_have_count(0)
    page.close()


def test_account_without_javascript_can_be_read(visitor: Visitor, browser: Browser) -> None:
    sign_up(visitor)
    page = browser.new_page(
        base_url=visitor.origin,
        java_script_enabled=False,
        storage_state=visitor.context.storage_state(),
    )

    page.goto("/account")

    expect(page.locator("noscript .notice").first).to_contain_text("JavaScript is off")
    expect(page.locator("[data-list=passkeys] > li")).to_have_count(1)
    expect(page.get_by_role("button")).to_have_count(0)
    page.close()


@pytest.mark.parametrize("path", PAGES)
def test_browser_without_passkeys_is_told_so(new_visitor: NewVisitor, path: str) -> None:
    visitor = new_visitor(script="delete window.PublicKeyCredential;")

    visitor.page.goto(path)

    expect(visitor.message).to_contain_text("This browser does not support passkeys.")
    for button in visitor.page.get_by_role("button").all():
        expect(button).to_be_disabled()


def test_account_without_passkeys_still_changes_the_profile(
    visitor: Visitor, new_visitor: NewVisitor
) -> None:
    sign_up(visitor)
    other = new_visitor(
        script="delete window.PublicKeyCredential;",
        storage_state=visitor.context.storage_state(),
    )

    other.page.goto("/account")

    expect(other.page.locator("[data-no-passkeys]")).to_contain_text("does not support passkeys")
    expect(other.page.get_by_role("button", name="Add a passkey")).to_be_disabled()
    other.page.get_by_label("Name", exact=True).first.fill("Ada King")
    other.press("Save profile")
    expect(other.message.last).to_have_text("Profile saved.")
    expect(other.page.locator("h1")).to_have_text("Ada King")
