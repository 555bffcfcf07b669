"""A disk that is full, and has room again (F5, P1, P4)."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from flask import Flask

from app import clock
from app.models import UserSession
from tests.conftest import NewTally
from tests.support.counts import trials
from tests.support.deployments import Deployment, deployed
from tests.support.journal import REFUSED, Journal
from tests.support.ledger import broken_files, findings
from tests.support.lives import Life, RefusedError
from tests.support.people import is_signed_in
from tests.support.small_disk import filled, small_disk
from tests.support.tables import change
from tests.support.units import engine_of

pytestmark = [
    pytest.mark.usefixtures("engine_name"),
    pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True),
]

TIMES = 50
MOST_WRITES = 100
"""More than any room takes that SQLite has made for itself before."""
REFUSALS = 10


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Deployment]:
    with (
        small_disk(tmp_path / "disk") as disk,
        deployed({"SQLITE_FILE": str(disk / "openbadges.db")}, tmp_path, workers=2) as made,
    ):
        yield made


def test_a_full_disk_takes_no_writes_and_signs_nobody_out(
    service: Deployment, journal: Journal, tmp_path: Path, new_tally: NewTally
) -> None:
    """F5, ASVS 16.5.2, 16.5.3: 503 for changes, 200 for sessions; with room all goes on."""
    tally = new_tally("Killed", "a full disk, and room again")
    life = Life(
        email="ada@example.org",
        new_browser=service.browser,
        journal=journal,
        chance=Random(5),  # noqa: S311 - chosen, not secret
    )
    life.sign_up()

    for _ in range(trials(TIMES)):
        # Every session is due to be written as seen, which no disk takes that is full.
        change(service.app, UserSession, last_seen_at=clock.now() - timedelta(hours=1))
        give_room_back(service.app)
        with tally.trial():
            with filled(tmp_path / "disk"):
                write_until_refused(life)
                assert all(is_signed_in(seat.browser) for seat in life.seats)
                assert service.server.is_ready()
            life.renew_codes()
            life.sign_in_again()

    assert_refusals_are_in_order(journal)
    assert findings(service.app, journal) == []
    assert broken_files(service.app) == []


def give_room_back(app: Flask) -> None:
    """Empty the write-ahead log, which would take many more writes in the room that it has."""
    with engine_of(app).connect() as connection:
        connection.rollback()
        driver_connection = connection.connection.driver_connection
        assert driver_connection is not None
        driver_connection.execute("PRAGMA query_only=OFF")
        driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def write_until_refused(life: Life) -> None:
    """Change whatever can be changed until everything is refused."""
    refused = 0
    for _ in range(MOST_WRITES):
        try:
            life.chance.choice(life.choices())()
        except RefusedError:
            refused += 1
            if refused == REFUSALS:
                return
    pytest.fail("the disk is full, and everything is written all the same")


def assert_refusals_are_in_order(journal: Journal) -> None:
    refusals = [one for one in journal.lines() if one["outcome"] == REFUSED]
    assert {tuple(one["refusal"]) for one in refusals} == {(503, "database_unavailable")}
    assert all(one["retry_after"] for one in refusals)
    assert not any(one["signs_in"] for one in refusals)
    assert not any("SQL" in one["text"] for one in refusals)
