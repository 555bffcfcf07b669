"""Every page: pictures for a person to look at, no barrier that axe-core knows, no wide scrolling.

The pictures are in screenshots/: each page at the width of a phone and of a desk, light and dark.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import pytest
from playwright.sync_api import expect

from tests.browser.looks import barriers, look, scrolls_sideways
from tests.browser.steps import (
    add_passkey,
    dialog,
    fill_in_sign_up,
    make_time_pass,
    new_address,
    rows,
    shown_codes,
    sign_in,
    sign_out,
    sign_up,
)
from tests.browser.visitors import Visitor
from tests.support.servers import Server

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)


def at(path: str) -> Callable[[Visitor], None]:
    def go(visitor: Visitor) -> None:
        visitor.page.goto(path)

    return go


def codes(visitor: Visitor) -> None:
    visitor.page.goto("/sign-up")
    fill_in_sign_up(visitor, email=new_address())
    shown_codes(visitor)


def sign_up_refused(visitor: Visitor) -> None:
    visitor.page.goto("/sign-up")
    fill_in_sign_up(visitor, email="ada@example")
    expect(visitor.page.locator("#email-error")).not_to_be_empty()


def signed_in_already(visitor: Visitor) -> None:
    sign_up(visitor)
    visitor.page.goto("/sign-up")


def not_recognised(visitor: Visitor) -> None:
    visitor.page.goto("/sign-in")
    visitor.press("Sign in with a passkey")
    expect(visitor.message).not_to_be_empty()


def account(visitor: Visitor) -> None:
    sign_up(visitor)
    visitor.context.clear_cookies()
    sign_in(visitor)
    expect(rows(visitor, "sessions")).to_have_count(2)
    add_passkey(visitor)
    visitor.press("Rename", rows(visitor, "passkeys").last)
    visitor.page.keyboard.type("Work laptop")
    visitor.press("Save name", dialog(visitor))
    expect(visitor.message).to_have_text("Passkey renamed.")
    visitor.press("Close this message")
    expect(visitor.message).to_be_hidden()


def rename(visitor: Visitor) -> None:
    sign_up(visitor)
    visitor.press("Rename", rows(visitor, "passkeys"))


def new_codes(visitor: Visitor) -> None:
    sign_up(visitor)
    visitor.press("Make new codes")
    visitor.press("Make new codes", dialog(visitor))
    expect(dialog(visitor).locator("li")).to_have_count(10)


def recovery_enrol(visitor: Visitor) -> None:
    code = sign_up(visitor)[0]
    sign_out(visitor)
    visitor.page.goto(f"/recovery#code={code}")
    visitor.press("Continue")
    expect(visitor.page.get_by_role("heading", name="Create a new passkey")).to_be_focused()


def recovery_done(visitor: Visitor) -> None:
    recovery_enrol(visitor)
    visitor.replace_authenticator()
    visitor.press("Create a new passkey")
    expect(visitor.page.locator("[data-old-list] li").first).to_be_visible()


PAGES: Mapping[str, Callable[[Visitor], None]] = MappingProxyType(
    {
        "sign-in": at("/sign-in"),
        "sign-in-refused": not_recognised,
        "sign-up": at("/sign-up"),
        "sign-up-refused": sign_up_refused,
        "sign-up-codes": codes,
        "sign-up-signed-in": signed_in_already,
        "account": account,
        "account-rename": rename,
        "account-new-codes": new_codes,
        "recovery": at("/recovery"),
        "recovery-enrol": recovery_enrol,
        "recovery-done": recovery_done,
        "docs": at("/docs"),
        "error-404": at("/nowhere"),
    }
)


@pytest.mark.parametrize("name", PAGES)
def test_page_is_fit_for_everybody(visitor: Visitor, name: str) -> None:
    PAGES[name](visitor)

    look(visitor.page, name)


def test_step_up_dialog_is_fit_for_everybody(visitor: Visitor, server: Server) -> None:
    sign_up(visitor)
    make_time_pass(server)

    visitor.press("Make new codes")
    visitor.press("Make new codes", dialog(visitor))

    expect(visitor.page.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
    look(visitor.page, "account-step-up")


def test_barrier_and_wide_scrolling_would_be_noticed(visitor: Visitor) -> None:
    visitor.page.goto("/sign-in")
    visitor.page.evaluate(
        """() => {
          const wide = Object.assign(document.createElement("img"), {src: "/static/mark.svg"});
          wide.width = 2000;
          document.querySelector("main").append(wide);
        }"""
    )

    assert barriers(visitor.page) == ['image-alt: img[width="2000"]']
    assert scrolls_sideways(visitor.page)
