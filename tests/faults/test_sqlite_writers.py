"""SQLite's writers queue, as many as there are, and none of them hears of it (DB-13)."""

import time

import pytest

from tests.conftest import NewTally
from tests.faults.conftest import Deploy
from tests.support.counts import trials
from tests.support.journal import Journal
from tests.support.ledger import broken_files, findings
from tests.support.load import Load

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)

THREADS = 16
SECONDS = 60


def test_sixteen_writers_never_hear_that_the_file_is_locked(
    deploy: Deploy, journal: Journal, new_tally: NewTally
) -> None:
    """DB-13, F6: sixteen threads on four workers write for a minute; all of it is there."""
    tally = new_tally("SQLite writers", "a write among sixteen threads' on four workers")
    service = deploy()

    with Load(new_browser=service.browser, journal=journal, clients=THREADS, seed=13) as load:
        time.sleep(trials(SECONDS))

    tally.count(load.done.total())
    for finding in load.crashes + findings(service.app, journal):
        tally.finding(finding)
    assert load.refused == []
    assert load.unanswered == 0
    assert broken_files(service.app) == []
    assert "database is locked" not in service.server.log()
