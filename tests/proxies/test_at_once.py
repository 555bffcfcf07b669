"""Whatever ends a session or takes a right away binds on the very next request behind nginx."""

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from tests.support.platforms import Platform
from tests.support.tls_clients import Doors, Line, cookie
from tests.support.visitors import Visitor, visit

Change = Callable[[Platform, Doors, Visitor], None]


@pytest.fixture
def line(doors: Doors, platform: Platform) -> Iterator[Line]:
    with closing(Line(doors, platform.host("wiki"))) as line:
        yield line


def _disabled(platform: Platform, doors: Doors, ada: Visitor) -> None:
    platform.sql("UPDATE users SET disabled_at = '2026-01-01' WHERE id = ?", ada.user_id)


def _root_removed(platform: Platform, doors: Doors, ada: Visitor) -> None:
    platform.sql("DELETE FROM user_sessions WHERE id = ?", ada.session_id)


def _child_removed(platform: Platform, doors: Doors, ada: Visitor) -> None:
    platform.sql("DELETE FROM user_sessions WHERE parent_id = ?", ada.session_id)


def _signed_out_here(platform: Platform, doors: Doors, ada: Visitor) -> None:
    _sign_out(platform, doors, ada, "")


def _signed_out_everywhere_from_here(platform: Platform, doors: Doors, ada: Visitor) -> None:
    _sign_out(platform, doors, ada, "/everywhere")
    host = platform.host("identity")
    assert doors.ask(host, "/api/auth/session", token=ada.root).status == 401


def _signed_out_there(platform: Platform, doors: Doors, ada: Visitor) -> None:
    same = (b"Sec-Fetch-Site", b"same-origin")
    reply = doors.ask(
        platform.host("identity"), "/api/auth/session", same, method="DELETE", token=ada.root
    )
    assert reply.status == 204


def _sign_out(platform: Platform, doors: Doors, ada: Visitor, which: str) -> None:
    reply = doors.ask(
        platform.host("wiki"),
        f"/.identity/sign-out{which}",
        (b"Sec-Fetch-Site", b"same-origin"),
        (b"Content-Type", b"application/x-www-form-urlencoded"),
        method="POST",
        token=ada.token("wiki"),
        body=b"",
    )
    assert reply.status == 200


@pytest.mark.parametrize(
    "change",
    [
        _disabled,
        _root_removed,
        _child_removed,
        _signed_out_here,
        _signed_out_everywhere_from_here,
        _signed_out_there,
    ],
)
def test_next_request_is_refused(
    platform: Platform, doors: Doors, line: Line, change: Change
) -> None:
    ada, bob = visit(platform, "wiki"), visit(platform, "wiki")
    own, others = cookie(ada.token("wiki")), cookie(bob.token("wiki"))
    assert line.ask("/a", own).status == 200
    assert line.ask("/b", own).status == 200

    change(platform, doors, ada)

    assert line.ask("/c", own).status == 401
    assert platform.applications["wiki"].last.target == "/b"
    assert line.ask("/d", others).status == 200


def test_signing_out_of_one_application_is_not_signing_out(
    platform: Platform, doors: Doors
) -> None:
    ada = visit(platform, "wiki", "evil")

    _signed_out_here(platform, doors, ada)

    assert doors.ask(platform.host("evil"), token=ada.token("evil")).status == 200
    assert doors.ask(platform.host("identity"), "/api/auth/session", token=ada.root).status == 200


def test_identity_service_that_is_down_lets_nobody_in(platform: Platform, doors: Doors) -> None:
    ada, host = visit(platform, "wiki"), platform.host("wiki")
    token = ada.token("wiki")

    platform.gate.kill()
    try:
        # The service answers in the gate's place.
        assert [doors.ask(host, "/a", token=token).status for _ in range(5)] == [200] * 5
        assert doors.ask(host, "/a").status == 401
        platform.service.kill()
        platform.forget()
        refused = {doors.ask(host, "/b", token=token).status for _ in range(5)}
        refused |= {doors.ask(host, "/b").status for _ in range(5)}
        assert refused == {500}
        assert doors.ask(platform.host("identity"), "/").status == 502
        assert not platform.applications["wiki"].requests
    finally:
        platform.service.start()
        platform.gate.start()

    platform.await_recovery(lambda: doors.ask(host, "/c", token=token).status == 200)
    assert platform.applications["wiki"].last.one("X-Auth-User-Id") == ada.user_id


def test_gate_that_hangs_lets_nobody_in(platform: Platform, doors: Doors) -> None:
    ada, host = visit(platform, "wiki"), platform.host("wiki")

    with platform.hanging():
        assert doors.ask(host, "/b", token=ada.token("wiki")).status == 500
        assert not platform.applications["wiki"].requests

    platform.await_recovery(lambda: doors.ask(host, "/c", token=ada.token("wiki")).status == 200)
