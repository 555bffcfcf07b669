"""Units that meet a deadlock, a serialization failure or a busy file are run again, in time.

F6.
"""

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.config import Settings
from app.errors import DatabaseUnavailable
from app.models import User
from tests.conftest import Transaction
from tests.support.rows import a_user
from tests.support.units import PATIENCE_SECONDS, application, run_unit, side_by_side

on_sqlite = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)


def names(transaction: Transaction) -> list[str]:
    with transaction() as session:
        return list(session.scalars(select(User.name).order_by(User.name)))


class Meeting:
    """Lets two units meet in their first run, so that they are in each other's way once."""

    def __init__(self) -> None:
        self.runs = 0
        self._barrier = threading.Barrier(2)
        self._counting = threading.Lock()

    def attend(self) -> None:
        """Count a run, and wait for the other unit's if it is the first."""
        with self._counting:
            self.runs += 1
            is_first = self.runs <= 2
        if is_first:
            self._barrier.wait(PATIENCE_SECONDS)


@on_postgresql
def test_a_deadlocked_unit_is_run_again(app: Flask, transaction: Transaction) -> None:
    with transaction() as session:
        session.add_all([a_user(name="a"), a_user(name="b")])
    meeting = Meeting()

    def append(session: Session, order: str) -> None:
        for name in order:
            statement = update(User).where(User.name.startswith(name))
            session.execute(statement.values(name=User.name + "!"))
            if name == order[0]:
                meeting.attend()

    side_by_side(
        [
            lambda: run_unit(app, lambda session: append(session, "ab")),
            lambda: run_unit(app, lambda session: append(session, "ba")),
        ]
    )

    assert names(transaction) == ["a!!", "b!!"]
    assert meeting.runs == 3


@on_postgresql
def test_a_unit_that_could_not_be_serialized_is_run_again(
    app: Flask, transaction: Transaction
) -> None:
    meeting = Meeting()

    def add_the_next(session: Session) -> int:
        session.execute(text("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"))
        count = len(session.scalars(select(User)).all())
        meeting.attend()
        session.add(a_user(name=str(count)))
        return count

    counts = side_by_side([lambda: run_unit(app, add_the_next)] * 2)

    assert sorted(counts) == [0, 1]
    assert names(transaction) == ["0", "1"]
    assert meeting.runs == 3


def fail(session: Session, sqlstate: str) -> None:
    session.execute(text(f"DO $$ BEGIN RAISE SQLSTATE '{sqlstate}'; END $$"))


@on_postgresql
@pytest.mark.parametrize("sqlstate", ["40001", "40P01"])
def test_what_a_failed_run_did_is_gone_from_the_next(
    app: Flask, transaction: Transaction, sqlstate: str
) -> None:
    runs: list[str] = []

    def unit(session: Session) -> str:
        runs.append("run")
        session.add(a_user(name=f"run {len(runs)}"))
        session.flush()
        if len(runs) < 3:
            fail(session, sqlstate)
        return runs[-1]

    assert run_unit(app, unit) == "run"
    assert names(transaction) == ["run 3"]


@on_postgresql
@pytest.mark.parametrize("sqlstate", ["22012", "40002", "23505"])
def test_what_would_fail_again_is_not_run_again(app: Flask, sqlstate: str) -> None:
    runs: list[int] = []

    def unit(session: Session) -> None:
        runs.append(1)
        fail(session, sqlstate)

    with pytest.raises((DBAPIError, DatabaseUnavailable)):
        run_unit(app, unit)
    assert len(runs) == 1


@on_postgresql
def test_a_unit_that_never_gets_through_is_given_up(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.transaction._RETRY_SECONDS", 0.3)
    runs: list[int] = []

    def unit(session: Session) -> None:
        runs.append(1)
        fail(session, "40001")

    started = time.monotonic()
    with pytest.raises(DatabaseUnavailable):
        run_unit(app, unit)

    assert time.monotonic() - started < 3
    assert len(runs) > 2


HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


@on_sqlite
@pytest.mark.parametrize("frees_it", [True, False], ids=["for_a_moment", "for_good"])
def test_a_busy_file_is_tried_again_and_given_up_in_time(
    settings: Settings,
    transaction: Transaction,
    monkeypatch: pytest.MonkeyPatch,
    *,
    frees_it: bool,
) -> None:
    # Shorter than the file stays busy: SQLite alone would give up.
    monkeypatch.setattr("app.database.BUSY_TIMEOUT_SECONDS", 0.05)
    monkeypatch.setattr("app.transaction._RETRY_SECONDS", PATIENCE_SECONDS if frees_it else 0.3)
    runs: list[int] = []

    def unit(session: Session) -> None:
        runs.append(1)
        session.add(a_user(name="Ada"))

    file = settings.database.url.removeprefix("sqlite:///")
    command = [sys.executable, "-c", HOLDER, file]
    with (
        application(settings) as app,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder,
        ThreadPoolExecutor() as threads,
    ):
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == b"held\n"
        running = threads.submit(run_unit, app, unit)
        time.sleep(0.5)
        if frees_it:
            assert not running.done()
            holder.stdin.close()
            running.result(PATIENCE_SECONDS)
        else:
            with pytest.raises(DatabaseUnavailable, match="reach its database"):
                running.result(PATIENCE_SECONDS)
            assert "database is locked" in str(running.exception().__cause__)  # type: ignore[union-attr]
            holder.stdin.close()

    assert runs == ([1] if frees_it else [])
    assert names(transaction) == (["Ada"] if frees_it else [])
