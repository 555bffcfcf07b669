"""Sessions of several browsers: seen, and ended from afar, for every worker at once."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NewVisitor
from tests.browser.steps import add_passkey, dialog, rows, sign_in, sign_up
from tests.browser.visitors import Visitor
from tests.support.servers import Server

TIMES_EACH = 10


def workers(server: Server) -> list[int]:
    master = server.process.pid
    children = Path(f"/proc/{master}/task/{master}/children").read_text()
    return [int(pid) for pid in children.split()]


@contextmanager
def only(worker: int, server: Server) -> Iterator[None]:
    """Let one worker alone answer: the others are stopped where they stand."""
    others = [pid for pid in workers(server) if pid != worker]
    for pid in others:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in others:
            os.kill(pid, signal.SIGCONT)


def answers_of_each_worker(server: Server, cookies: dict[str, str]) -> list[set[int]]:
    """Ask every worker who is signed in, each time over a connection of its own."""
    found = []
    for worker in workers(server):
        with only(worker, server):
            found.append({_ask(server, cookies) for _ in range(TIMES_EACH)})
    return found


def _ask(server: Server, cookies: dict[str, str]) -> int:
    connection = HTTPConnection(urlsplit(server.origin).netloc, timeout=20)
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())
    connection.request("GET", "/api/auth/session", headers={"Cookie": header})
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.fixture
def other(visitor: Visitor, new_visitor: NewVisitor) -> Visitor:
    """Sign in in two browsers and give the second."""
    sign_up(visitor)
    other = new_visitor()
    other.passkeys_from(visitor)
    sign_in(other)
    visitor.page.reload()
    expect(rows(visitor, "sessions")).to_have_count(2)
    return other


def test_ended_session_is_over_whichever_worker_is_asked(
    visitor: Visitor, other: Visitor, server: Server
) -> None:
    """F17, ASVS 7.4.1."""
    cookies = other.cookies()
    assert len(workers(server)) == 2
    assert answers_of_each_worker(server, cookies) == [{200}, {200}]

    visitor.press("End the session on", rows(visitor, "sessions"))
    expect(visitor.message).to_contain_text("Session ended")

    assert answers_of_each_worker(server, cookies) == [{401}, {401}]
    assert answers_of_each_worker(server, visitor.cookies()) == [{200}, {200}]
    expect(rows(visitor, "sessions")).to_have_count(1)


def test_browser_whose_session_was_ended_is_led_to_sign_in(
    visitor: Visitor, other: Visitor
) -> None:
    visitor.press("End the session on", rows(visitor, "sessions"))
    expect(visitor.message).to_contain_text("Session ended")

    other.press("Save profile")

    other.page.wait_for_url("**/sign-in?return_to=%2Faccount")
    other.press("Sign in with a passkey")
    other.page.wait_for_url("**/account")


def test_all_other_sessions_end_together(visitor: Visitor, other: Visitor, server: Server) -> None:
    visitor.press("End all other sessions")
    visitor.press("End them all", dialog(visitor))

    expect(visitor.message).to_have_text("All other sessions are ended.")
    expect(rows(visitor, "sessions")).to_have_count(1)
    assert _ask(server, other.cookies()) == 401
    assert _ask(server, visitor.cookies()) == 200


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_adding_a_passkey_leaves_other_sessions_alone(
    visitor: Visitor, other: Visitor, server: Server
) -> None:
    add_passkey(visitor)

    assert _ask(server, other.cookies()) == 200
