"""Adding, renaming and removing passkeys, and showing again that it is you."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NewVisitor
from tests.browser.steps import (
    add_passkey,
    dialog,
    make_time_pass,
    remove_passkey,
    rows,
    sign_in,
    sign_out,
    sign_up,
)
from tests.browser.visitors import Visitor
from tests.support.servers import Server


def test_added_passkey_signs_in(visitor: Visitor) -> None:
    sign_up(visitor)

    add_passkey(visitor)

    expect(rows(visitor, "passkeys")).to_have_count(2)
    assert len(visitor.authenticator.credentials()) == 1
    sign_out(visitor)
    sign_in(visitor)
    expect(rows(visitor, "passkeys").nth(1)).to_contain_text("Last used")


def test_renamed_passkey_keeps_its_name(visitor: Visitor) -> None:
    sign_up(visitor)

    visitor.press("Rename", rows(visitor, "passkeys"))
    expect(visitor.page.get_by_label("Name").last).to_be_focused()
    visitor.page.keyboard.type("Work laptop")
    visitor.press("Save name", dialog(visitor))

    expect(visitor.message).to_have_text("Passkey renamed.")
    visitor.page.reload()
    expect(rows(visitor, "passkeys").get_by_role("heading")).to_have_text("Work laptop")


def test_name_that_is_refused_is_said_beside_the_field(visitor: Visitor) -> None:
    sign_up(visitor)

    visitor.press("Rename", rows(visitor, "passkeys"))
    visitor.page.keyboard.type("evil\u202ename")
    visitor.press("Save name", dialog(visitor))

    field = dialog(visitor).get_by_label("Name")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_be_focused()
    expect(visitor.page.locator("#passkey-name-error")).not_to_be_empty()


def test_removed_passkey_leaves_the_list_and_the_password_manager(visitor: Visitor) -> None:
    sign_up(visitor)
    add_passkey(visitor)
    visitor.press("Rename", rows(visitor, "passkeys").first)
    visitor.page.keyboard.type("Old phone")
    visitor.press("Save name", dialog(visitor))

    remove_passkey(visitor, rows(visitor, "passkeys").nth(1))

    expect(visitor.message).to_have_text("Passkey removed.")
    expect(rows(visitor, "passkeys")).to_have_count(1)
    expect(rows(visitor, "passkeys").get_by_role("heading")).to_have_text("Old phone")
    # signalAllAcceptedCredentials, WebAuthn section 5.1.10.3
    visitor.page.reload()
    assert visitor.authenticator.credentials() == []


def test_last_passkey_is_not_removed(visitor: Visitor) -> None:
    sign_up(visitor)

    remove_passkey(visitor, rows(visitor, "passkeys"))

    expect(visitor.message).to_have_text(
        "This is the last way into your account. Add another one before removing it."
    )
    visitor.page.reload()
    expect(rows(visitor, "passkeys")).to_have_count(1)


def test_step_up_is_asked_for_and_the_work_carries_on(visitor: Visitor, server: Server) -> None:
    sign_up(visitor)
    before = visitor.cookies()
    make_time_pass(server)

    visitor.press("Make new codes")
    visitor.press("Make new codes", dialog(visitor))
    expect(visitor.page.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
    visitor.press("Use your passkey", dialog(visitor))

    expect(visitor.page.get_by_role("heading", name="Your new recovery codes")).to_be_focused()
    changed = {name for name, value in visitor.cookies().items() if value != before[name]}
    assert [name.rpartition("_")[0] for name in changed] == ["openbadges_session"]


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_step_up_that_is_declined_changes_nothing(visitor: Visitor, server: Server) -> None:
    sign_up(visitor)
    add_passkey(visitor)
    make_time_pass(server)

    remove_passkey(visitor, rows(visitor, "passkeys").first)
    visitor.press("Cancel", dialog(visitor))

    expect(dialog(visitor)).to_be_hidden()
    expect(visitor.page.locator("[aria-busy]")).to_have_count(0)
    expect(visitor.message).to_be_hidden()
    visitor.page.reload()
    expect(rows(visitor, "passkeys")).to_have_count(2)


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_page_shows_the_use_that_a_step_up_made_of_a_passkey(
    visitor: Visitor, server: Server
) -> None:
    sign_up(visitor)
    expect(rows(visitor, "passkeys")).to_contain_text("Not used yet")
    make_time_pass(server)

    visitor.press("Make new codes")
    visitor.press("Make new codes", dialog(visitor))
    visitor.press("Use your passkey", dialog(visitor))
    visitor.press("Done", dialog(visitor))

    expect(rows(visitor, "passkeys")).to_contain_text("Last used")


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_passkey_removed_elsewhere_is_deleted_where_it_is_tried(
    visitor: Visitor, new_visitor: NewVisitor
) -> None:
    sign_up(visitor)
    other = new_visitor()
    other.passkeys_from(visitor)
    add_passkey(visitor)
    remove_passkey(visitor, rows(visitor, "passkeys").first)
    expect(visitor.message).to_have_text("Passkey removed.")

    other.page.goto("/sign-in")
    other.press("Sign in with a passkey")

    expect(other.message).to_contain_text("That passkey was not recognised here. Try another one.")
    expect(other.message.get_by_role("link", name="create an account")).to_be_visible()
    expect(other.message.get_by_role("link", name="use a recovery code")).to_be_visible()
    # signalUnknownCredential, WebAuthn section 5.1.10.2
    other.press("Sign in with a passkey")
    expect(other.message).to_contain_text("No passkey was used")
    assert other.authenticator.credentials() == []
