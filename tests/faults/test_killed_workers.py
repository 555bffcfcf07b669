"""Workers are killed in the middle of whatever they do, again and again (F1, P1)."""

import os
import signal
import time
from random import Random

from tests.conftest import NewTally
from tests.faults.conftest import Deploy
from tests.support.counts import trials
from tests.support.deployments import WORKERS
from tests.support.journal import Journal
from tests.support.ledger import broken_files, findings, settled
from tests.support.load import Load, invited

KILLS = 200
CLIENTS = 8
SOON_SECONDS = 30
"""A generous limit, for a machine that does other things as well."""


def test_a_killed_worker_takes_nothing_along(
    deploy: Deploy, journal: Journal, new_tally: NewTally
) -> None:
    """F1, DB-17: nothing acknowledged is lost, nothing is done by half, others go on at once."""
    tally = new_tally("Killed", "SIGKILL of a random worker under mixed writes")
    service = deploy()
    chance = Random(1)  # noqa: S311 - chosen, not secret
    guests = invited(service.app, journal, trials(KILLS))

    with Load(
        new_browser=service.browser, journal=journal, clients=CLIENTS, seed=1, invitations=guests
    ) as load:
        for _ in range(trials(KILLS)):
            load.await_more(chance.randrange(CLIENTS), SOON_SECONDS)
            time.sleep(chance.random() / 20)
            with tally.trial():
                os.kill(chance.choice(service.server.worker_pids()), signal.SIGKILL)
                load.await_answer(time.monotonic(), SOON_SECONDS)

    settled(service.app)
    for finding in load.surprises() + findings(service.app, journal):
        tally.finding(finding)
    assert broken_files(service.app) == []
    assert load.unanswered > 0
    assert len(load.refused) < load.done.total() / 20
    assert len(service.server.worker_pids()) == WORKERS
