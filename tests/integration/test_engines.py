"""Engines on both databases: one for each process, fit for forks, units that begin as they say.

DB-4, DB-6, DB-13.
"""

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from flask import Flask
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from app.config import Settings
from app.models import User
from tests.conftest import Transaction
from tests.support.databases import EngineName
from tests.support.rows import a_user
from tests.support.units import (
    PATIENCE_SECONDS,
    application,
    engine_of,
    pool_of,
    run_unit,
    side_by_side,
    wait_for,
)


def test_a_process_has_one_engine(app: Flask, settings: Settings) -> None:
    engines = side_by_side([lambda: engine_of(app)] * 4)

    assert {id(engine) for engine in engines} == {id(engine_of(app))}
    with application(settings) as other:
        assert engine_of(other) is not engine_of(app)


def test_the_engine_is_the_one_that_the_variables_name(app: Flask, engine_name: EngineName) -> None:
    assert engine_of(app).dialect.name == engine_name
    assert engine_of(app).driver == {"sqlite": "pysqlite", "postgresql": "psycopg"}[engine_name]


def test_a_reader_never_waits_for_a_writer(app: Flask, transaction: Transaction) -> None:
    with transaction() as session:
        session.add(a_user(name="before"))
    wrote, looked = threading.Event(), threading.Event()

    def write(session: Session) -> None:
        session.add(a_user(name="during"))
        session.flush()
        wrote.set()
        wait_for(looked)

    def look() -> list[str]:
        return run_unit(app, lambda session: list(session.scalars(select(User.name))), writes=False)

    with ThreadPoolExecutor() as threads:
        writer = threads.submit(run_unit, app, write)
        wait_for(wrote)
        try:
            # Two seconds are less than any time-out, and ages for one query.
            assert threads.submit(look).result(2) == ["before"]
        finally:
            looked.set()
        writer.result(PATIENCE_SECONDS)
    assert sorted(look()) == ["before", "during"]


def test_writers_run_side_by_side_on_postgresql_and_one_by_one_on_sqlite(
    app: Flask, engine_name: EngineName
) -> None:
    at_once = most_at_once = 0
    counting = threading.Lock()
    both_wrote = threading.Barrier(2)

    def write(session: Session) -> None:
        nonlocal at_once, most_at_once
        with counting:
            at_once += 1
            most_at_once = max(most_at_once, at_once)
        session.add(a_user())
        session.flush()
        if engine_name == "postgresql":
            both_wrote.wait(PATIENCE_SECONDS)
        with counting:
            at_once -= 1

    side_by_side([lambda: run_unit(app, write)] * 2)

    assert most_at_once == (2 if engine_name == "postgresql" else 1)
    assert len(run_unit(app, lambda session: list(session.scalars(select(User))))) == 2


def in_a_fork(look: Callable[[], str]) -> str:
    """Run ``look`` in a forked child and give what it found, or how it failed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(PATIENCE_SECONDS)
        try:
            answer = look()
        except BaseException as error:  # noqa: BLE001 - to be seen by the parent
            answer = repr(error)
        os.write(writing, answer.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    return answer


def whose(engine: Engine, known: object) -> str:
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT 1")) == 1
        return "inherited" if connection.connection.driver_connection is known else "its own"


def test_a_forked_child_uses_connections_of_its_own(settings: Settings) -> None:
    # One connection, in use as the process forks: the child must neither use nor await it.
    with application(settings, pool_size=1) as app, engine_of(app).connect() as used:
        assert used.scalar(text("SELECT 1")) == 1
        known = used.connection.driver_connection

        assert in_a_fork(lambda: whose(engine_of(app), known)) == "its own"

        # The parent goes on with it.
        assert used.scalar(text("SELECT 1")) == 1
        assert used.connection.driver_connection is known
        # The pool that it came from was given up at the fork, so it is closed by hand.
        used.detach()


def test_no_idle_connection_is_there_to_be_inherited(app: Flask) -> None:
    run_unit(app, lambda session: session.scalar(text("SELECT 1")))
    pool = pool_of(app)
    assert pool.checkedin() > 0

    assert in_a_fork(lambda: str(pool.checkedin())) == "0"
