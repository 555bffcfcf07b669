"""What a database looks like: its schema in full, and a checksum of everything in it."""

import hashlib
import time
from collections.abc import Container, Sequence
from dataclasses import dataclass

from flask import Flask
from sqlalchemy import Connection, MetaData, inspect, select, table, text
from sqlalchemy.orm import Session

from app.database import WRITES
from tests.support.rows import a_removed_credential, a_user, everything_of
from tests.support.units import PATIENCE_SECONDS, engine_of, run_unit

_SQLITE = ("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name",)
_POSTGRESQL = (
    # By place, not by number: a column that is added, dropped and added again gets a new number.
    """
    SELECT c.relname, row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum), a.attname,
           format_type(a.atttypid, a.atttypmod), a.attnotnull,
           pg_get_expr(d.adbin, d.adrelid), l.collname
    FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    LEFT JOIN pg_collation l ON l.oid = a.attcollation
    WHERE c.relnamespace = current_schema()::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY c.relname, a.attnum
    """,
    """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = current_schema()::regnamespace ORDER BY 1, 2
    """,
    "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() ORDER BY 1",
)
_OF_THE_SCHEMA = {"alembic_version", "schema_floor"}
_LOCKS = text(
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


@dataclass(frozen=True, kw_only=True)
class State:
    """A database at one moment; equal where nothing differs, not a name and not a row."""

    schema: tuple[str, ...]
    rows: str

    def __str__(self) -> str:
        """Name the version; the whole of it would drown a report."""
        version = next((line for line in self.schema if line.startswith("alembic_")), "nothing")
        return f"{version}, {len(self.schema)} lines, rows {self.rows[:8]}"


def state_of(app: Flask) -> State:
    """Describe every table, column, constraint and index, the version, and all rows."""
    with engine_of(app).connect() as connection:
        names = set(inspect(connection).get_table_names())
        queries = _SQLITE if connection.dialect.name == "sqlite" else _POSTGRESQL
        found = [str(row) for query in queries for row in connection.execute(text(query))]
        versions = _rows(connection, sorted(names & _OF_THE_SCHEMA))
        rows = _rows(connection, sorted(names - _OF_THE_SCHEMA))
    checksum = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    return State(schema=(*found, *versions), rows=checksum)


def _rows(connection: Connection, names: Sequence[str]) -> list[str]:
    return [
        f"{name}: {row}"
        for name in names
        for row in sorted(map(str, connection.execute(select(text("*")).select_from(table(name)))))
    ]


def fill(app: Flask) -> None:
    """Put rows into every table of the newest schema."""
    user = a_user()

    def add(session: Session) -> None:
        for row in (*everything_of(user), a_removed_credential()):
            session.add(row)
            session.flush()

    run_unit(app, add)


class KeptRows:
    """The rows of every table as a moment had them, whatever the release that made the tables."""

    def __init__(self, app: Flask) -> None:
        self._metadata = MetaData()
        with engine_of(app).connect() as connection:
            self._metadata.reflect(connection)
            self._rows = {
                name: [dict(row) for row in connection.execute(select(one)).mappings()]
                for name, one in self._metadata.tables.items()
                if name not in _OF_THE_SCHEMA
            }

    def put_back(self, app: Flask, *, but: Container[str]) -> None:
        """Put the rows back into all tables but some."""
        with engine_of(app).execution_options(**{WRITES: True}).begin() as connection:
            for one in self._metadata.sorted_tables:
                if (rows := self._rows.get(one.name)) and one.name not in but:
                    connection.execute(one.insert(), rows)


def await_no_advisory_lock(app: Flask) -> None:
    """Wait until nobody holds an advisory lock; whoever was killed does so for a moment more."""
    engine = engine_of(app)
    if engine.dialect.name == "sqlite":
        return
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    with engine.connect() as connection:
        while connection.scalar(_LOCKS):
            assert time.monotonic() < give_up_at, "an advisory lock is still held"
            time.sleep(0.01)
