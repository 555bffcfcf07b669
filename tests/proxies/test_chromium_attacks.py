"""What the owner of a sibling host can make a real browser do, and what comes of it: nothing."""

import pytest

from tests.proxies.conftest import NewVisitor
from tests.support.platform_visitors import PlatformVisitor
from tests.support.platforms import Platform
from tests.support.recorders import Received

pytestmark = pytest.mark.browser

_FETCH = """async ([url, method, mode]) => {
  try {
    const body = method == "GET" ? undefined : "title=owned";
    const answer = await fetch(url, {method, mode, body, credentials: "include"});
    return answer.type == "opaque" ? "opaque" : `${answer.status}`;
  } catch (error) {
    return "failed";
  }
}"""
_FORM = """(url) => {
  const form = document.createElement("form");
  form.method = "post";
  form.action = url;
  document.body.append(form);
  form.submit();
}"""
_SOCKET = """(url) => new Promise((settle) => {
  const socket = new WebSocket(url);
  socket.onclose = () => settle();
})"""


def code_of(attacker: PlatformVisitor) -> str:
    """Get a code for the attacker's own account, and do not use it; gives the callback."""
    (address,) = attacker.set_out_and_stop("/.identity/callback")
    return address


def force(victim: PlatformVisitor, address: str) -> int:
    """Let a page of the evil host lead its visitor there; gives the status that it ends on."""
    victim.go("evil")
    victim.way.clear()
    with victim.page.expect_navigation() as navigation:
        victim.page.evaluate("(address) => { location = address }", address)
    response = navigation.value
    assert response is not None
    assert victim.way == ["wiki /.identity/callback"]
    return response.status


def asked(visitor: PlatformVisitor, url: str, method: str = "GET", mode: str = "no-cors") -> str:
    found: str = visitor.page.evaluate(_FETCH, [url, method, mode])
    return found


def pages(platform: Platform, name: str = "wiki") -> list[Received]:
    """Give what reached an application."""
    return platform.applications[name].pages


@pytest.fixture
def attacker(new_visitor: NewVisitor) -> PlatformVisitor:
    mallory = new_visitor()
    mallory.sign_up(name="Mallory")
    return mallory


@pytest.mark.parametrize("begun", [False, True])
def test_attackers_code_signs_nobody_in(
    platform: Platform, visitor: PlatformVisitor, attacker: PlatformVisitor, *, begun: bool
) -> None:
    """RFC 9700 section 4.7: login CSRF; the victim would write into the attacker's account."""
    visitor.sign_up()
    visitor.go("evil")
    if begun:
        # The victim's browser has a cookie of its own for a way that it has begun.
        visitor.set_out_and_stop("/api/auth/handover")
        assert visitor.cookie("wiki", "__Host-handover") is not None

    assert force(visitor, code_of(attacker)) == 400

    visitor.expect_heading("You are not signed in yet")
    assert visitor.token("wiki") is None
    assert not pages(platform)
    visitor.expect_styled()
    visitor.page.get_by_role("link", name="Try again").click()
    visitor.expect_at("wiki")
    assert pages(platform)[-1].one("X-Auth-Name") == "Ada Lovelace"
    # The attacker's way is as good as anybody's, in the attacker's own browser.
    attacker.go("wiki", "/mine")
    attacker.expect_at("wiki", "/mine")
    assert pages(platform)[-1].one("X-Auth-Name") == "Mallory"


def test_attackers_code_replaces_nobodys_session(
    platform: Platform, visitor: PlatformVisitor, attacker: PlatformVisitor
) -> None:
    visitor.sign_up()
    visitor.go("wiki")
    own = visitor.token("wiki")

    address = code_of(attacker)
    assert force(visitor, address) == 400

    assert visitor.token("wiki") == own
    visitor.go("wiki", "/still")
    assert pages(platform)[-1].one("X-Auth-Name") == "Ada Lovelace"
    # What turned up elsewhere is good for nobody any more.
    attacker.go("wiki", address.removeprefix(platform.origin("wiki")))
    attacker.expect_heading("You are not signed in yet")


def test_requests_of_a_sibling_change_nothing(platform: Platform, visitor: PlatformVisitor) -> None:
    """The cookie goes along, since siblings are the same site: SameSite keeps nothing out here."""
    wiki = platform.origin("wiki")
    visitor.sign_up()
    visitor.go("wiki")
    visitor.go("evil")
    platform.forget()

    assert asked(visitor, f"{wiki}/read") == "opaque"
    (read,) = pages(platform)
    assert read.one("X-Auth-Name") == "Ada Lovelace", "the cookie went along"
    platform.forget()
    assert asked(visitor, f"{wiki}/read", mode="cors") == "failed"
    platform.forget()
    for method in ("POST", "PUT", "DELETE"):
        mode = "no-cors" if method == "POST" else "cors"
        assert asked(visitor, f"{wiki}/pages", method, mode) in {"opaque", "failed"}
    socket = wiki.replace("https", "wss", 1)
    visitor.page.evaluate(_SOCKET, f"{socket}/live")
    with visitor.page.expect_navigation() as navigation:
        visitor.page.evaluate(_FORM, f"{wiki}/pages")
    assert navigation.value is not None
    assert navigation.value.status == 403
    assert [one.method for one in pages(platform) if one.method != "OPTIONS"] == []

    visitor.go("wiki")
    platform.forget()
    assert asked(visitor, f"{wiki}/pages", "POST", "cors") == "200"
    visitor.page.evaluate(_SOCKET, f"{socket}/live")
    visitor.page.evaluate(_FORM, f"{wiki}/pages")
    visitor.expect_at("wiki", "/pages")
    assert [(one.method, one.target) for one in pages(platform)] == [
        ("POST", "/pages"),
        ("GET", "/live"),
        ("POST", "/pages"),
    ]


def test_sibling_signs_nobody_out(platform: Platform, visitor: PlatformVisitor) -> None:
    visitor.sign_up()
    visitor.go("wiki")
    sign_out = f"{platform.origin('wiki')}/.identity/sign-out"

    for address in (sign_out, f"{sign_out}/everywhere"):
        visitor.go("evil")
        # Opaque, or kept from the page as a whole (Cross-Origin-Resource-Policy).
        assert asked(visitor, address, "POST") in {"opaque", "failed"}
        with visitor.page.expect_navigation() as navigation:
            visitor.page.evaluate(_FORM, address)
        assert navigation.value is not None
        assert navigation.value.status == 403
    visitor.go("evil")
    session = f"{platform.origin('identity')}/api/auth/session"
    assert asked(visitor, session, "DELETE", "cors") == "failed"
    assert asked(visitor, session, "GET", "cors") == "failed"

    visitor.go("wiki")
    assert visitor.way == ["wiki /"]
    visitor.go("identity", "/account")
    assert visitor.way == ["identity /account"]
