"""Runs the migrations: one at a time, a line for each, all of a migration or nothing of it."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click
from alembic import context
from alembic.runtime.migration import MigrationInfo
from flask import current_app
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from app.config import Settings
from app.database import migration_engine

# Any number will do, as long as every release uses the same one.
ADVISORY_LOCK = 0x0B4D6E5
LOCK_TIMEOUT = "4s"


class Progress:
    """Prints a line for each migration as it is completed, with its duration."""

    def __init__(self, *, is_sqlite: bool) -> None:
        self.is_sqlite = is_sqlite
        self.started = time.perf_counter()
        self.last: str | None = None

    def completed(self, *, step: MigrationInfo, **_: object) -> None:
        seconds = time.perf_counter() - self.started
        direction = "upgraded to" if step.is_upgrade else "downgraded from"
        click.echo(f"{direction} {step.up_revision_id}: completed in {seconds:.2f} s")
        self.started = time.perf_counter()
        self.last = step.up_revision_id

    def failed(self, error: DBAPIError) -> None:
        if not error.statement:
            click.echo(
                f"the database cannot be reached, nothing was changed: {error.orig}", err=True
            )
            return
        after = f" after {self.last}" if self.last else ""
        # SQLite's one transaction holds the migrations before it, too.
        lost = "this upgrade" if self.is_sqlite else "it"
        click.echo(f"migration{after}: failed, nothing of {lost} was kept: {error.orig}", err=True)
        click.echo(f"statement: {error.statement}", err=True)


def run() -> None:
    settings: Settings = current_app.extensions["openbadges"]
    is_sqlite = settings.database.kind == "sqlite"
    progress = Progress(is_sqlite=is_sqlite)
    engine = migration_engine(settings.database)
    try:
        with engine.connect() as connection, _alone(connection, is_sqlite=is_sqlite):
            context.configure(
                connection=connection,
                target_metadata=current_app.extensions["migrate"].db.metadata,
                on_version_apply=progress.completed,
                # SQLite holds its one lock for the whole upgrade, so that nobody comes in between.
                transaction_per_migration=not is_sqlite,
                transactional_ddl=True,
                **current_app.extensions["migrate"].configure_args,
            )
            with context.begin_transaction():
                context.run_migrations()
    except DBAPIError as error:
        progress.failed(error)
        sys.exit(1)


@contextmanager
def _alone(connection: Connection, *, is_sqlite: bool) -> Iterator[None]:
    """Let one upgrade at a time run; a second one waits and then finds nothing to do."""
    if is_sqlite:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield
        _require_whole_references(connection)
        connection.commit()
        return
    # Whatever the role's own time-outs: a long migration is no fault.
    connection.exec_driver_sql("SET statement_timeout = 0")
    connection.exec_driver_sql("SET lock_timeout = 0")
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ADVISORY_LOCK})
    # A session's lock outlives this commit; a transaction's would end with the first migration.
    connection.commit()
    connection.exec_driver_sql(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
    connection.commit()
    try:
        yield
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": ADVISORY_LOCK})
        connection.commit()


def _require_whole_references(connection: Connection) -> None:
    # Foreign keys are not enforced while SQLite makes tables anew, so they are checked in the end.
    if broken := connection.execute(text("PRAGMA foreign_key_check")).first():
        click.echo(
            "migration: failed, nothing of this upgrade was kept: "
            f"{broken.table} refers to missing rows of {broken.parent}",
            err=True,
        )
        sys.exit(1)


run()
