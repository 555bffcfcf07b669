"""Fixtures for both engines: what a test asks for by name, it gets on SQLite and on PostgreSQL.

The schema is made once for each engine, by the real migrations; between tests the rows are
deleted, with real commits, so that several connections and threads see the same. Nothing here
holds an application context open: Flask-Login keeps its user there, and another client's request
would then be answered as that user's.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

import pytest
from flask import Flask
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app import create_app
from app.cli.db import run_migrations
from app.config import Settings, load_settings
from app.database import WRITES
from app.extensions import db
from tests.support.clients import Browser, InProcessBrowser
from tests.support.databases import (
    ENGINE_NAMES,
    EngineName,
    ScratchDatabases,
    delete_rows,
    scratch_databases,
)
from tests.support.keeper import Keeper
from tests.support.tally import PROPERTY, Tally, write_table
from tests.support.units import engine_of, give_up_connections
from tests.support.variables import DEVELOPMENT


@pytest.fixture(scope="session", params=ENGINE_NAMES)
def engine_name(request: pytest.FixtureRequest) -> EngineName:
    """Name the engine; a test that asks for this, or for what needs it, runs on both.

    DB-4, DB-23.
    """
    name: EngineName = request.param
    return name


@pytest.fixture(scope="session")
def keeper() -> Iterator[Keeper]:
    """Keep what is made once for each engine."""
    with ExitStack() as stack:
        yield Keeper(stack)


@pytest.fixture(scope="session")
def scratch_database(
    engine_name: EngineName, keeper: Keeper, tmp_path_factory: pytest.TempPathFactory
) -> ScratchDatabases:
    """Make new, empty databases: each call gives the variables that name one more."""
    return keeper.once(
        ("databases", engine_name),
        lambda: scratch_databases(engine_name, tmp_path_factory.mktemp(engine_name)),
    )


@pytest.fixture(scope="session")
def migrated_app(
    engine_name: EngineName, keeper: Keeper, scratch_database: ScratchDatabases
) -> Flask:
    """Make one application for each engine, its schema by the real migrations."""

    @contextmanager
    def make() -> Iterator[Flask]:
        app = create_app(load_settings({**DEVELOPMENT, **scratch_database()}))
        run_migrations(app)
        yield app
        give_up_connections(app)

    return keeper.once(("application", engine_name), make)


@pytest.fixture(scope="session")
def settings(migrated_app: Flask) -> Settings:
    """Give a developer's settings on a database of the tests' own."""
    settings: Settings = migrated_app.extensions["openbadges"]
    return settings


@pytest.fixture
def app(migrated_app: Flask) -> Iterator[Flask]:
    """Give the application with empty tables."""
    yield migrated_app
    delete_rows(engine_of(migrated_app), db.metadata)


@pytest.fixture
def make_app(scratch_database: ScratchDatabases) -> Iterator[Callable[..., Flask]]:
    """Make applications with other variables, each on a migrated database of its own."""
    made: list[Flask] = []

    def make(**variables: str) -> Flask:
        app = create_app(load_settings({**DEVELOPMENT, **scratch_database(), **variables}))
        run_migrations(app)
        made.append(app)
        return app

    yield make
    for app in made:
        give_up_connections(app)


@pytest.fixture
def new_client(app: Flask) -> Callable[[], Browser]:
    """Open one more browser, with no cookies yet."""
    return lambda: InProcessBrowser(app, app.response_class)


@pytest.fixture
def client(new_client: Callable[[], Browser]) -> Browser:
    """Open a browser on a page of the service: same origin, cookies kept."""
    return new_client()


Transaction = Callable[[], AbstractContextManager[Session]]


@pytest.fixture
def transaction(app: Flask) -> Transaction:
    """Begin short transactions to arrange and to look; each commits when its block ends."""

    @contextmanager
    def begin() -> Iterator[Session]:
        with _writing_session(engine_of(app)) as session:
            yield session
            session.commit()

    return begin


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """Give a service one writing transaction, rolled back in the end."""
    with _writing_session(engine_of(app)) as session:
        yield session


def _writing_session(engine: Engine) -> Session:
    return Session(engine.execution_options(**{WRITES: True}), expire_on_commit=False)


NewTally = Callable[[str, str], Tally]


@pytest.fixture
def new_tally(request: pytest.FixtureRequest) -> Iterator[NewTally]:
    """Count what a test tries and what it finds, by subject and kind; findings fail the test."""
    engine = getattr(request.node, "callspec", None)
    name = engine.params.get("engine_name", "none") if engine else "none"
    made: list[Tally] = []

    def make(subject: str, kind: str) -> Tally:
        made.append(Tally(subject=subject, kind=kind, engine=name))
        return made[-1]

    yield make
    request.node.user_properties += [(PROPERTY, tally.as_property()) for tally in made]
    problems = [problem for tally in made if (problem := tally.conclude())]
    if problems:
        pytest.fail("\n".join(problems), pytrace=False)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Leave the table of trials and findings for the one who started the run."""
    reports = [report for kind in terminalreporter.stats.values() for report in kind]
    write_table(
        value
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == PROPERTY and report.when == "teardown"
    )
