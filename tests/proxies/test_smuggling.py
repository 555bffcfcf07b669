"""No request is hidden in another on the way through nginx (A6, ASVS 4.2.1).

What tells: the recorder finds the end of a request by its length alone, answers each with its own
target, and keeps what it received; whatever nginx lets slip becomes a request without a check, or
the answer to somebody else's canary.
"""

import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from itertools import count

import pytest

from tests.conftest import NewTally
from tests.support.http2_frames import Http2Line
from tests.support.platforms import Platform
from tests.support.raw_connections import read_reply
from tests.support.raw_requests import Reply
from tests.support.smuggled_requests import filled, payloads
from tests.support.tls_clients import Doors, Line, cookie
from tests.support.visitors import Visitor, visit

_numbers = count()


class Canary:
    """Somebody else, on connections of their own, who must get their own answers."""

    def __init__(self, platform: Platform, doors: Doors) -> None:
        """Sign somebody in, at an application and at the service."""
        self._visitor = visit(platform, "wiki", email="canary@example.org")
        self._platform = platform
        self._wiki = [Line(doors, platform.host("wiki")) for _ in range(2)]
        self._service = Line(doors, platform.host("identity"))

    def sings(self) -> None:
        """See that every answer is the one to what was asked."""
        for line in self._wiki:
            target = f"/canary/{next(_numbers)}"
            reply = line.ask(target, cookie(self._visitor.token("wiki")))
            assert (reply.status, reply.header("x-answers")) == (200, target)
            received = self._platform.applications["wiki"].last
            assert received.target == target
            assert received.one("x-auth-user-id") == self._visitor.user_id
            assert received.one("x-smuggled") is None
        reply = self._service.ask("/api/auth/session", cookie(self._visitor.root))
        assert (reply.status, self._visitor.user_id.encode() in reply.body) == (200, True)

    def close(self) -> None:
        for line in (*self._wiki, self._service):
            line.close()


@pytest.fixture
def canary(platform: Platform, doors: Doors) -> Iterator[Canary]:
    with closing(Canary(platform, doors)) as canary:
        canary.sings()
        yield canary


def answers(connection: ssl.SSLSocket, data: bytes) -> list[Reply]:
    """Send bytes, and give all answers that come within a moment."""
    found: list[Reply] = []
    connection.settimeout(0.15)
    # What HTTP/0.9 and a WebSocket are answered is no answer of HTTP/1.
    with suppress(OSError, ValueError, IndexError), connection.makefile("rb") as stream:
        connection.sendall(data)
        while True:
            found.append(read_reply(stream))
    return found


@pytest.mark.parametrize("name", ["wiki", "identity"])
def test_payload_desynchronises_nothing(
    platform: Platform, doors: Doors, canary: Canary, new_tally: NewTally, name: str
) -> None:
    tally = new_tally("Proxies", f"smuggling payloads to the {name}")
    mallory, host = visit(platform, "wiki"), platform.host(name)
    session = f"__Host-session={mallory.token(name)}"
    arrived = 0
    for what, payload in payloads():
        hidden = f"/hidden/{next(_numbers)}"
        data = filled(payload, host=f"{host}:{platform.port}", cookie=session, hidden=hidden)
        own = f"/own/{next(_numbers)}"
        platform.forget()
        with tally.trial(), closing(doors.open(host)) as connection:
            # Twice, and a request of the sender's own: a connection out of step would show it.
            replies = answers(connection, data)
            replies += answers(connection, doors.written(host, own, cookie(mallory.token(name))))
            told = [reply.header("x-answers") for reply in replies]
            # What nginx sees as a request of its own has no session, and is checked like any other.
            assert hidden not in told, what
            assert own not in told[:-1], (what, told)
            _see_what_arrived(platform, mallory, hidden)
            arrived += len(platform.applications["wiki"].requests)
            canary.sings()
    assert tally.tried >= 60
    # The rest nginx refuses itself, as it should.
    assert arrived >= 20 or name == "identity"


def _see_what_arrived(platform: Platform, sender: Visitor, hidden: str) -> None:
    for received in platform.applications["wiki"].requests:
        assert received.target != hidden
        assert received.one("x-auth-user-id") == sender.user_id, received
        assert received.one("transfer-encoding") is None
        assert received.one("x-smuggled") is None


def test_honest_bodies_arrive(platform: Platform, doors: Doors, canary: Canary) -> None:
    """The honest control: what is clear is passed on, and so is a request behind another."""
    ada, host = visit(platform, "wiki"), platform.host("wiki")
    own = [cookie(ada.token("wiki")), (b"Sec-Fetch-Site", b"same-origin")]
    chunked = (
        doors.written(host, "/a", *own, (b"Transfer-Encoding", b"chunked"), method="POST")
        + b"2;x=y\r\nab\r\n3\r\ncde\r\n0\r\n\r\n"
    )
    long = doors.written(host, "/b", *own, method="POST", body=b"abcde")
    platform.forget()
    with closing(doors.open(host)) as connection:
        replies = answers(connection, chunked + long + doors.written(host, "/c", *own))

    assert [reply.header("x-answers") for reply in replies] == ["/a", "/b", "/c"]
    requests = platform.applications["wiki"].requests
    assert [one.body for one in requests] == [b"abcde", b"abcde", b""]
    canary.sings()


def test_recorder_would_show_a_request_that_slipped_through(platform: Platform) -> None:
    """The honest control: without nginx, the recorder takes the hidden request for one."""
    wiki, what = platform.applications["wiki"], "b'Transfer-Encoding: chunked' before length"
    data = filled(dict(payloads())[what], host="x", cookie="y=z", hidden="/hidden")
    with socket.create_connection(("127.0.0.1", wiki.port)) as connection:
        connection.sendall(data + b"\r\n\r\n")
        connection.settimeout(0.5)
        with suppress(OSError):
            while connection.recv(1000):
                pass

    assert "/hidden" in [received.target for received in wiki.requests]


HTTP2 = {
    "a coding": [(b"transfer-encoding", b"chunked")],
    "a coding and a length": [(b"transfer-encoding", b"chunked"), (b"content-length", b"0")],
    "a length too short": [(b"content-length", b"0")],
    "a length too long": [(b"content-length", b"999")],
    "two lengths": [(b"content-length", b"5"), (b"content-length", b"0")],
    "a line end in a value": [(b"x", b"y\r\ntransfer-encoding: chunked")],
    "a request in a value": [(b"x", b"y\r\n\r\nGET /hidden HTTP/1.1\r\nhost: x\r\n\r\n")],
    "a line feed in a value": [(b"x", b"y\ntransfer-encoding: chunked")],
    "a NUL in a value": [(b"x", b"y\0z")],
    "a line end in a name": [(b"x: y\r\ntransfer-encoding", b"chunked")],
    "a colon in a name": [(b"transfer-encoding: chunked\r\nx", b"y")],
    "a space in a name": [(b"transfer-encoding ", b"chunked")],
    "upper case": [(b"Transfer-Encoding", b"chunked")],
    "a connection": [(b"connection", b"x-auth-user-id"), (b"x-auth-user-id", b"root")],
    "an upgrade": [(b"upgrade", b"websocket"), (b"connection", b"upgrade")],
    "another host": [(b"host", b"app.other.test")],
    "a path twice": [(b":path", b"/hidden")],
    "a method twice": [(b":method", b"GET /hidden HTTP/1.1\r\nx: y")],
    "an underscore": [(b"x_auth_user_id", b"root")],
    "an unknown pseudo-header": [(b":x", b"y")],
}


@pytest.mark.parametrize(
    "body", [b"0\r\n\r\nGET /hidden HTTP/1.1\r\nhost: x\r\nx-smuggled: ", None]
)
def test_http2_hides_nothing_from_http1(
    platform: Platform, doors: Doors, canary: Canary, new_tally: NewTally, body: bytes | None
) -> None:
    tally = new_tally("Proxies", "smuggling payloads in HTTP/2")
    mallory, host = visit(platform, "wiki"), platform.host("wiki")
    method = b"GET" if body is None else b"POST"
    fixed = [
        *((b":method", method), (b":scheme", b"https"), (b":path", b"/outer")),
        (b":authority", f"{host}:{platform.port}".encode()),
        (b"cookie", b"__Host-session=" + mallory.token("wiki").encode()),
        (b"sec-fetch-site", b"same-origin"),
    ]
    with ExitStack() as stack:

        def line() -> Http2Line:
            return Http2Line(stack.enter_context(closing(doors.open(host, http2=True))))

        current = line()
        honest = current.ask(fixed, body)
        assert (honest.status, honest.body) == (200, b"wiki /outer\n")
        for what, headers in HTTP2.items():
            platform.forget()
            current = current if current.is_open else line()
            with tally.trial():
                answer = current.ask([*fixed, *headers], body)
                assert answer.body == b"wiki /outer\n" or not answer.body.startswith(b"wiki"), what
                _see_what_arrived(platform, mallory, "/hidden")
                canary.sings()
