"""Ten thousand odd requests at the session gate: none is granted, and the good ones still are.

A5, A8, CVE-2026-34457, CVE-2025-54576, CVE-2026-40575. Over the wire, to the service with the gate
in front and to the gate as a process of its own.
"""

import re
import socket
from pathlib import Path
from random import Random

import pytest

from tests.conftest import NewTally
from tests.support.counts import trials
from tests.support.databases import EngineName
from tests.support.deployments import Deployment
from tests.support.gate_cast import assemble
from tests.support.gate_odd_requests import OddRequests
from tests.support.gate_servers import GateServer, gate_process
from tests.support.keeper import Keeper
from tests.support.processes import unharmed_workers
from tests.support.servers import Server

REQUESTS = 10_000
BETWEEN_CONTROLS = 20
_ANSWER = re.compile(rb"HTTP/1\.[01] ([0-9]{3})")
_IDENTITY = re.compile(
    rb"^(X-Auth-|Remote-|Set-Cookie: openbadges_session_8000=obs_)", re.IGNORECASE | re.MULTILINE
)
_PATIENCE_SECONDS = 10


@pytest.fixture
def gate(
    keeper: Keeper,
    engine_name: EngineName,
    deployment: Deployment,
    tmp_path_factory: pytest.TempPathFactory,
) -> GateServer:
    folder = tmp_path_factory.mktemp("gate")
    return keeper.once(
        ("gate", engine_name), lambda: gate_process(deployment.server.environment, folder)
    )


@pytest.fixture(params=["in front", "alone"])
def server(
    request: pytest.FixtureRequest, deployment: Deployment, gate: GateServer
) -> Server | GateServer:
    return deployment.server if request.param == "in front" else gate


def answers_to(server: Server | GateServer, request: bytes) -> bytes:
    """Give all that comes back until the connection is closed; nothing where it breaks."""
    heard = b""
    with socket.create_connection(("127.0.0.1", server.port), _PATIENCE_SECONDS) as connection:
        try:
            connection.sendall(request)
            while data := connection.recv(65536):
                heard += data
        except ConnectionError:
            pass
        except TimeoutError:
            pytest.fail(f"no end to the answer {heard[:200]!r} to {request[:600]!r}")
    return heard


def statuses(heard: bytes) -> list[int]:
    return [int(one) for one in _ANSWER.findall(heard)]


def test_no_odd_request_is_granted_and_good_ones_still_are(
    deployment: Deployment, server: Server | GateServer, new_tally: NewTally, tmp_path: Path
) -> None:
    tally = new_tally("Session gate", "an odd request without a right to what it asks for")
    cast = assemble(deployment.app)
    odd = OddRequests(tokens=cast.tokens, chance=Random(3))  # noqa: S311 - chosen, not secret
    refused = set()
    for _ in range(8):
        assert statuses(answers_to(server, odd.honest())) == [204]

    with unharmed_workers(server):
        for number, request in enumerate(odd.draw(trials(REQUESTS))):
            with tally.trial():
                heard = answers_to(server, request)
                refused.update(statuses(heard))
                granted = [one for one in statuses(heard) if 200 <= one < 300]
                assert not granted, (request[:600], heard[:300])
                assert not _IDENTITY.search(heard), (request[:600], heard[:300])
                assert not [one for one in statuses(heard) if one >= 500], (request, heard[:300])
            if number % BETWEEN_CONTROLS == 0:
                assert statuses(answers_to(server, odd.honest())) == [204]

    assert refused >= {400, 401, 403, 404}
