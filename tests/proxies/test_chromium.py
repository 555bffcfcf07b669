"""A real browser between the identity host and applications on hosts of their own.

Cookies, redirects and what a browser says with a request are its own; nginx, the service and its
gate are those that operators run.
"""

import pytest
from playwright.sync_api import expect

from tests.browser.steps import sign_out
from tests.support.platform_visitors import PlatformVisitor
from tests.support.platforms import Platform
from tests.support.tls_clients import Doors

pytestmark = pytest.mark.browser


def way_to(name: str, path: str) -> list[str]:
    """Give the way of somebody who is signed in and opens an application for the first time."""
    return [
        f"{name} {path}",
        "identity /api/auth/handover",
        f"{name} /.identity/callback",
        f"{name} {path}",
    ]


def is_signed_in_at(visitor: PlatformVisitor, name: str) -> bool:
    """Open an application, and see whether it knows the person or asks them to sign in."""
    visitor.go(name)
    if visitor.page.url == f"{visitor.platform.origin(name)}/":
        visitor.expect_at(name)
        return True
    visitor.page.wait_for_url(f"{visitor.platform.origin('identity')}/sign-in?**")
    return False


def test_stranger_signs_in_and_arrives_on_the_very_page(
    platform: Platform, visitor: PlatformVisitor
) -> None:
    visitor.sign_up("staff")
    sign_out(visitor)

    visitor.go("wiki", "/some/page?x=1")
    visitor.expect_asked("The wiki")
    visitor.expect_styled()
    assert not platform.applications["wiki"].pages
    visitor.press("Sign in with a passkey")

    visitor.expect_at("wiki", "/some/page?x=1")
    there = way_to("wiki", "/some/page")
    assert visitor.way == [*there[:2], "identity /sign-in", *there[1:]]
    received = platform.applications["wiki"].last
    assert received.one("X-Auth-Name") == "Ada Lovelace"
    assert received.one("X-Auth-Groups") == "staff"
    assert received.one("Cookie") is None
    # And silently to another one, under another domain.
    visitor.go("staff", "/desk?y=2")
    visitor.expect_at("staff", "/desk?y=2")
    assert visitor.way == way_to("staff", "/desk")
    assert platform.applications["staff"].last.one("Remote-User") == received.one("X-Auth-User-Id")
    # The next page is one request.
    visitor.go("wiki", "/other")
    assert visitor.way == ["wiki /other"]


def test_signing_out_here_ends_this_application_alone(
    platform: Platform, doors: Doors, visitor: PlatformVisitor
) -> None:
    visitor.sign_up("staff")
    for name in ("wiki", "staff"):
        visitor.go(name)
    token = visitor.token("wiki")

    visitor.go("wiki", "/.identity/sign-out")
    visitor.expect_styled()
    visitor.press("Sign out of The wiki")
    visitor.expect_heading("Signed out of The wiki")
    visitor.expect_styled()

    assert visitor.token("wiki") is None
    assert doors.ask(platform.host("wiki"), token=token).status == 401
    visitor.go("staff")
    assert visitor.way == ["staff /"]
    visitor.go("identity", "/account")
    expect(visitor.page.locator("h1")).to_have_text("Ada Lovelace")


def test_signing_out_everywhere_ends_every_application(
    platform: Platform, doors: Doors, visitor: PlatformVisitor
) -> None:
    visitor.sign_up("staff")
    for name in ("wiki", "staff"):
        visitor.go(name)
    tokens = {name: visitor.token(name) for name in ("wiki", "staff", "identity")}
    assert len({*tokens.values()} - {None}) == 3, "each host has a session of its own"

    visitor.go("wiki", "/.identity/sign-out")
    visitor.press("Sign out everywhere")
    visitor.expect_heading("Signed out everywhere")

    assert doors.ask(platform.host("wiki"), token=tokens["wiki"]).status == 401
    assert doors.ask(platform.host("staff"), token=tokens["staff"]).status == 401
    session = doors.ask(platform.host("identity"), "/api/auth/session", token=tokens["identity"])
    assert session.status == 401
    assert not is_signed_in_at(visitor, "wiki")
    assert not is_signed_in_at(visitor, "staff")


def test_signing_out_on_the_identity_host_ends_the_applications(visitor: PlatformVisitor) -> None:
    visitor.sign_up("staff")
    assert is_signed_in_at(visitor, "wiki")
    assert is_signed_in_at(visitor, "staff")

    visitor.go("identity", "/account")
    sign_out(visitor)

    assert not is_signed_in_at(visitor, "wiki")
    assert not is_signed_in_at(visitor, "staff")


def test_person_of_no_fitting_group_is_told_so(
    platform: Platform, visitor: PlatformVisitor
) -> None:
    visitor.sign_up("editors")

    assert visitor.go("staff").status == 403
    visitor.expect_heading("Your account may not use Staff only")
    visitor.expect_styled()
    assert not platform.applications["staff"].pages
    visitor.be_in("staff")
    assert is_signed_in_at(visitor, "staff")

    platform.forget()
    visitor.be_in("editors")
    assert visitor.go("staff", "/desk").status == 403
    visitor.expect_heading("Your account may not use Staff only")
    visitor.expect_styled()
    assert visitor.way == ["staff /desk"]
    assert not platform.applications["staff"].pages


def test_role_binds_between_two_requests(platform: Platform, visitor: PlatformVisitor) -> None:
    visitor.sign_up()
    assert is_signed_in_at(visitor, "wiki")
    platform.forget()

    assert visitor.go("wiki", "/admin/").status == 403
    visitor.expect_heading("That part of The wiki is not for your account")
    assert not platform.applications["wiki"].pages

    platform.sql("UPDATE users SET role = 'admin'")
    visitor.go("wiki", "/admin/")
    visitor.expect_at("wiki", "/admin/")
    platform.sql("UPDATE users SET role = 'user'")
    assert visitor.go("wiki", "/admin/").status == 403


def test_disabled_person_is_out_on_the_next_request(
    platform: Platform, visitor: PlatformVisitor
) -> None:
    visitor.sign_up()
    assert is_signed_in_at(visitor, "wiki")
    platform.forget()

    platform.sql("UPDATE users SET disabled_at = '2026-01-01 00:00:00.000000'")

    visitor.go("wiki")
    visitor.expect_asked("The wiki")
    visitor.press("Sign in with a passkey")
    expect(visitor.message).to_contain_text("disabled")
    assert not platform.applications["wiki"].pages
    platform.sql("UPDATE users SET disabled_at = NULL")
    visitor.press("Sign in with a passkey")
    visitor.expect_at("wiki")


def test_no_page_passes_while_the_service_is_stopped(
    platform: Platform, doors: Doors, visitor: PlatformVisitor
) -> None:
    visitor.sign_up()
    assert is_signed_in_at(visitor, "wiki")
    platform.forget()

    platform.gate.kill()
    platform.service.kill()
    try:
        assert [visitor.go("wiki").status for _ in range(3)] == [500] * 3
        assert visitor.go("identity", "/account").status == 502
        assert not platform.applications["wiki"].pages
    finally:
        platform.service.start()
        platform.gate.start()

    token = visitor.token("wiki")
    platform.await_recovery(lambda: doors.ask(platform.host("wiki"), token=token).status == 200)
    assert is_signed_in_at(visitor, "wiki")
