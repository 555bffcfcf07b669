"""Runs the migrations: one at a time, a line for each, all of a migration or nothing of it."""

import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import click
from alembic import context
from alembic.runtime.migration import MigrationInfo
from alembic.util import CommandError
from flask import current_app
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from app.config import Settings
from app.database import migration_engine
from app.services.schema import is_above_floor

# Any number will do, as long as every release uses the same one.
ADVISORY_LOCK = 0x0B4D6E5
# Whoever comes to a table while a migration waits for it waits behind, and for 4 s at most.
LOCK_TIMEOUT = "2s"


class Progress:
    """Prints a line for each migration, completed or failed, with its duration."""

    def __init__(self, *, is_sqlite: bool) -> None:
        self.is_sqlite = is_sqlite
        self.last: str | None = None
        self._started = time.perf_counter()
        self._uncommitted: list[str] = []

    def completed(self, *, step: MigrationInfo, **_: object) -> None:
        if not self.is_sqlite:
            self.committed()
        direction = "upgraded to" if step.is_upgrade else "downgraded from"
        self._uncommitted.append(
            f"{direction} {step.up_revision_id}: completed in {self._seconds():.2f} s"
        )
        self.last = step.up_revision_id
        self._started = time.perf_counter()

    def committed(self) -> None:
        for line in self._uncommitted:
            click.echo(line)
        self._uncommitted.clear()

    def failed(self, error: DBAPIError) -> None:
        # The lines after the first quote the statement again, or rows.
        cause = str(error.orig).strip().partition("\n")[0]
        if not error.statement and self.last is None:
            click.echo(f"the database cannot be reached, nothing was changed: {cause}", err=True)
            return
        if error.statement and not self.is_sqlite:
            self.committed()
        self._uncommitted.clear()
        statement = " ".join((error.statement or "COMMIT").split())
        click.echo(
            f"{self._name(error)}: failed after {self._seconds():.2f} s, {self._kept(error)}: "
            f"{cause}; statement: {statement}",
            err=True,
        )

    def _name(self, error: DBAPIError) -> str:
        if revision := _revision_in(error) or (None if error.statement else self.last):
            return f"migration {revision}"
        return f"migration after {self.last}" if self.last else "migration"

    def _kept(self, error: DBAPIError) -> str:
        # SQLite's one transaction holds the migrations before it, too.
        what = "this upgrade" if self.is_sqlite else "it"
        if not error.statement and error.connection_invalidated:
            return f"whether {what} was kept shows at the next one"
        return f"nothing of {what} was kept"

    def _seconds(self) -> float:
        return time.perf_counter() - self._started


def _revision_in(error: BaseException) -> str | None:
    """Name the migration whose code was running."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    revisions = [
        frame.f_globals["revision"] for frame in frames if "down_revision" in frame.f_globals
    ]
    return revisions[-1] if revisions else None


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
            if _has_nothing_to_do(connection):
                return
            if not is_sqlite:
                # Alembic begins a transaction for each migration, and finds none under way.
                connection.commit()
            with context.begin_transaction():
                context.run_migrations()
    except DBAPIError as error:
        progress.failed(error)
        sys.exit(1)
    finally:
        if not is_sqlite:
            # Each was committed by itself, whatever became of a later one.
            progress.committed()
    progress.committed()


def _has_nothing_to_do(connection: Connection) -> bool:
    """Tell whether a later release was here before, and left a schema that serves this one, too.

    So a release that is rolled back to, or starts once more while the next one is rolled out,
    finds its upgrade done.
    """
    migrations = context.get_context()
    later = [head for head in migrations.get_current_heads() if not _is_known(head)]
    if not later or migrations.opts["fn"].__name__ != "upgrade":
        return False
    has = f"the database has {', '.join(later)} of a later release"
    if not is_above_floor(connection):
        click.echo(f"{has}, beyond what this one can serve: nothing was changed", err=True)
        sys.exit(1)
    click.echo(f"{has}, which still serves this one: nothing to do")
    return True


def _is_known(revision: str) -> bool:
    try:
        context.script.get_revision(revision)
    except CommandError:
        return False
    return True


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
    # The lock ends with the connection, which nobody uses again.
    yield


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
