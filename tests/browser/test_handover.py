"""To an application on a host of its own, and out of it again, in a real browser.

The cookies, the redirects between hosts, and what a browser says with a form are its own.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NewVisitor
from tests.browser.looks import look
from tests.browser.steps import fill_in_sign_up, new_address, shown_codes, sign_up
from tests.browser.visitors import Visitor
from tests.support.application_proxy import application_behind_proxy
from tests.support.servers import Server

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)


@pytest.fixture(scope="module")
def wiki(server: Server) -> Iterator[str]:
    """Give the origin of a wiki that lets everybody in."""
    with application_behind_proxy("wiki", service_port=server.port) as origin:
        server.flask("apps", "add", "wiki", "--name", "The wiki", "--origin", origin)
        yield origin
        server.flask("apps", "remove", "wiki")


@pytest.fixture(scope="module")
def vault(server: Server) -> Iterator[str]:
    """Give the origin of a vault that lets in whom nobody here is."""
    with application_behind_proxy("vault", service_port=server.port) as origin:
        server.flask(
            "apps", "add", "vault", "--name", "The vault", "--origin", origin, "--group", "keepers"
        )
        yield origin
        server.flask("apps", "remove", "vault")


def heading(visitor: Visitor, name: str) -> None:
    expect(visitor.page.get_by_role("heading", name=name, level=1)).to_be_visible()


def greeted(visitor: Visitor, url: str) -> None:
    visitor.page.wait_for_url(url)
    expect(visitor.page.get_by_text("Hello Ada")).to_be_visible()


def test_stranger_comes_to_the_page_that_they_asked_for(visitor: Visitor, wiki: str) -> None:
    page = visitor.page
    page.goto(f"{wiki}/page?a=1&b[]=x")
    expect(page.get_by_text("to continue to The wiki")).to_be_visible()
    look(page, "sign-in-to-continue")

    page.get_by_role("link", name="Create an account").click()
    expect(page.get_by_text("to continue to The wiki")).to_be_visible()
    fill_in_sign_up(visitor, email=new_address())
    shown_codes(visitor)
    page.get_by_role("link", name="Continue").click()

    greeted(visitor, f"{wiki}/page?a=1&b%5B%5D=x")


def test_person_signs_out_of_the_application_and_comes_back(visitor: Visitor, wiki: str) -> None:
    sign_up(visitor)
    visitor.page.goto(f"{wiki}/")
    greeted(visitor, f"{wiki}/")

    visitor.page.goto(f"{wiki}/.identity/sign-out")
    look(visitor.page, "sign-out")
    visitor.press("Sign out of The wiki")
    heading(visitor, "Signed out of The wiki")
    look(visitor.page, "signed-out")

    visitor.page.get_by_role("link", name="Back to The wiki").click()
    greeted(visitor, f"{wiki}/")


def test_person_signs_out_everywhere_without_a_script(new_visitor: NewVisitor, wiki: str) -> None:
    visitor = new_visitor()
    sign_up(visitor)
    visitor.page.goto(f"{wiki}/")
    greeted(visitor, f"{wiki}/")
    plain = visitor.context.browser.new_context(java_script_enabled=False)  # type: ignore[union-attr]
    plain.add_cookies(visitor.context.cookies())  # type: ignore[arg-type]
    page = plain.new_page()

    page.goto(f"{wiki}/.identity/sign-out")
    page.get_by_role("button", name="Sign out everywhere").click()

    expect(page.get_by_role("heading", name="Signed out everywhere")).to_be_visible()
    plain.close()
    visitor.page.goto("/account")
    visitor.page.wait_for_url("**/sign-in?return_to=/account")
    visitor.page.goto(f"{wiki}/")
    expect(visitor.page.get_by_text("to continue to The wiki")).to_be_visible()


def test_person_who_is_not_let_in_is_told_so_and_goes_on(visitor: Visitor, vault: str) -> None:
    sign_up(visitor)
    visitor.page.goto(f"{vault}/")
    heading(visitor, "Your account may not use The vault")
    look(visitor.page, "not-allowed")

    visitor.press("Sign in as somebody else")
    visitor.page.wait_for_url("**/sign-in?return_to=/api/auth/handover**")
    expect(visitor.page.get_by_text("to continue to The vault")).to_be_visible()


def test_way_that_failed_ends_on_a_page(visitor: Visitor, wiki: str) -> None:
    sign_up(visitor)
    visitor.page.goto(f"{wiki}/.identity/callback?code={'x' * 43}")
    heading(visitor, "You are not signed in yet")
    look(visitor.page, "handover-failed")

    visitor.page.get_by_role("link", name="Try again").click()
    greeted(visitor, f"{wiki}/")
    visitor.page.goto(f"{wiki}/.identity/start?return_to=/page")
    heading(visitor, "You are signed in already")
    look(visitor.page, "signed-in-already")
