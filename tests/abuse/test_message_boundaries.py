"""Where one request ends and the next begins: one rule, and no request hidden in another.

ASVS 4.2.2, ASVS 4.2.4. Straight to the service; what a proxy in front of it does is not tried here.
Behind each request stands one more, for an address that does not exist: it is answered where the
first one's end is beyond doubt, and else the connection is closed.
"""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, suppress

import pytest

from tests.support.boundaries import CLEAR, CUT_OFF, DOUBTFUL, HIDDEN, HOST_LINE
from tests.support.deployments import Deployment
from tests.support.people import SESSION_COOKIE, sign_up, token_of
from tests.support.processes import unharmed_workers
from tests.support.raw_connections import OverTheWire, ask_once, read_reply
from tests.support.raw_requests import Reply
from tests.support.tables import contents
from tests.support.tally import Tally

NewTally = Callable[[str, str], Tally]


def answers(port: int, data: bytes) -> list[Reply]:
    """Send bytes and no more than that, and give every answer up to the end of the connection."""
    found: list[Reply] = []
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        with suppress(ConnectionError), connection.makefile("rb") as stream:
            while True:
                found.append(read_reply(stream))
    return found


def is_hidden(reply: Reply) -> bool:
    return reply.status == 404 and json.loads(reply.body)["code"] == "not_found"


@pytest.fixture
def line(deployment: Deployment) -> Iterator[OverTheWire]:
    """Give connections to every worker, all of which live on unharmed."""
    with closing(OverTheWire.to(deployment.server)) as line, unharmed_workers(deployment.server):
        yield line
        for _ in line.connections:
            assert line.ask_bytes(CLEAR["chunks"]).status == 200


def test_request_behind_a_clear_end_is_answered(
    deployment: Deployment, line: OverTheWire, new_tally: NewTally
) -> None:
    tally = new_tally("Hostile input", "requests whose end is clear")
    for name, data in CLEAR.items():
        with tally.trial():
            found = answers(deployment.server.port, data + HIDDEN)
            assert [reply.status for reply in found] == [200, 404], name


def test_request_behind_a_doubtful_end_is_never_answered(
    deployment: Deployment, line: OverTheWire, new_tally: NewTally
) -> None:
    tally = new_tally("Hostile input", "requests whose end is in doubt")
    for name, data in DOUBTFUL.items():
        with tally.trial():
            found = answers(deployment.server.port, data + HIDDEN)
            assert not [reply for reply in found if is_hidden(reply)], name
            assert found[-1].status in {400, 414, 417, 501, 505}, (name, found)
            assert ask_once(deployment.server.port, CLEAR["a length"]).status == 200


@pytest.mark.parametrize("rest", CUT_OFF.values(), ids=CUT_OFF)
def test_request_that_was_cut_off_is_not_carried_out(
    deployment: Deployment, line: OverTheWire, rest: bytes
) -> None:
    """ASVS 2.3.3: what stands in it so far is not what was asked for."""
    client = deployment.browser()
    sign_up(client)
    before = contents(deployment.app)
    cookie = f"Cookie: {SESSION_COOKIE}={token_of(client)}\r\n".encode()
    start = b"POST /api/auth/recovery-codes HTTP/1.1\r\n" + HOST_LINE + cookie
    start += b"Sec-Fetch-Site: same-origin\r\nContent-Type: application/json\r\n"

    (refused,) = answers(deployment.server.port, start + rest)

    assert (refused.status, json.loads(refused.body)["code"]) == (400, "malformed_request")
    assert contents(deployment.app) == before
    (done,) = answers(deployment.server.port, start + b"Content-Length: 2\r\n\r\n{}")
    assert done.status == 201
