"""What can go wrong, said in words that a person understands."""

import base64
import secrets

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from playwright.sync_api import expect

from tests.browser.conftest import NewVisitor
from tests.browser.steps import (
    add_passkey,
    expect_account,
    fill_in_sign_up,
    new_address,
    rows,
    sign_in,
    sign_out,
    sign_up,
)
from tests.browser.visitors import Visitor

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)

DEVICE_BOUND = {"defaultBackupEligibility": False, "defaultBackupState": False}
NOT_USED = (
    "No passkey was used: the request was cancelled, took too long, or found none on this device."
)


def test_cancelled_sign_in_names_other_ways(visitor: Visitor) -> None:
    sign_up(visitor)
    sign_out(visitor)
    visitor.authenticator.verify_user(succeeds=False)

    visitor.press("Sign in with a passkey")

    expect(visitor.message).to_contain_text(NOT_USED)
    expect(visitor.message.get_by_role("link", name="create an account")).to_be_visible()
    visitor.authenticator.verify_user(succeeds=True)
    visitor.press("Sign in with a passkey")
    expect_account(visitor)


def test_cancelled_sign_up_makes_no_account(visitor: Visitor) -> None:
    address = new_address()
    visitor.page.goto("/sign-up")
    visitor.authenticator.verify_user(succeeds=False)

    fill_in_sign_up(visitor, email=address)

    expect(visitor.message).to_contain_text("That was cancelled or took too long.")
    visitor.authenticator.verify_user(succeeds=True)
    sign_up(visitor, email=address)


def test_passkey_that_was_never_known_here_is_not_deleted(visitor: Visitor) -> None:
    key = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    foreign = {
        "credentialId": base64.b64encode(secrets.token_bytes(16)).decode(),
        "isResidentCredential": True,
        "rpId": "localhost",
        "privateKey": base64.b64encode(key).decode(),
        "userHandle": base64.b64encode(secrets.token_bytes(64)).decode(),
        "signCount": 0,
    }
    visitor.page.goto("/sign-in")
    visitor.authenticator.send("addCredential", credential=foreign)

    visitor.press("Sign in with a passkey")

    expect(visitor.message).to_contain_text("That passkey was not recognised here.")
    expect(visitor.message.get_by_role("link", name="use a recovery code")).to_be_visible()
    assert len(visitor.authenticator.credentials()) == 1


def test_second_passkey_on_the_same_device_is_refused(visitor: Visitor) -> None:
    sign_up(visitor)

    visitor.press("Add a passkey")

    expect(visitor.message).to_have_text("This device already has a passkey for this account.")
    expect(rows(visitor, "passkeys")).to_have_count(1)


def test_address_that_is_taken_is_said(visitor: Visitor, new_visitor: NewVisitor) -> None:
    address = new_address()
    sign_up(visitor, email=address)
    other = new_visitor()

    other.page.goto("/sign-up")
    fill_in_sign_up(other, email=address.upper())

    expect(other.message).to_have_text(
        "An account with that address exists already. Sign in to it instead."
    )
    assert other.authenticator.credentials() == []


def test_copy_of_a_device_bound_passkey_is_refused(new_visitor: NewVisitor) -> None:
    original = new_visitor(authenticator=DEVICE_BOUND)
    sign_up(original)
    copy = new_visitor(authenticator=DEVICE_BOUND)
    copy.passkeys_from(original)
    sign_out(original)
    sign_in(original)
    add_passkey(original)

    copy.page.goto("/sign-in")
    copy.press("Sign in with a passkey")

    expect(copy.message).to_contain_text("That passkey was not recognised here.")
    # What the copied passkey had opened is over; the other one opens the account.
    sign_in(original)
    expect(rows(original, "passkeys").first).to_contain_text("Blocked since")
    expect(rows(original, "passkeys").last).not_to_contain_text("Blocked since")


def test_service_out_of_reach_is_said(visitor: Visitor) -> None:
    sign_up(visitor)
    sign_out(visitor)
    visitor.context.set_offline(offline=True)

    visitor.press("Sign in with a passkey")

    expect(visitor.message).to_have_text(
        "The service could not be reached. Check your connection and try again."
    )
    visitor.context.set_offline(offline=False)
    visitor.press("Sign in with a passkey")
    expect_account(visitor)
    assert {one.rpartition("::")[2] for one in visitor.complaints} == {"ERR_INTERNET_DISCONNECTED"}
    visitor.complaints.clear()


def test_answer_of_a_proxy_is_no_riddle(visitor: Visitor) -> None:
    visitor.page.route("**/api/**", lambda route: route.fulfill(status=502, body="<h1>Bad</h1>"))
    visitor.page.goto("/sign-in")

    visitor.press("Sign in with a passkey")

    expect(visitor.message).to_contain_text("The service gave an unexpected answer (502).")
    assert "502" in visitor.complaints.pop()


def test_violation_of_the_policy_would_be_noticed(visitor: Visitor) -> None:
    visitor.page.goto("/sign-in")

    visitor.page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {text: '1'}))"
    )

    expect(visitor.page.locator("script").last).to_have_js_property("text", "1")
    assert [one for one in visitor.complaints if one.startswith("policy violated: script-src")]
    visitor.complaints.clear()
