"""SQLite as the service needs it: pragmas on every connection, writers that queue (DB-13, F6)."""

import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.config import DatabaseSettings, Settings
from app.database import WRITES, migration_engine
from app.models import User
from tests.conftest import Transaction
from tests.support.counts import trials
from tests.support.databases import EngineName
from tests.support.rows import a_user
from tests.support.units import PATIENCE_SECONDS, engine_of, run_unit, side_by_side

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)

PRAGMAS = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}
THREADS = 8


def file_of(app: Flask) -> str:
    settings: Settings = app.extensions["openbadges"]
    return settings.database.url.removeprefix("sqlite:///")


@pytest.mark.parametrize(("pragma", "value"), PRAGMAS.items())
def test_a_pragma_is_in_force_on_every_pooled_connection(
    app: Flask, pragma: str, value: object
) -> None:
    with ExitStack() as stack:
        connections = [stack.enter_context(engine_of(app).connect()) for _ in range(4)]
        in_force = {one.scalar(text(f"PRAGMA {pragma}")) for one in connections}

    assert in_force == {value}


@pytest.mark.parametrize("writes", [True, False], ids=["writing", "reading"])
def test_a_unit_that_writes_has_the_write_lock_from_its_beginning(
    app: Flask, *, writes: bool
) -> None:
    def locked(_session: Session) -> bool:
        # Another connection, as a command of the operator's would have.
        with closing(sqlite3.connect(file_of(app), timeout=0, isolation_level=None)) as other:
            try:
                other.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return True
            return False

    assert run_unit(app, locked, writes=writes) is writes


def test_a_transaction_that_says_nothing_can_only_read(app: Flask) -> None:
    engine = engine_of(app)
    statement = text("DELETE FROM users")

    with engine.connect() as connection, pytest.raises(Exception, match="readonly database"):
        connection.execute(statement)
    with engine.connect().execution_options(**{WRITES: True}) as connection:
        connection.execute(statement)


def test_writers_queue_and_none_fails(app: Flask, transaction: Transaction) -> None:
    with transaction() as session:
        session.add(a_user(name="0"))
    begun: list[int] = []
    each = trials(200)

    def increment(session: Session) -> None:
        begun.append(1)
        count = int(session.scalars(select(User.name)).one())
        session.execute(update(User).values(name=str(count + 1)))

    def work() -> None:
        for _ in range(each):
            run_unit(app, increment)

    side_by_side([work] * THREADS)

    with transaction() as session:
        assert session.scalar(select(User.name)) == str(THREADS * each)
    # They waited for their turn: not one had to begin again.
    assert len(begun) == THREADS * each


@pytest.mark.parametrize("frees_it", [True, False], ids=["for_a_moment", "for_good"])
def test_a_new_file_that_another_process_is_writing_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine_name: EngineName, *, frees_it: bool
) -> None:
    # SQLite refuses the switch to WAL at once here, whatever its busy time-out.
    monkeypatch.setattr("app.database.BUSY_TIMEOUT_SECONDS", PATIENCE_SECONDS if frees_it else 0.2)
    file = tmp_path / "new.db"
    engine = migration_engine(DatabaseSettings(kind="sqlite", url=f"sqlite:///{file}"))

    def open_it() -> object:
        with engine.connect() as connection:
            return connection.scalar(text("PRAGMA journal_mode"))

    with (
        closing(sqlite3.connect(file, isolation_level=None)) as other,
        ThreadPoolExecutor() as threads,
    ):
        other.execute("BEGIN IMMEDIATE")
        opening = threads.submit(open_it)
        time.sleep(0.3)
        if frees_it:
            other.execute("ROLLBACK")
            assert opening.result(PATIENCE_SECONDS) == "wal"
        else:
            with pytest.raises(OperationalError, match="database is locked"):
                opening.result(PATIENCE_SECONDS)
