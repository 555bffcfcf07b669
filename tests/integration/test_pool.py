"""The pool's three limits bind on both engines: how many, how long unused, how long to wait.

DB-7, F9.
"""

import time
from contextlib import ExitStack
from types import SimpleNamespace

import pytest
from flask import Flask
from sqlalchemy import text

from app.config import Settings
from app.errors import DatabaseUnavailable
from tests.support.units import application, engine_of, pool_of, run_unit


def ask(app: Flask) -> object:
    return run_unit(app, lambda session: session.scalar(text("SELECT 1")), writes=False)


@pytest.mark.parametrize(
    ("limit", "size"), [({}, 20), ({"pool_size": 2}, 2)], ids=["default", "set"]
)
def test_no_more_connections_than_the_limit_are_open(
    settings: Settings, limit: dict[str, int], size: int
) -> None:
    with application(settings, connect_timeout_seconds=1, **limit) as app, ExitStack() as stack:
        for _ in range(size - 1):
            stack.enter_context(engine_of(app).connect())
        assert ask(app) == 1
        last = stack.enter_context(engine_of(app).connect())
        started = time.monotonic()
        with pytest.raises(DatabaseUnavailable):
            ask(app)
        waited = time.monotonic() - started
        last.close()
        assert ask(app) == 1

    assert 0.9 < waited < 5


def test_a_unit_waits_two_seconds_for_a_connection_unless_told_otherwise(
    app: Flask, settings: Settings
) -> None:
    assert pool_of(app).timeout() == 2
    with application(settings, connect_timeout_seconds=7) as other:
        assert pool_of(other).timeout() == 7


@pytest.mark.parametrize(
    ("limit", "seconds"), [({}, 30), ({"pool_idle_seconds": 3}, 3)], ids=["default", "set"]
)
def test_a_connection_unused_for_too_long_is_replaced(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, limit: dict[str, int], seconds: int
) -> None:
    with application(settings, **limit) as app:

        def connection_at(moment: float) -> object:
            with monkeypatch.context() as patch:
                patch.setattr("app.database.time", SimpleNamespace(monotonic=lambda: moment))
                with engine_of(app).connect() as connection:
                    return connection.connection.driver_connection

        first = connection_at(1000)
        in_time = connection_at(1000 + seconds)
        # Its age alone does not matter.
        in_time_again = connection_at(1000 + 2 * seconds)
        too_late = connection_at(1001 + 3 * seconds)
        assert first is in_time is in_time_again
        assert too_late is not first
        assert ask(app) == 1
