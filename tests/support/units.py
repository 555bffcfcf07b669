"""Units of work and threads, as a test runs them against an application."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

from flask import Flask
from sqlalchemy import Engine, QueuePool

from app import create_app
from app.config import Settings, load_settings
from app.extensions import db
from app.transaction import UnitOfWork, with_transaction
from tests.support.variables import DEVELOPMENT

T = TypeVar("T")

PATIENCE_SECONDS = 10
"""When a thread that is waited for counts as stuck."""


@contextmanager
def application(settings: Settings, **database: Any) -> Iterator[Flask]:  # noqa: ANN401
    """Make one more application on the same database, with other ``DatabaseSettings``."""
    app = create_app(replace(settings, database=replace(settings.database, **database)))
    try:
        yield app
    finally:
        give_up_connections(app)


@contextmanager
def application_on(variables: Mapping[str, str]) -> Iterator[Flask]:
    """Make an application on the database that the variables name, migrated or not."""
    app = create_app(load_settings({**DEVELOPMENT, **variables}))
    try:
        yield app
    finally:
        give_up_connections(app)


def give_up_connections(app: Flask) -> None:
    """Close what an application keeps open: its pool, and what its session gate holds."""
    gate = app.extensions.get("session_gate")
    if gate is not None:
        gate.checks.close()
    engine_of(app).dispose()


def engine_of(app: Flask) -> Engine:
    with app.app_context():
        return db.engine


def pool_of(app: Flask) -> QueuePool:
    pool = engine_of(app).pool
    assert isinstance(pool, QueuePool)
    return pool


def run_unit(app: Flask, callback: UnitOfWork[T], *, writes: bool = True) -> T:
    """Run one unit of work in an application context of its own."""
    with app.app_context():
        return with_transaction(callback, writes=writes)


def side_by_side(tasks: Sequence[Callable[[], T]]) -> list[T]:
    """Run each task in a thread of its own and give the results; what one raises is raised."""
    with ThreadPoolExecutor(len(tasks)) as threads:
        running: list[Future[T]] = [threads.submit(task) for task in tasks]
        return [one.result(PATIENCE_SECONDS * 3) for one in running]


def wait_for(event: threading.Event) -> None:
    assert event.wait(PATIENCE_SECONDS), "the other side never came"
