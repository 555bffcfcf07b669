"""What an application behind nginx is told of a request's person, and what it is not."""

from contextlib import closing
from urllib.parse import unquote

import pytest

from tests.support.platform_sites import HANDBOOK
from tests.support.platforms import Platform
from tests.support.tls_clients import Doors, code_of, cookie
from tests.support.visitors import visit


def test_application_is_told_who_it_is(platform: Platform, doors: Doors) -> None:
    ada = visit(platform, "wiki", email="ada@example.org", groups=("editors", "staff"))

    reply = doors.ask(platform.host("wiki"), "/page?x=1", token=ada.token("wiki"))

    assert (reply.status, reply.body) == (200, b"wiki /page?x=1\n")
    received = platform.applications["wiki"].last
    assert received.one("X-Auth-User-Id") == ada.user_id
    assert received.one("X-Auth-Email") == "ada@example.org"
    assert received.one("X-Auth-Name") == "Ada Lovelace"
    assert received.one("X-Auth-Role") == "user"
    assert received.one("X-Auth-Groups") == "editors,staff"
    assert received.one("X-Auth-Method") == "passkey"
    assert len(received.one("X-Auth-Session-Id") or "") == len(ada.session_id)
    assert (received.one("X-Auth-Time") or "").endswith("Z")


@pytest.mark.parametrize(
    "name",
    [
        "Ада Лавлейс",
        "エイダ",
        "عادة",
        "👩\u200d💻 100 %",
        'a"b;c,d\\e',
        "é" * 100,
        "\U0001d504" * 100,
    ],
)
def test_name_arrives_whole_in_any_script(platform: Platform, doors: Doors, name: str) -> None:
    ada = visit(platform, "wiki", name=name)

    assert doors.ask(platform.host("wiki"), token=ada.token("wiki")).status == 200

    told = platform.applications["wiki"].last.one("X-Auth-Name")
    assert told is not None
    assert told.isascii()
    assert unquote(told) == name


def test_nothing_is_said_of_what_is_not_known(platform: Platform, doors: Doors) -> None:
    ada = visit(platform, "wiki")
    spoofed = [(b"X-Auth-Email", b"root@example.org"), (b"X-Auth-Groups", b"admins")]

    assert doors.ask(platform.host("wiki"), "/", *spoofed, token=ada.token("wiki")).status == 200

    received = platform.applications["wiki"].last
    assert received.one("X-Auth-User-Id") == ada.user_id
    assert (received.one("X-Auth-Email"), received.one("X-Auth-Groups")) == (None, None)


def test_application_is_told_under_the_names_that_it_knows(
    platform: Platform, doors: Doors
) -> None:
    ada = visit(platform, "staff", groups=("staff",))
    spoofed = [(b"Remote-User", b"root"), (b"X-Auth-User-Id", b"root"), (b"X-Auth-Groups", b"x")]

    assert doors.ask(platform.host("staff"), "/", *spoofed, token=ada.token("staff")).status == 200

    received = platform.applications["staff"].last
    assert (received.one("Remote-User"), received.one("Remote-Groups")) == (ada.user_id, "staff")
    assert (received.one("X-Auth-User-Id"), received.one("X-Auth-Groups")) == (None, None)
    assert received.one("X-Auth-Name") == "Ada Lovelace"


@pytest.mark.parametrize(
    ("sent", "passed_on"),
    [
        ("{ours}", None),
        ("{ours}; a=b", "a=b"),
        ("a=b; {ours}", "a=b"),
        ("a=b; {ours}; c=d", "a=b; c=d"),
        ("a=b;{ours};c=d", "a=b;c=d"),
        ('a="b"; {ours}; c==d ; e; f=%20', 'a="b"; c==d ; e; f=%20'),
        ("a=é; {ours}", "a=é"),
        ("{ours}; a=b; c=é", "a=b; c=é"),
        ("{ours}; a=1; __Host-browser=B; b=2; __Host-handover=H; c=3", "a=1; b=2; c=3"),
        ("__Host-handover=H; __Host-browser=B; {ours}", None),
        ("x__Host-session=1; __Host-sessions=2; {ours}", "x__Host-session=1; __Host-sessions=2"),
        ("{ours}; a=__Host-browser=B", "a=__Host-browser=B"),
        ("{ours}; openbadges_session_8000=T; a=b", "a=b"),
        ("__Host-browser; a=b; {ours}", "a=b"),
        # What no browser sends: nothing is passed on rather than too much.
        ("{ours}" + "; a=b; __Host-browser=B" * 8, None),
    ],
)
def test_application_sees_its_own_cookies_alone(
    platform: Platform, doors: Doors, sent: str, passed_on: str | None
) -> None:
    token = visit(platform, "wiki").token("wiki")
    header = sent.replace("{ours}", f"__Host-session={token}")

    reply = doors.ask(platform.host("wiki"), "/", (b"Cookie", header.encode("latin-1")))

    assert reply.status == 200
    received = platform.applications["wiki"].last
    assert received.one("Cookie") == passed_on
    assert not [value for _, value in received.headers if token in value]


@pytest.mark.parametrize("beside", ["", "; a=é"])
def test_two_sessions_are_nobodys(platform: Platform, doors: Doors, beside: str) -> None:
    ada, bob = visit(platform, "wiki"), visit(platform, "wiki")
    header = f"a=b{beside}; __Host-session={ada.token('wiki')}"
    both = f"{header}; c=d; __Host-session={bob.token('wiki')}"

    one = doors.ask(platform.host("wiki"), "/", (b"Cookie", header.encode("latin-1")))
    two = doors.ask(platform.host("wiki"), "/", (b"Cookie", both.encode("latin-1")))

    assert (one.status, two.status, code_of(two)) == (200, 400, "cookie_refused")
    assert len(platform.applications["wiki"].requests) == 1


def test_cookies_in_several_headers_are_cut_as_well(platform: Platform, doors: Doors) -> None:
    token = visit(platform, "wiki").token("wiki")
    headers = [(b"Cookie", b"a=b"), cookie(token), (b"Cookie", b"c=d; __Host-browser=B")]

    assert doors.ask(platform.host("wiki"), "/", *headers).status == 200

    assert platform.applications["wiki"].last.one("Cookie") == "a=b; c=d"


def test_body_reaches_the_application_and_nobody_else(platform: Platform, doors: Doors) -> None:
    ada = visit(platform, "wiki")
    body = b"title=" + b"x" * 200_000

    reply = doors.ask(
        platform.host("wiki"),
        "/pages",
        (b"Origin", platform.origin("wiki").encode()),
        (b"Content-Type", b"application/x-www-form-urlencoded"),
        method="POST",
        token=ada.token("wiki"),
        body=body,
    )

    assert reply.status == 200
    received = platform.applications["wiki"].last
    assert (received.method, received.target, received.body) == ("POST", "/pages", body)
    assert received.one("X-Auth-User-Id") == ada.user_id


def test_websocket_is_passed_on_and_no_other_upgrade(platform: Platform, doors: Doors) -> None:
    """A tunnel of HTTP/2 in clear would be one in which nothing is checked any more."""
    host, token = platform.host("wiki"), visit(platform, "wiki").token("wiki")
    upgrade = [(b"Connection", b"Upgrade"), (b"Sec-WebSocket-Key", b"dGhlIHNhbXBsZSBub25jZQ==")]
    own = [*upgrade, cookie(token), (b"Origin", platform.origin("wiki").encode())]

    with closing(doors.open(host)) as connection:
        connection.sendall(doors.written(host, "/live", (b"Upgrade", b"websocket"), *own))
        assert connection.recv(1000).startswith(b"HTTP/1.1 101 ")
        connection.sendall(b"frame")
        assert connection.recv(1000) == b"frame"
    tunnel = [(b"Upgrade", b"h2c"), (b"HTTP2-Settings", b"AAMAAABkAARAAAAAAAIAAAAA"), *own]
    assert doors.ask(host, "/live", *tunnel).status == 200

    received = platform.applications["wiki"].last
    assert (received.one("Upgrade"), received.one("Connection")) == (None, None)


def test_application_under_a_path_knows_people_by_the_services_own_session(
    platform: Platform, doors: Doors
) -> None:
    ada = visit(platform)

    reply = doors.ask(platform.host("identity"), f"{HANDBOOK}page", token=ada.root)

    assert reply.body == b"handbook /handbook/page\n"
    received = platform.applications["handbook"].last
    assert received.one("X-Auth-User-Id") == ada.user_id
    assert received.one("Cookie") is None
