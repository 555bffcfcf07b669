"""What stands in deploy/caddy, in a real Caddy: the same promises as behind nginx."""

from collections.abc import Iterator
from contextlib import closing
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.conftest import NewTally
from tests.support.caddy import caddy_before
from tests.support.platforms import Platform
from tests.support.spoofed_headers import told, variants
from tests.support.tls_clients import Doors, Line, code_of, cookie
from tests.support.visitors import visit

_NAVIGATION = ((b"Sec-Fetch-Mode", b"navigate"), (b"Sec-Fetch-Dest", b"document"))
_REFUSED = 400


@pytest.fixture(scope="module")
def behind_caddy(
    kept_platform: Platform, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Platform]:
    with caddy_before(kept_platform, tmp_path_factory.mktemp("caddy")):
        yield kept_platform


@pytest.fixture
def line(behind_caddy: Platform, doors: Doors) -> Iterator[Line]:
    with closing(Line(doors, behind_caddy.host("wiki"))) as line:
        yield line


def test_application_is_told_who_it_is(platform: Platform, line: Line) -> None:
    ada = visit(platform, "wiki", name="Ада {env.PATH}")

    reply = line.ask("/page?x=1", cookie(ada.token("wiki")))

    assert (reply.status, reply.body) == (200, b"wiki /page?x=1\n")
    received = platform.applications["wiki"].last
    assert received.one("X-Auth-User-Id") == ada.user_id
    assert received.one("X-Auth-Name") == "%D0%90%D0%B4%D0%B0 {env.PATH}"
    assert (received.one("X-Auth-Email"), received.one("X-Auth-Groups")) == (None, None)


def test_application_is_told_the_same_whatever_a_client_adds(
    platform: Platform, line: Line, new_tally: NewTally
) -> None:
    tally = new_tally("Proxies", "spoofed headers through Caddy")
    ada = visit(platform, "wiki")
    wiki = platform.applications["wiki"]
    assert line.ask("/page", cookie(ada.token("wiki"))).status == 200
    honest = told(wiki.last.headers)

    for headers in variants():
        wiki.forget()
        with tally.trial():
            reply = line.ask("/page", cookie(ada.token("wiki")), *headers)
            assert reply.status in {200, _REFUSED}, (headers, reply.status)
            for received in wiki.requests:
                assert told(received.headers) == honest, headers


@pytest.mark.parametrize(
    ("sent", "passed_on"),
    [
        ("a=b; {ours}; c=d", "a=b; c=d"),
        ("{ours}; a=b; __Host-browser=B; __Host-handover=H; c=d", "a=b; c=d"),
        ("a=b; {ours}", "a=b"),
        ("__Host-sessions=2; {ours}", "__Host-sessions=2"),
    ],
)
def test_application_sees_its_own_cookies_alone(
    platform: Platform, line: Line, sent: str, passed_on: str
) -> None:
    token = visit(platform, "wiki").token("wiki")

    header = sent.replace("{ours}", f"__Host-session={token}").encode()
    assert line.ask("/", (b"Cookie", header)).status == 200

    assert platform.applications["wiki"].last.one("Cookie") == passed_on


def test_stranger_is_led_to_sign_in_or_refused(platform: Platform, line: Line) -> None:
    first = line.ask("/page?a=1&b=2", *_NAVIGATION)
    second = line.ask(first.header("location").partition(f":{platform.port}")[2], *_NAVIGATION)
    refused = line.ask("/page", method="POST", body=b"x" * 100_000)

    assert (first.status, second.status) == (303, 303)
    to = urlsplit(second.header("location"))
    assert f"{to.scheme}://{to.netloc}" == platform.origin("identity")
    assert parse_qs(to.query)["return_to"] == ["/page?a=1&b=2"]
    assert (refused.status, code_of(refused)) == (401, "not_signed_in")
    assert not platform.applications["wiki"].requests


def test_body_reaches_the_application(platform: Platform, line: Line) -> None:
    own = [cookie(visit(platform, "wiki").token("wiki")), (b"Sec-Fetch-Site", b"same-origin")]

    assert line.ask("/pages", *own, method="POST", body=b"x" * 100_000).status == 200

    assert platform.applications["wiki"].last.body == b"x" * 100_000


def test_unsafe_request_of_another_site_is_refused(platform: Platform, line: Line) -> None:
    foreign = [cookie(visit(platform, "wiki").token("wiki")), (b"Sec-Fetch-Site", b"same-site")]

    refused = line.ask("/pages", *foreign, method="POST", body=b"x")

    assert (refused.status, code_of(refused)) == (403, "cross_site_request")
    assert not platform.applications["wiki"].requests


def test_websocket_is_passed_on(platform: Platform, doors: Doors, line: Line) -> None:
    host = platform.host("wiki")
    headers = [
        *((b"Connection", b"Upgrade"), (b"Upgrade", b"websocket")),
        (b"Sec-WebSocket-Key", b"dGhlIHNhbXBsZSBub25jZQ=="),
        cookie(visit(platform, "wiki").token("wiki")),
    ]
    foreign = [*headers, (b"Origin", platform.origin("evil").encode())]
    own = [*headers, (b"Origin", platform.origin("wiki").encode())]

    assert line.ask("/live", *foreign).status == 403
    with closing(doors.open(host)) as connection:
        connection.sendall(doors.written(host, "/live", *own))
        assert connection.recv(1000).startswith(b"HTTP/1.1 101 ")
        connection.sendall(b"frame")
        assert connection.recv(1000) == b"frame"


def test_checks_are_not_reached_from_outside(
    behind_caddy: Platform, platform: Platform, doors: Doors
) -> None:
    host, ada = platform.host("identity"), visit(platform)

    assert doors.ask(host, "/api/auth/session", token=ada.root).status == 200
    for path in ("/api/auth/verify", "/api/auth/%76erify", "/.identity/wiki/start"):
        assert doors.ask(host, path, token=ada.root).status == 404, path


def test_identity_service_that_is_down_lets_nobody_in(platform: Platform, line: Line) -> None:
    own = cookie(visit(platform, "wiki").token("wiki"))
    platform.gate.kill()
    try:
        assert line.ask("/", own).status == 502
        assert not platform.applications["wiki"].requests
    finally:
        platform.gate.start()

    platform.await_recovery(lambda: line.ask("/", own).status == 200)
