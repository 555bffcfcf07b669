"""Everything without a mouse: the focus goes where the work goes, and can be seen."""

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import NewVisitor
from tests.browser.steps import add_passkey, dialog, expect_account, rows, sign_out, sign_up
from tests.browser.visitors import Visitor

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)

MOST_STEPS = 40


def tab_to(visitor: Visitor, control: Locator) -> list[str]:
    """Press Tab until a control has the focus; each on the way shows a ring. Gives their names."""
    passed = []
    for _ in range(MOST_STEPS):
        visitor.page.keyboard.press("Tab")
        focused = visitor.page.locator(":focus")
        expect(focused).to_have_css("outline-style", "solid")
        expect(focused).not_to_have_css("outline-width", "0px")
        expect(focused).to_be_in_viewport()
        passed.append(" ".join(focused.inner_text().split()))
        if control.evaluate("(element) => element === document.activeElement"):
            return passed
    pytest.fail(f"Tab never came to {control}: {passed}")


def test_sign_in_by_tab_and_enter(visitor: Visitor) -> None:
    sign_up(visitor, name="Ada")
    sign_out(visitor)

    passed = tab_to(visitor, visitor.page.get_by_role("button", name="Sign in with a passkey"))
    visitor.page.keyboard.press("Enter")

    assert passed == ["Skip to the content", "Open Badges", "", "Sign in with a passkey"]
    expect_account(visitor)


def test_skip_link_leads_past_the_masthead(visitor: Visitor) -> None:
    visitor.page.goto("/sign-in")
    visitor.page.keyboard.press("Tab")

    visitor.page.keyboard.press("Enter")

    expect(visitor.page.locator("main")).to_be_focused()
    assert tab_to(visitor, visitor.page.get_by_label("Email")) == [""]


def test_removal_by_tab_enter_and_escape(visitor: Visitor) -> None:
    sign_up(visitor)
    add_passkey(visitor)
    visitor.page.reload()
    remove = visitor.page.get_by_role("button", name="Remove Passkey").last

    tab_to(visitor, remove)
    visitor.page.keyboard.press("Enter")
    expect(dialog(visitor).get_by_role("button", name="Cancel")).to_be_focused()
    visitor.page.keyboard.press("Escape")
    expect(dialog(visitor)).to_be_hidden()
    expect(remove).to_be_focused()
    expect(rows(visitor, "passkeys")).to_have_count(2)

    visitor.page.keyboard.press("Enter")
    tab_to(visitor, dialog(visitor).get_by_role("button", name="Remove passkey"))
    visitor.page.keyboard.press("Enter")
    expect(rows(visitor, "passkeys")).to_have_count(1)
    expect(visitor.page.locator("#passkeys-title")).to_be_focused()


def test_focus_stays_inside_a_dialog(visitor: Visitor) -> None:
    sign_up(visitor)
    visitor.press("Rename", rows(visitor, "passkeys"))
    inside = dialog(visitor)

    for _ in range(8):
        visitor.page.keyboard.press("Tab")
        # The browser's own controls may take a turn; the page behind never does.
        place = "(it) => document.activeElement === document.body || it.matches(':focus-within')"
        assert inside.evaluate(place)

    visitor.page.keyboard.press("Escape")
    expect(visitor.page.get_by_role("button", name="Rename")).to_be_focused()


def test_failed_field_takes_the_focus(visitor: Visitor) -> None:
    visitor.page.goto("/sign-up")
    visitor.page.get_by_label("Name").fill("Ada")
    visitor.page.get_by_label("Email").fill("ada@example")
    visitor.page.keyboard.press("Enter")

    field = visitor.page.get_by_label("Email")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_be_focused()
    expect(visitor.page.locator("#email-error")).not_to_be_empty()


def test_new_step_is_where_reading_goes_on(new_visitor: NewVisitor, visitor: Visitor) -> None:
    codes = sign_up(visitor)
    other = new_visitor()
    other.page.goto("/recovery")
    tab_to(other, other.page.get_by_label("Recovery code"))

    other.page.keyboard.type(codes[0])
    other.page.keyboard.press("Enter")

    expect(other.page.get_by_role("heading", name="Create a new passkey")).to_be_focused()
    tab_to(other, other.page.get_by_role("button", name="Create a new passkey"))
    other.page.keyboard.press("Enter")
    expect(other.page.get_by_role("heading", name="You are back in")).to_be_focused()
