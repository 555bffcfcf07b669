"""A copy of the database lets nobody in: it holds nothing that a browser held (A14)."""

import base64
from collections.abc import Iterable
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import expect

from app.services.tokens import new_secret
from tests.browser.conftest import NewVisitor
from tests.browser.raw_database import raw_database
from tests.browser.steps import (
    dialog,
    make_time_pass,
    new_address,
    shown_codes,
    sign_in,
    sign_out,
    sign_up,
    take_link,
)
from tests.browser.visitors import Visitor
from tests.support.secret_search import SecretSearch
from tests.support.servers import Server


def secret_of(link: str) -> str:
    """Give the token that a one-time link carries."""
    fragment = parse_qs(urlsplit(link).fragment)
    return (fragment.get("invitation") or fragment["code"])[0]


def searching(secrets: Iterable[str]) -> SecretSearch:
    search = SecretSearch()
    for secret in secrets:
        search.add(secret, secret)
    return search


def accept(visitor: Visitor, link: str) -> list[str]:
    """Create an account by an invitation and give its recovery codes."""
    visitor.page.goto(link)
    visitor.page.get_by_label("Name").fill("Ada Lovelace")
    visitor.press("Create account")
    codes = shown_codes(visitor)
    visitor.page.get_by_role("link", name="Continue").click()
    return codes


def show_again(visitor: Visitor, server: Server) -> None:
    make_time_pass(server)
    visitor.press("Make new codes")
    visitor.press("Make new codes", dialog(visitor))
    visitor.press("Use your passkey", dialog(visitor))


def recover(visitor: Visitor, link: str) -> None:
    visitor.page.goto(link)
    visitor.press("Continue")
    visitor.press("Create a new passkey")
    expect(visitor.page.get_by_role("heading", name="You are back in")).to_be_focused()


def test_database_holds_no_token_that_a_browser_held(
    visitor: Visitor, new_visitor: NewVisitor, server: Server
) -> None:
    address, second = new_address(), new_visitor()
    invitation = take_link(server.flask("users", "invite", address))
    secrets = {secret_of(invitation), *accept(visitor, invitation)}
    sign_out(visitor)
    sign_in(visitor)
    show_again(visitor, server)
    new_codes = visitor.page.get_by_label("Your recovery codes").locator("li")
    expect(new_codes).to_have_count(10)
    secrets.update(new_codes.all_inner_texts())
    recovery = take_link(server.flask("users", "recover", address))
    secrets.add(secret_of(recovery))
    recover(second, recovery)
    secrets |= visitor.held | second.held

    search = searching(secrets)

    # Two links, twenty codes; sign-up, sign-in, step-up, recovery and enrolment; two browsers.
    assert len(secrets) == 2 + 20 + 5 + 2
    assert {*visitor.cookies().values(), *second.cookies().values()} <= secrets
    assert search.found_in(raw_database(server)) == set()
    assert search.found_in(server.log().encode()) == set()


def test_search_of_the_database_would_find_a_secret(visitor: Visitor, server: Server) -> None:
    sign_up(visitor)
    (credential,) = visitor.authenticator.credentials()
    credential_id = base64.b64decode(credential["credentialId"])
    stored = base64.urlsafe_b64encode(credential_id).decode().rstrip("=")

    search = searching([stored, new_secret()])

    assert search.found_in(raw_database(server)) == {stored}
