"""PostgreSQL as the service needs it: time-outs, lost connections, no forced preparing (F7, F8)."""

import socket
import time

import pytest
from flask import Flask
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from app import create_app
from app.config import Settings, load_settings
from app.database import WRITES
from app.errors import DatabaseUnavailable
from app.models import User
from tests.conftest import Transaction
from tests.support.rows import a_user
from tests.support.units import application, engine_of, pool_of, run_unit
from tests.support.variables import DEVELOPMENT

pytestmark = pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)


def ask(app: Flask) -> object:
    return run_unit(app, lambda session: session.scalar(text("SELECT 1")), writes=False)


def show(app: Flask, setting: str, *, writes: bool) -> object:
    query = text("SELECT current_setting(:setting)").bindparams(setting=setting)
    return run_unit(app, lambda session: session.scalar(query), writes=writes)


@pytest.mark.parametrize("writes", [True, False], ids=["writing", "reading"])
def test_each_unit_has_its_limits(app: Flask, *, writes: bool) -> None:
    assert show(app, "statement_timeout", writes=writes) == "5s"
    assert show(app, "lock_timeout", writes=writes) == "4s"
    assert show(app, "transaction_read_only", writes=writes) == ("off" if writes else "on")


def test_a_statement_that_takes_too_long_is_ended(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.database.STATEMENT_TIMEOUT_SECONDS", 0.3)

    def sleep(seconds: float) -> None:
        query = text("SELECT pg_sleep(:seconds)").bindparams(seconds=seconds)
        run_unit(app, lambda session: session.execute(query).all())

    sleep(0.01)
    started = time.monotonic()
    with pytest.raises(DatabaseUnavailable) as refusal:
        sleep(5)

    assert time.monotonic() - started < 3
    assert "statement timeout" in str(refusal.value.__cause__)


def test_a_row_that_stays_locked_is_given_up_on(
    app: Flask, transaction: Transaction, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.database.LOCK_TIMEOUT_SECONDS", 0.3)
    with transaction() as session:
        session.add(a_user(name="Ada"))

    def rename(session: Session) -> None:
        session.execute(update(User).values(name="Grace"))

    with transaction() as holder:
        holder.execute(select(User).with_for_update())
        started = time.monotonic()
        with pytest.raises(DatabaseUnavailable) as refusal:
            run_unit(app, rename)
        waited = time.monotonic() - started

    assert waited < 3
    assert "lock timeout" in str(refusal.value.__cause__)
    run_unit(app, rename)
    with transaction() as session:
        assert session.scalars(select(User.name)).all() == ["Grace"]


def test_a_transaction_that_says_nothing_can_only_read(app: Flask) -> None:
    engine = engine_of(app)
    statement = text("DELETE FROM users")

    with engine.connect() as connection, pytest.raises(Exception, match="read-only transaction"):
        connection.execute(statement)
    with engine.connect().execution_options(**{WRITES: True}) as connection:
        connection.execute(statement)


@pytest.mark.parametrize("prepare", [False, True], ids=["off", "on"])
def test_statements_are_prepared_only_where_they_may_be(
    settings: Settings, *, prepare: bool
) -> None:

    def repeat(session: Session) -> bool:
        for _ in range(10):
            session.scalars(select(User).where(User.name == "Ada")).all()
        return bool(session.scalar(text("SELECT count(*) FROM pg_prepared_statements")))

    with application(settings, prepare=prepare) as app:
        assert run_unit(app, repeat) is prepare


# As a restart of the server would.
END_THE_OTHERS = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


def lose_the_next(app: Flask) -> None:
    """End the connection that the pool will give next."""
    engine_of(app).dispose()
    with engine_of(app).connect() as next_one, engine_of(app).connect() as other:
        next_one.close()
        other.execute(END_THE_OTHERS)


def test_a_connection_that_was_lost_is_noticed_before_its_use(app: Flask) -> None:
    lose_the_next(app)

    assert ask(app) == 1


def test_a_connection_lost_as_a_unit_begins_is_an_unreachable_database(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose_the_next(app)

    with monkeypatch.context() as patch:
        # As if it were lost right after the pool had looked.
        patch.setattr(pool_of(app), "_pre_ping", False)
        with pytest.raises(DatabaseUnavailable):
            ask(app)

    assert ask(app) == 1
    assert pool_of(app).checkedout() == 0


def test_a_server_that_never_answers_is_given_up_on(engine_name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        url = f"postgresql://nobody@127.0.0.1:{port}/nothing"
        app = create_app(load_settings({**DEVELOPMENT, "DATABASE_URL": url}))
        started = time.monotonic()
        with pytest.raises(DatabaseUnavailable):
            ask(app)

    assert 1.5 < time.monotonic() - started < 4
