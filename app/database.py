"""Engines for SQLite and PostgreSQL, and the column types that mean the same on both.

A transaction says whether it ``writes`` by an execution option of that name. One that does not
say so can only read: both engines then refuse a write, so that a route declared to read does.
"""

import os
import random
import sqlite3
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, Text, event
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.engine import Connection, Engine, create_engine
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool
from sqlalchemy.types import TypeDecorator

from app import query_log
from app.config import DatabaseSettings
from app.places import PLACES, Places

BUSY_TIMEOUT_SECONDS = 5
"""How long a SQLite writer waits for the one before it."""
MIGRATION_WAIT_SECONDS = 600
"""How long an upgrade of a SQLite file waits for another one, or for a writer."""
_WAL_PAUSE_SECONDS = 0.01
_LOOK_AGAIN_SECONDS = (0.001, 0.005)
"""How soon a SQLite writer sees whether it is its turn."""
STATEMENT_TIMEOUT_SECONDS = 5
_ANSWER_SECONDS = STATEMENT_TIMEOUT_SECONDS + 1
"""When no answer will come any more, since the server would have ended the statement before."""
LOCK_TIMEOUT_SECONDS = 4

WRITES = "writes"
"""The execution option by which a transaction says that it writes."""
IMPATIENT = "impatient"
"""The execution option of a transaction that rather fails than waits for another one."""
_IMPATIENT_MILLISECONDS = 20


class UTCDateTime(TypeDecorator[datetime]):
    """A moment in UTC, timezone-aware in Python on both engines; ISO text on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Refuse a time that does not say its zone; SQLite would drop the zone unasked."""
        if value is None:
            return None
        if value.tzinfo is None:
            message = "a timestamp needs a timezone"
            raise ValueError(message)
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Give back what was stored, in UTC whatever the connection's zone."""
        return None if value is None else value.astimezone(UTC)

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any] | None:
        """Write a moment as text for SQLite, in the form that SQLAlchemy's type has there."""
        if dialect.name != "sqlite":
            return super().bind_processor(dialect)

        def write(value: datetime | None) -> str | None:
            moment = self.process_bind_param(value, dialect)
            return None if moment is None else moment.isoformat(" ", "microseconds")[:26]

        return write

    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[Any], datetime | None] | None:
        """Read the text that SQLite keeps."""
        if dialect.name != "sqlite":
            return super().result_processor(dialect, coltype)
        return lambda text: None if text is None else datetime.fromisoformat(f"{text}+00:00")


ByteOrderedText = Text().with_variant(Text(collation="C"), "postgresql")
"""Text that compares as bytes, so that order and equality are the same on both engines."""
JSONDocument = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
"""A JSON document: JSONB on PostgreSQL."""
TextArray = JSON().with_variant(ARRAY(Text()), "postgresql")
"""A list of strings: a native array on PostgreSQL, JSON on SQLite."""


def engine_options(settings: DatabaseSettings) -> dict[str, Any]:
    """Give the pool's limits and the driver's arguments, as ``create_engine`` takes them."""
    options: dict[str, Any] = {
        "pool_size": settings.pool_size,
        "max_overflow": 0,
        "pool_timeout": settings.connect_timeout_seconds,
        "connect_args": _connect_args(settings),
        "hide_parameters": True,
    }
    if settings.kind == "postgresql":
        options["pool_pre_ping"] = True
    return options


def _connect_args(settings: DatabaseSettings) -> dict[str, Any]:
    if settings.kind == "sqlite":
        # The driver must not open transactions by itself: see _begin_on_sqlite.
        return {"isolation_level": None, "timeout": BUSY_TIMEOUT_SECONDS}
    # libpq takes nothing below two seconds; a transaction pooler refuses prepared statements.
    return {
        "connect_timeout": max(2, settings.connect_timeout_seconds),
        "prepare_threshold": 5 if settings.prepare else None,
    }


def unpooled_engine(settings: DatabaseSettings) -> Engine:
    """Make an engine that keeps no connection: for who holds one, or writes now and then."""
    engine = create_engine(
        settings.url, poolclass=NullPool, connect_args=_connect_args(settings), hide_parameters=True
    )
    prepare_engine(engine, settings)
    return engine


def prepare_engine(engine: Engine, settings: DatabaseSettings) -> None:
    """Give a new engine its pragmas, its ways to begin, its idle limit and its query log."""
    if settings.kind == "sqlite":
        event.listen(engine, "connect", _set_pragmas)
        event.listen(engine, "begin", _begin_on_sqlite)
    else:
        _connect_punctually(engine, settings.connect_timeout_seconds)
        event.listen(engine, "begin", _begin_on_postgresql)
    _limit_idleness(engine, settings.pool_idle_seconds)
    _start_afresh_after_fork(engine)
    if settings.log_queries or settings.slow_query_ms is not None:
        query_log.attach(engine, slower_than_ms=settings.slow_query_ms or 0)


def _connect_punctually(engine: Engine, seconds: int) -> None:
    # A service on SQLite starts without the driver of PostgreSQL (docs/performance.md).
    from app.punctual_connection import PunctualConnection  # noqa: PLC0415

    def connect(
        _dialect: Dialect,
        _record: ConnectionPoolEntry,
        arguments: list[Any],
        parameters: dict[str, Any],
    ) -> DBAPIConnection:
        connection: Any = PunctualConnection.connect(*arguments, **parameters)
        connection.begin_seconds = seconds
        connection.statement_seconds = _ANSWER_SECONDS
        return connection  # type: ignore[no-any-return]

    event.listen(engine, "do_connect", connect)


def migration_engine(settings: DatabaseSettings) -> Engine:
    """Make an engine for one migration: no pool, no time-outs, transactions begun by hand."""
    arguments = _connect_args(settings)
    if settings.kind == "sqlite":
        arguments["timeout"] = MIGRATION_WAIT_SECONDS
    engine = create_engine(settings.migration_url, poolclass=NullPool, connect_args=arguments)
    if settings.kind == "sqlite":
        event.listen(engine, "connect", _set_pragmas)
        event.listen(engine, "connect", _leave_foreign_keys_alone)
    return engine


def _set_pragmas(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    _switch_to_wal(cursor)
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _switch_to_wal(cursor: DBAPICursor) -> None:
    # Of two that find a new file at once, SQLite refuses one without waiting for the other.
    give_up_at = time.monotonic() + BUSY_TIMEOUT_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if not is_worth_another_try(error) or time.monotonic() > give_up_at:
                raise
            time.sleep(_WAL_PAUSE_SECONDS)
        else:
            return


def _leave_foreign_keys_alone(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    # SQLite changes a table by making it anew, and dropping the old one would delete its rows'
    # children with it (sqlite.org/lang_altertable.html section 7).
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys=OFF")
    cursor.close()


def _begin_on_sqlite(connection: Connection) -> None:
    # A read that turns into a write fails at once when another writer came first, whatever the
    # busy time-out; so a transaction that will write says so when it begins, and queues.
    options = connection.get_execution_options()
    writes, impatient = options.get(WRITES, False), options.get(IMPATIENT, False)
    wait = _IMPATIENT_MILLISECONDS if impatient else BUSY_TIMEOUT_SECONDS * 1000
    with _translated_errors(connection):
        cursor = connection.connection.cursor()
        cursor.execute(f"PRAGMA query_only={'OFF' if writes else 'ON'}")
        if writes:
            _become_the_writer(cursor, wait, options.get(PLACES))
        cursor.execute(f"PRAGMA busy_timeout={wait}")
        if not writes:
            cursor.execute("BEGIN")
        cursor.close()


def _become_the_writer(cursor: DBAPICursor, milliseconds: int, places: Places | None) -> None:
    # SQLite's own waiting looks again less and less often, so that whoever comes new overtakes
    # those who have waited long, some of them for ever. Here all look equally often.
    give_up_at = time.monotonic() + milliseconds / 1000
    cursor.execute("PRAGMA busy_timeout=0")
    version = None
    while True:
        try:
            cursor.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if not is_worth_another_try(error) or time.monotonic() > give_up_at:
                raise
            time.sleep(random.uniform(*_LOOK_AGAIN_SECONDS))  # noqa: S311 - jitter, not a secret
            version = _note_commits(cursor, version, places)
        else:
            return


def _note_commits(cursor: DBAPICursor, known: int | None, places: Places | None) -> int:
    # The version changes as another connection commits: then the file is busy, but not stuck.
    cursor.execute("PRAGMA data_version")
    found: Any = cursor.fetchone()
    version: int = found[0]
    if places is not None and known not in {None, version}:
        places.note_progress()
    return version


def _begin_on_postgresql(connection: Connection) -> None:
    # Set by transaction, since a transaction pooler refuses start-up options.
    options = connection.get_execution_options()
    writes, impatient = options.get(WRITES, False), options.get(IMPATIENT, False)
    wait = _IMPATIENT_MILLISECONDS if impatient else LOCK_TIMEOUT_SECONDS * 1000
    limits = (
        f"SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT_SECONDS}s';"
        f" SET LOCAL lock_timeout = {wait}"
    )
    access = "READ WRITE" if writes else "READ ONLY"
    driver_connection: Any = connection.connection.driver_connection
    with _translated_errors(connection), driver_connection.cursor() as cursor:
        cursor.execute(f"SET TRANSACTION {access}; {limits}", prepare=False)


@contextmanager
def _translated_errors(connection: Connection) -> Iterator[None]:
    # SQLAlchemy makes its own errors of the driver's everywhere but in the event of a beginning.
    dialect: Any = connection.dialect
    driver_error = dialect.loaded_dbapi.Error
    try:
        yield
    except driver_error as error:
        lost = dialect.is_disconnect(error, connection.connection.dbapi_connection, None)
        raised = DBAPIError.instance(
            "BEGIN", None, error, driver_error, connection_invalidated=lost, dialect=dialect
        )
        if lost:
            connection.invalidate(raised)
        raise raised from error


def _limit_idleness(engine: Engine, seconds: int) -> None:
    # SQLAlchemy's pool limits a connection's age, not the time it lay unused.
    def stamp(_connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
        record.info["unused_since"] = time.monotonic()

    def refuse_the_stale(
        _connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: object
    ) -> None:
        if time.monotonic() - record.info.get("unused_since", time.monotonic()) > seconds:
            message = "unused for too long"
            raise DisconnectionError(message)

    event.listen(engine, "checkin", stamp)
    event.listen(engine, "checkout", refuse_the_stale)


def _start_afresh_after_fork(engine: Engine) -> None:
    # A forked worker must not share its parent's connections: two processes on one socket, and
    # POSIX locks that SQLite would lose. The idle ones are closed before, since a child must not
    # even close a SQLite connection of its parent's (sqlite.org/howtocorrupt.html section 2.6).
    reference = weakref.ref(engine)

    def dispose(*, close: bool) -> None:
        if (known := reference()) is not None:
            known.dispose(close=close)

    os.register_at_fork(
        before=lambda: dispose(close=True), after_in_child=lambda: dispose(close=False)
    )


def is_worth_another_try(error: BaseException | None) -> bool:
    """Tell whether the same unit of work, begun again, may well succeed.

    True for serialization failures and deadlocks (SQLSTATE 40001, 40P01) and for SQLITE_BUSY.
    """
    if isinstance(error, sqlite3.OperationalError):
        # Those that the driver raises of itself have no code.
        return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
    return getattr(error, "sqlstate", None) in {"40001", "40P01"}


def is_unreadable(error: BaseException | None) -> bool:
    """Tell whether SQLite cannot make sense of its file.

    It says so also of a disk that fails to read, and that may well read the next time.
    """
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
