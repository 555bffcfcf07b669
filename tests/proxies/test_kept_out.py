"""Whoever an application's check keeps out: what they get, and that nothing reached it."""

from http.cookies import SimpleCookie
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.platform_sites import HANDBOOK
from tests.support.platforms import Platform
from tests.support.tls_clients import Doors, ask_over, code_of, cookie
from tests.support.visitors import visit

NAVIGATION = (
    (b"Sec-Fetch-Mode", b"navigate"),
    (b"Sec-Fetch-Dest", b"document"),
    (b"Accept", b"text/html"),
)
SCRIPT = ((b"Sec-Fetch-Mode", b"cors"), (b"Sec-Fetch-Dest", b"empty"))


def untouched(platform: Platform) -> bool:
    return not any(one.requests for one in platform.applications.values())


def test_stranger_who_navigates_is_led_to_sign_in_and_back(
    platform: Platform, doors: Doors
) -> None:
    reply = doors.ask(platform.host("wiki"), "/page?a=1&b=%26", *NAVIGATION)

    assert reply.status == 303
    to = urlsplit(reply.header("location"))
    assert f"{to.scheme}://{to.netloc}" == platform.origin("identity")
    assert to.path == "/api/auth/handover"
    asked = parse_qs(to.query)
    assert asked["app"] == ["wiki"]
    assert asked["origin"] == [platform.origin("wiki")]
    assert asked["return_to"] == ["/page?a=1&b=%26"]
    assert "__Host-handover" in SimpleCookie(reply.header("set-cookie"))
    assert untouched(platform)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_stranger_who_does_not_is_refused(platform: Platform, doors: Doors, method: str) -> None:
    headers = SCRIPT if method == "GET" else NAVIGATION
    body = None if method in {"GET", "OPTIONS"} else b"x" * 100_000

    reply = doors.ask(platform.host("wiki"), "/page", *headers, method=method, body=body)

    assert (reply.status, code_of(reply)) == (401, "not_signed_in")
    assert untouched(platform)


def test_stranger_at_a_path_of_the_identity_host(platform: Platform, doors: Doors) -> None:
    led = doors.ask(platform.host("identity"), f"{HANDBOOK}page?a=1&b=2", *NAVIGATION)
    refused = doors.ask(platform.host("identity"), f"{HANDBOOK}page", *SCRIPT)

    to = urlsplit(led.header("location"))
    assert (led.status, to.path) == (303, "/sign-in")
    assert parse_qs(to.query) == {"return_to": [f"{HANDBOOK}page?a=1&b=2"]}
    assert (refused.status, code_of(refused)) == (401, "not_signed_in")
    assert untouched(platform)


def test_wrong_group_is_told_so(platform: Platform, doors: Doors) -> None:
    ada = visit(platform, "staff", groups=("staff",))
    assert doors.ask(platform.host("staff"), token=ada.token("staff")).status == 200
    platform.forget()

    platform.sql("UPDATE users SET groups = '[\"editors\"]'")

    page = doors.ask(platform.host("staff"), "/", *NAVIGATION, token=ada.token("staff"))
    problem = doors.ask(platform.host("staff"), "/", *SCRIPT, token=ada.token("staff"))
    assert (page.status, page.header("content-type")) == (403, "text/html; charset=utf-8")
    assert b"Staff only" in page.body
    assert (problem.status, code_of(problem)) == (403, "not_allowed")
    assert untouched(platform)


def test_wrong_role_is_kept_from_the_location_that_asks_for_it(
    platform: Platform, doors: Doors
) -> None:
    host = platform.host("wiki")
    admin, user = visit(platform, "wiki", role="admin"), visit(platform, "wiki")

    assert doors.ask(host, "/page", token=user.token("wiki")).status == 200
    assert doors.ask(host, "/admin/x", token=admin.token("wiki")).status == 200
    assert platform.applications["wiki"].last.one("X-Auth-Role") == "admin"
    platform.forget()
    refused = doors.ask(host, "/admin/x", token=user.token("wiki"))

    assert (refused.status, code_of(refused)) == (403, "not_allowed")
    assert doors.ask(host, "/admin/x").status == 401
    assert untouched(platform)


@pytest.mark.parametrize("site", [b"same-site", b"cross-site"])
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_unsafe_request_of_another_site_is_refused(
    platform: Platform, doors: Doors, site: bytes, method: str
) -> None:
    """Siblings are same-site, so that SameSite lets their requests through with the cookie."""
    token = visit(platform, "wiki").token("wiki")
    foreign = [(b"Origin", platform.origin("evil").encode()), (b"Sec-Fetch-Site", site)]
    own = [(b"Origin", platform.origin("wiki").encode()), (b"Sec-Fetch-Site", b"same-origin")]
    host = platform.host("wiki")

    refused = doors.ask(host, "/x", *foreign, *NAVIGATION, method=method, token=token, body=b"x")
    old = doors.ask(host, "/x", foreign[0], method=method, token=token, body=b"x")

    assert (refused.status, code_of(refused)) == (403, "cross_site_request")
    assert (old.status, code_of(old)) == (403, "cross_site_request")
    assert untouched(platform)
    assert doors.ask(host, "/x", *own, method=method, token=token, body=b"x").status == 200
    assert doors.ask(host, "/x", foreign[1], token=token).status == 200


def test_websocket_of_another_site_is_refused(platform: Platform, doors: Doors) -> None:
    upgrade = [
        *((b"Connection", b"Upgrade"), (b"Upgrade", b"websocket")),
        (b"Sec-WebSocket-Key", b"dGhlIHNhbXBsZSBub25jZQ=="),
        (b"Origin", platform.origin("evil").encode()),
    ]
    token = visit(platform, "wiki").token("wiki")

    reply = doors.ask(platform.host("wiki"), "/live", *upgrade, token=token)

    assert (reply.status, code_of(reply)) == (403, "cross_site_request")
    assert untouched(platform)


def test_session_is_good_for_its_own_application_alone(platform: Platform, doors: Doors) -> None:
    ada = visit(platform, "wiki", "evil", "staff", groups=("staff",))
    places = {"wiki": "/", "evil": "/", "staff": "/", "identity": HANDBOOK}

    for place, path in places.items():
        for whose in places:
            token = ada.token(whose)
            reply = doors.ask(platform.host(place), path, *SCRIPT, token=token)
            assert reply.status == (200 if place == whose else 401), (place, whose)


@pytest.mark.parametrize(
    ("name", "check"),
    [
        ("wiki", "/_openbadges_wiki"),
        ("wiki", "/_openbadges_wiki_admin"),
        ("staff", "/_openbadges_staff"),
        ("identity", "/_openbadges_handbook"),
    ],
)
def test_checks_are_not_reached_from_outside(
    platform: Platform, doors: Doors, name: str, check: str
) -> None:
    ada = visit(platform, "wiki", "staff", role="admin", groups=("staff",))
    ways = (check, f"{check}?app=x", f"/%5f{check[2:]}", f"/{check}", f"/x/..{check}")
    for path in ways:
        reply = doors.ask(platform.host(name), path, token=ada.token(name))
        assert (reply.status, reply.header("x-auth-user-id")) == (404, ""), path
    assert untouched(platform)


def test_identity_host_answers_no_proxys_questions(platform: Platform, doors: Doors) -> None:
    host, ada = platform.host("identity"), visit(platform)

    assert doors.ask(host, "/api/auth/session", token=ada.root).status == 200
    for path in (
        "/api/auth/verify",
        "/api/auth/verify?app=wiki",
        "/api/auth/%76erify",
        "/api//auth/verify",
        "/api/x/../auth/verify",
        "/.identity/wiki/start",
        "/.identity/start",
    ):
        reply = doors.ask(host, path, token=ada.root)
        assert reply.status == 404, path
        assert reply.header("strict-transport-security").count("max-age") == 1


def test_another_host_in_the_request_line_is_misdirected(platform: Platform, doors: Doors) -> None:
    ada = visit(platform, "wiki", "staff", groups=("staff",))
    wiki, staff = platform.host("wiki"), platform.host("staff")
    line = f"https://{staff}:{platform.port}/"

    honest = doors.ask(staff, line, token=ada.token("staff"))
    assert honest.status == 200
    mixed = doors.written(wiki, line, cookie(ada.token("staff")))
    platform.forget()
    with doors.open(staff) as connection:
        assert ask_over(connection, mixed).status == 421
    assert untouched(platform)
