"""Held connections to SQLite."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select
from sqlalchemy.engine import Engine

from app.held_connections.compiled import Row, compile_for, converters, hold_connection


class SQLiteStatements:
    """The statements as SQLite takes them."""

    def __init__(self, engine: Engine, statements: Mapping[str, Select[Any]]) -> None:
        """Compile them for the engine."""
        # Named, since a value may stand in several places.
        dialect, compiled = compile_for(engine, statements, paramstyle="named")
        self._engine = engine
        self._prepared = {
            name: (str(one), dict(one.params), converters(one, dialect))
            for name, one in compiled.items()
        }

    def open(self) -> "SQLiteConnection":
        """Open a connection that can only read."""
        connection = hold_connection(self._engine)
        connection.execute("PRAGMA query_only=ON")
        # A lookup reads a page of each of its tables and indexes, mostly one that this connection
        # has not read since the last write of anybody: by a system call each, or by none.
        # This many bytes are what SQLite maps at most; the rest is read (sqlite.org/mmap.html).
        connection.execute("PRAGMA mmap_size=2147418112")
        return SQLiteConnection(connection, self._prepared)


class SQLiteConnection:
    """A connection to the file; sqlite3 keeps the statements that it prepared."""

    def __init__(self, connection: Any, prepared: Mapping[str, Any]) -> None:  # noqa: ANN401
        """Take the driver's connection and the compiled statements."""
        self._connection = connection
        self._prepared = prepared

    def find(self, name: str, values: Mapping[str, Any]) -> Row | None:
        """Give the first row of the named statement. Raises the driver's errors."""
        sql, fixed, converters = self._prepared[name]
        given = {**fixed, **values}
        for one, convert in converters:
            given[one] = convert(given[one])
        row: Row | None = self._connection.execute(sql, given).fetchone()
        return row

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
