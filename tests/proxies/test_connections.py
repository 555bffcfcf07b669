"""Connections behind nginx are kept: a check costs no handshake of its own."""

from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.conftest import NewTally
from tests.support.platforms import Platform
from tests.support.tls_clients import Doors, Line, cookie
from tests.support.units import side_by_side
from tests.support.visitors import visit

_CLIENTS = 4
_REQUESTS_EACH = 50
_MOST_CONNECTIONS = 8


@pytest.mark.parametrize(("signed_in", "status"), [(True, 200), (False, 401)])
def test_connections_to_the_gate_and_to_the_application_are_kept(
    platform: Platform, doors: Doors, new_tally: NewTally, *, signed_in: bool, status: int
) -> None:
    """A refusal costs none either: nginx would close one with an answer's body left in it."""
    tally = new_tally("Proxies", f"checks over kept connections: {status}")
    host, wiki = platform.host("wiki"), platform.applications["wiki"]
    own = [cookie(visit(platform, "wiki").token("wiki"))] if signed_in else []
    before = clients_of(platform.gate.port)

    def visit_pages() -> None:
        with closing(Line(doors, host)) as line:
            for number in range(_REQUESTS_EACH):
                with tally.trial():
                    assert line.ask(f"/{number}", *own).status == status

    side_by_side([visit_pages] * _CLIENTS)

    assert len(wiki.requests) == (_CLIENTS * _REQUESTS_EACH if signed_in else 0)
    assert len(clients_of(platform.gate.port) - before) <= _MOST_CONNECTIONS
    assert wiki.connections <= _MOST_CONNECTIONS


def test_connections_are_counted(platform: Platform) -> None:
    """The honest control: what the test above counts can be counted."""
    before = clients_of(platform.gate.port)
    with ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(platform.gate.connect())
        assert len(clients_of(platform.gate.port) - before) == 20


def clients_of(port: int) -> set[int]:
    """Give the ports from which a loopback port is connected to, or was within the last minute."""
    found = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        ends = [int(end.partition(":")[2], 16) for end in line.split()[1:3]]
        if port in ends:
            found |= {*ends} - {port, 0}
    return found
