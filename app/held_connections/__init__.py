"""Statements prepared once, on connections that are held between requests, outside transactions.

What SQLAlchemy does for each statement (check a connection out, begin, look the compiled form up,
wrap the result, end, check in) costs several times what the database needs for a lookup by key.
Here it compiles the statement once, and the driver is asked directly. Only reading goes this way.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from sqlalchemy import Select
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.errors import DatabaseUnavailable
from app.held_connections.compiled import Row, loader
from app.held_connections.sqlite import SQLiteStatements

__all__ = ["HeldConnections", "loader"]


class HeldConnection(Protocol):
    """A connection with its statements prepared; used by one thread at a time."""

    def find(self, name: str, values: Mapping[str, Any]) -> Row | None:
        """Give the first row of the named statement. Raises the driver's errors."""

    def close(self) -> None:
        """Give the connection up."""


class HeldConnections:
    """Asks the database one question after another, on as many connections as are needed.

    At most ``most`` are in use at a time; whoever finds them all in use waits ``wait_seconds``.
    None is kept longer than ``keep_seconds``: firewalls forget it, a failover leaves it behind, and
    another file may have been put into the place of the one that it has open.
    """

    def __init__(
        self,
        engine: Engine,
        statements: Mapping[str, Select[Any]],
        *,
        most: int,
        wait_seconds: float,
        keep_seconds: float,
    ) -> None:
        """Take the statements by name. Nothing is opened yet, so that the process may fork."""
        self._wait_seconds = wait_seconds
        self._keep_seconds = keep_seconds
        self._may_ask = threading.BoundedSemaphore(most)
        self._idle: deque[tuple[float, HeldConnection]] = deque()
        self._errors = (DBAPIError, PoolTimeout, engine.dialect.loaded_dbapi.Error)
        self._open: Callable[[], HeldConnection]
        if engine.dialect.name == "postgresql":
            # A service on SQLite starts without the driver of PostgreSQL (docs/performance.md).
            from app.held_connections.postgresql import PostgreSQLStatements  # noqa: PLC0415

            self._open = PostgreSQLStatements(engine, statements, seconds=wait_seconds).open
        else:
            self._open = SQLiteStatements(engine, statements).open

    def find(self, name: str, values: Mapping[str, Any]) -> Row | None:
        """Give the first row of the named statement. Raises ``DatabaseUnavailable``."""
        if not self._may_ask.acquire(timeout=self._wait_seconds):
            raise DatabaseUnavailable(reason="every held connection is in use")
        try:
            return self._ask(name, values)
        except self._errors as error:
            raise DatabaseUnavailable from error
        finally:
            self._may_ask.release()

    def close(self) -> None:
        """Close those that are not in use; another question opens new ones."""
        while self._idle:
            self._idle.pop()[1].close()

    def _ask(self, name: str, values: Mapping[str, Any]) -> Row | None:
        try:
            since, connection = self._idle.pop()
        except IndexError:
            return self._ask_anew(name, values)
        if time.monotonic() - since > self._keep_seconds:
            connection.close()
            return self._ask_anew(name, values)
        try:
            found = connection.find(name, values)
        except self._errors:
            # The server may have restarted since, or a migration have changed the tables below the
            # prepared statement: a new connection tells whether the database is really away.
            connection.close()
            return self._ask_anew(name, values)
        self._idle.append((since, connection))
        return found

    def _ask_anew(self, name: str, values: Mapping[str, Any]) -> Row | None:
        connection = self._open()
        try:
            found = connection.find(name, values)
        except BaseException:
            connection.close()
            raise
        self._idle.append((time.monotonic(), connection))
        return found
