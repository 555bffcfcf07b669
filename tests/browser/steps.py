"""What people do on the pages, each step seen to have worked."""

import re
import secrets
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Locator, expect
from sqlalchemy import create_engine, update

from app.config import load_settings
from app.models import UserSession
from tests.browser.visitors import Visitor
from tests.support.servers import Server


def new_address() -> str:
    return f"ada-{secrets.token_hex(6)}@example.org"


def fill_in_sign_up(visitor: Visitor, *, email: str, name: str = "Ada Lovelace") -> None:
    visitor.page.get_by_label("Name").fill(name)
    visitor.page.get_by_label("Email").fill(email)
    visitor.press("Create account")


def shown_codes(visitor: Visitor) -> list[str]:
    """Wait for the codes of a new account and give them."""
    expect(visitor.page.get_by_role("heading", name="Save your recovery codes")).to_be_focused()
    return visitor.page.get_by_label("Your recovery codes").locator("li").all_inner_texts()


def sign_up(visitor: Visitor, *, email: str | None = None, name: str = "Ada Lovelace") -> list[str]:
    """Create an account, go on to it, and give its recovery codes."""
    visitor.page.goto("/sign-up")
    fill_in_sign_up(visitor, email=email or new_address(), name=name)
    codes = shown_codes(visitor)
    visitor.page.get_by_role("link", name="Continue").click()
    expect_account(visitor)
    return codes


def expect_account(visitor: Visitor) -> None:
    """See the account page, ready for a click."""
    visitor.page.wait_for_url(re.compile(r"/account(#[a-z-]+)?$"))
    expect(visitor.page.get_by_role("button", name="Sign out")).to_be_enabled()


def sign_out(visitor: Visitor) -> None:
    visitor.press("Sign out")
    visitor.page.wait_for_url("**/sign-in")


def sign_in(visitor: Visitor) -> None:
    """Sign in by the button."""
    visitor.page.goto("/sign-in")
    visitor.press("Sign in with a passkey")
    expect_account(visitor)


def add_passkey(visitor: Visitor) -> None:
    """Add a passkey on another device, which takes the place of the one in use."""
    visitor.replace_authenticator()
    visitor.press("Add a passkey")
    expect(visitor.message).to_contain_text("Passkey added")


def rows(visitor: Visitor, kind: str) -> Locator:
    """Give the entries of the account's list of ``passkeys`` or ``sessions``."""
    return visitor.page.locator(f"[data-list={kind}] > li")


def dialog(visitor: Visitor) -> Locator:
    return visitor.page.get_by_role("dialog")


def remove_passkey(visitor: Visitor, row: Locator) -> None:
    """Ask for a removal and confirm it; what comes of it is the test's."""
    visitor.press("Remove", row)
    visitor.press("Remove passkey", dialog(visitor))


def take_link(printed: str) -> str:
    """Give the one-time link that a command printed."""
    found = re.search(r"http\S+#\S+", printed)
    assert found is not None, printed
    return found[0]


def make_time_pass(server: Server) -> None:
    """Let an hour pass since everybody signed in, so that a step-up is due."""
    engine = create_engine(load_settings(server.environment).database.url)
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    with engine.begin() as connection:
        connection.execute(update(UserSession).values(authenticated_at=an_hour_ago))
    engine.dispose()
