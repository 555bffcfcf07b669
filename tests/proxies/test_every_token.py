"""Who may what: every kind of token at every host and path, and how long it lasts there."""

import time

import pytest

from app.models import UserSession
from tests.conftest import NewTally
from tests.support.platform_tokens import (
    APPLICATIONS,
    AT,
    DOORS,
    NAME,
    NAVIGATION,
    SERVICE,
    Door,
    let_pass,
    table,
)
from tests.support.platforms import Platform
from tests.support.tls_clients import Doors, cookie
from tests.support.units import run_unit
from tests.support.visitors import Visitor, visit

SAME_ORIGIN = (b"Sec-Fetch-Site", b"same-origin")
PATIENCE_SECONDS = 10


def opened_by(platform: Platform, doors: Doors, token: str) -> set[Door]:
    """Give the doors that a token opens; whoever is kept out is told nothing of the person."""
    found = set()
    for door in DOORS:
        platform.forget()
        reply = door.knock(platform, doors, cookie(token))
        assert reply.status < 500, (door, reply)
        if door.is_opened_by(reply):
            found.add(door)
        elif reply.status != 403:
            assert NAME.encode() not in reply.body, door
        arrived = any(one.requests for one in platform.applications.values())
        assert arrived == bool(reply.header("x-answers")), door
    return found


def test_each_token_opens_its_own_doors_and_no_others(
    platform: Platform, doors: Doors, new_tally: NewTally
) -> None:
    tally = new_tally("Proxies", "kinds of token at every host and path")

    for kind, (token, own) in table(platform).items():
        with tally.trial(len(DOORS)):
            opened = opened_by(platform, doors, token)
            assert opened == own, (kind, sorted(opened ^ own))


@pytest.mark.parametrize("name", ["__Host-browser", "__Host-handover", "session", "Host-session"])
def test_token_under_another_name_opens_nothing(
    platform: Platform, doors: Doors, name: str
) -> None:
    ada = visit(platform, *APPLICATIONS, groups=("staff",))
    for at, door in (("identity", Door("identity", "/account")), ("wiki", Door("wiki", "/page"))):
        token = ada.token(at)
        assert door.is_opened_by(door.knock(platform, doors, cookie(token)))
        for header in (cookie(token, name), (b"Authorization", f"Bearer {token}".encode())):
            assert not door.is_opened_by(door.knock(platform, doors, header)), (door, header)


def test_stolen_child_ends_nothing_elsewhere(platform: Platform, doors: Doors) -> None:
    ada = visit(platform, *APPLICATIONS, groups=("staff",))
    stolen = ada.token("evil")

    for name in ("wiki", "staff"):
        for which in ("", "/everywhere"):
            doors.ask(
                platform.host(name),
                f"/.identity/sign-out{which}",
                SAME_ORIGIN,
                (b"Content-Type", b"application/x-www-form-urlencoded"),
                method="POST",
                token=stolen,
                body=b"",
            )
    for method, path in (("DELETE", "/api/auth/session"), ("PATCH", "/api/users/me")):
        body = b'{"name": "Mallory"}' if method == "PATCH" else None
        headers = [SAME_ORIGIN, (b"Content-Type", b"application/json")]
        reply = doors.ask(
            platform.host("identity"), path, *headers, method=method, token=stolen, body=body
        )
        assert reply.status in {204, 401}, (method, reply)

    assert opened_by(platform, doors, ada.root) == SERVICE
    for name in APPLICATIONS:
        assert opened_by(platform, doors, ada.token(name)) == AT[name]


def test_code_is_good_in_the_browser_and_at_the_host_that_asked(
    platform: Platform, doors: Doors
) -> None:
    """A code that was refused is used up, so each way to steal one has a code of its own."""
    ada = visit(platform)

    def begin() -> tuple[str, str]:
        started = doors.ask(platform.host("wiki"), "/page", *NAVIGATION)
        handover = started.header("location").removeprefix(platform.origin("identity"))
        led = doors.ask(platform.host("identity"), handover, *NAVIGATION, token=ada.root)
        callback = led.header("location").removeprefix(platform.origin("wiki"))
        assert callback.startswith("/.identity/callback?code=")
        return callback, started.cookie("__Host-handover") or ""

    def arrive(name: str, callback: str, *browsers: str) -> int:
        held = [cookie(one, "__Host-handover") for one in browsers]
        reply = doors.ask(platform.host(name), callback, *held, *NAVIGATION)
        assert (reply.cookie("__Host-session") is not None) == (reply.status == 303)
        return reply.status

    other_browser = begin()[1]
    for name, browser in (("wiki", other_browser), ("wiki", None), ("evil", ""), ("staff", "")):
        callback, own = begin()
        thiefs = () if browser is None else (browser or own,)
        assert arrive(name, callback, *thiefs) == 400, (name, browser)
        assert arrive("wiki", callback, own) == 400, "used up"
    callback, own = begin()
    assert arrive("wiki", callback, own) == 303
    assert arrive("wiki", callback, own) == 400, "replayed"


def test_use_of_a_child_keeps_its_root_alive(platform: Platform, doors: Doors) -> None:
    """Somebody who works in one application all day is not asked anew in the evening."""
    ada, bob = visit(platform, "wiki", "evil"), visit(platform, "wiki")
    idle = platform.app.extensions["openbadges"].service.session_idle.total_seconds()
    for _ in range(2):
        for one in (ada, bob):
            let_pass(platform, one.user_id, 0.75 * idle)
        before = _last_seen(platform, ada)
        assert doors.ask(platform.host("wiki"), "/page", token=ada.token("wiki")).status == 200
        _await_use(platform, ada, before)

    # Of Ada's, the child that was not used is as good as its root; of Bob's nothing is left.
    assert doors.ask(platform.host("evil"), "/page", token=ada.token("evil")).status == 200
    assert doors.ask(platform.host("identity"), "/api/auth/session", token=ada.root).status == 200
    assert doors.ask(platform.host("wiki"), "/page", token=bob.token("wiki")).status == 401
    assert doors.ask(platform.host("identity"), "/api/auth/session", token=bob.root).status == 401


def test_use_of_a_child_puts_off_no_absolute_end(platform: Platform, doors: Doors) -> None:
    ada = visit(platform, "wiki")
    absolute = platform.app.extensions["openbadges"].service.session_absolute.total_seconds()
    platform.sql("UPDATE user_sessions SET idle_expires_at = expires_at")
    let_pass(platform, ada.user_id, absolute - 60)
    before = _last_seen(platform, ada)
    assert doors.ask(platform.host("wiki"), "/page", token=ada.token("wiki")).status == 200
    _await_use(platform, ada, before)

    let_pass(platform, ada.user_id, 61)

    assert doors.ask(platform.host("wiki"), "/page", token=ada.token("wiki")).status == 401
    assert doors.ask(platform.host("identity"), "/api/auth/session", token=ada.root).status == 401


def _last_seen(platform: Platform, visitor: Visitor) -> float:
    row = run_unit(
        platform.app,
        lambda session: session.get_one(UserSession, visitor.session_id).last_seen_at,
        writes=False,
    )
    return row.timestamp()


def _await_use(platform: Platform, visitor: Visitor, before: float) -> None:
    """Wait until the root's use is written, which is done in batches."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while _last_seen(platform, visitor) <= before:
        assert time.monotonic() < give_up_at, "the use was not written"
        time.sleep(0.05)
