"""Signing up, out and in, with a passkey and nothing else."""

import re
from pathlib import Path

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
)
from tests.browser.visitors import Visitor

CODE = re.compile(r"[0-9A-Z]{5}(-[0-9A-Z]{5}){4}")


def test_account_begins_with_one_passkey_one_session_and_ten_codes(visitor: Visitor) -> None:
    sign_up(visitor)

    expect(visitor.page.locator("h1")).to_have_text("Ada Lovelace")
    expect(rows(visitor, "passkeys")).to_have_count(1)
    expect(rows(visitor, "sessions")).to_have_count(1)
    expect(rows(visitor, "sessions")).to_contain_text("This device")
    expect(visitor.page.get_by_text("10 of 10 left")).to_be_visible()
    assert len(visitor.authenticator.credentials()) == 1


def test_recovery_codes_are_shown_once(visitor: Visitor) -> None:
    codes = sign_up(visitor)
    assert len(set(codes)) == 10
    assert all(CODE.fullmatch(code) for code in codes)

    visitor.page.go_back()
    expect(visitor.page.locator("h1").filter(visible=True)).to_have_text("You are signed in")

    assert not [code for code in codes if code in visitor.page.content()]
    visitor.page.goto("/account")
    assert not [code for code in codes if code in visitor.page.content()]


def test_recovery_codes_can_be_downloaded(visitor: Visitor, tmp_path: Path) -> None:
    visitor.page.goto("/sign-up")
    fill_in_sign_up(visitor, email=new_address())
    codes = shown_codes(visitor)

    with visitor.page.expect_download() as download:
        visitor.press("Download")

    assert download.value.suggested_filename == "recovery-codes-localhost.txt"
    download.value.save_as(tmp_path / "codes.txt")
    lines = (tmp_path / "codes.txt").read_text().splitlines()
    assert [line for line in lines if CODE.fullmatch(line)] == codes


def test_signing_out_ends_the_session(visitor: Visitor) -> None:
    """ASVS 7.4.4."""
    sign_up(visitor)
    before = visitor.cookies()

    sign_out(visitor)

    assert set(before) - set(visitor.cookies()) == {
        name for name in before if name.startswith("openbadges_session_")
    }
    visitor.page.goto("/account")
    visitor.page.wait_for_url("**/sign-in?return_to=/account")


def test_button_signs_in_without_a_user_name(visitor: Visitor) -> None:
    sign_up(visitor)
    sign_out(visitor)

    visitor.press("Sign in with a passkey")

    expect_account(visitor)
    expect(visitor.page.locator("h1")).to_have_text("Ada Lovelace")


def test_autofill_signs_in_and_leads_back(visitor: Visitor, new_visitor: NewVisitor) -> None:
    sign_up(visitor)
    other = new_visitor(autofill=True)
    other.passkeys_from(visitor)

    other.page.goto("/account?from=a-bookmark")

    other.page.wait_for_url("**/account?from=a-bookmark")
    expect(other.page.locator("h1")).to_have_text("Ada Lovelace")


def test_button_works_while_autofill_waits(visitor: Visitor, new_visitor: NewVisitor) -> None:
    sign_up(visitor)
    tells = """
    const get = navigator.credentials.get.bind(navigator.credentials);
    navigator.credentials.get = (options) => {
      document.documentElement.dataset.asked = options.mediation ?? "by the button";
      return get(options);
    };
    """
    other = new_visitor(autofill=True, script=tells)
    other.passkeys_from(visitor)
    other.authenticator.touch_by_itself(touches=False)
    other.page.goto("/sign-in")
    expect(other.page.locator("html")).to_have_attribute("data-asked", "conditional")
    other.page.wait_for_timeout(300)
    expect(other.page).to_have_url(re.compile("/sign-in$"))

    other.authenticator.touch_by_itself(touches=True)
    other.press("Sign in with a passkey")

    expect_account(other)


def test_every_sign_in_opens_a_session_of_its_own(
    visitor: Visitor, new_visitor: NewVisitor
) -> None:
    sign_up(visitor)
    other = new_visitor()
    other.passkeys_from(visitor)

    sign_in(other)

    visitor.page.reload()
    expect(rows(visitor, "sessions")).to_have_count(2)
    expect(rows(other, "sessions")).to_have_count(2)
