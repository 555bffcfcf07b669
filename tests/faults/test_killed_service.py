"""The whole service is killed at once, and started again by whoever supervises it (F2, P1)."""

import os
import signal
import socket
import time
from random import Random

from tests.conftest import NewTally
from tests.faults.conftest import Deploy
from tests.support.counts import trials
from tests.support.journal import Journal
from tests.support.ledger import broken_files, broken_sessions, findings, settled
from tests.support.load import Load, invited
from tests.support.servers import Server

KILLS = 60
MASTER_ALONE_EVERY = 6
CLIENTS = 8
SOON_SECONDS = 30
"""A generous limit, for a machine that does other things as well."""
MOST_TOKENS = 200


def test_a_killed_service_comes_back_with_all_that_it_promised(
    deploy: Deploy, journal: Journal, new_tally: NewTally
) -> None:
    """F2, DB-17: no process keeps the port, nothing acknowledged is lost, sessions go on."""
    everybody = new_tally("Killed", "SIGKILL of master and workers under mixed writes")
    alone = new_tally("Killed", "SIGKILL of the master alone, whose workers leave")
    service = deploy()
    chance = Random(2)  # noqa: S311 - chosen, not secret
    guests = invited(service.app, journal, trials(KILLS))

    with Load(
        new_browser=service.browser, journal=journal, clients=CLIENTS, seed=2, invitations=guests
    ) as load:
        for number in range(trials(KILLS)):
            load.await_more(chance.randrange(1, 3 * CLIENTS), SOON_SECONDS)
            is_alone = number % MASTER_ALONE_EVERY == 0
            with (alone if is_alone else everybody).trial():
                kill(service.server, master_alone=is_alone)
                service.server.start()
                load.await_answer(time.monotonic(), SOON_SECONDS)

    settled(service.app)
    for finding in load.surprises() + findings(service.app, journal):
        everybody.finding(finding)
    assert broken_files(service.app) == []
    assert load.unanswered > 0
    assert len(load.refused) < load.done.total() / 20
    assert broken_sessions(service.browser, journal, most=MOST_TOKENS) == []


def kill(server: Server, *, master_alone: bool) -> None:
    """Kill the service, and wait until nobody keeps the port."""
    if master_alone:
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()
    else:
        server.kill()
    give_up_at = time.monotonic() + SOON_SECONDS
    while is_listening(server.port):
        assert time.monotonic() < give_up_at, "a worker outlives its master and keeps the port"
        time.sleep(0.01)


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
