"""Statements prepared once, on connections that are held between requests, outside transactions.

What SQLAlchemy does for each statement (check a connection out, begin, look the compiled form up,
wrap the result, end, check in) costs several times what the database needs for a lookup by key.
Here it compiles the statement once, and the driver is asked directly. Only reading goes this way.
"""

import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Protocol

from sqlalchemy import Select
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.errors import DatabaseUnavailable
from app.held_connections.compiled import Row, loader
from app.held_connections.sqlite import SQLiteStatements

__all__ = ["HeldConnections", "loader"]

_LOOK_AGAIN_SECONDS = 0.001


class HeldConnection(Protocol):
    """A connection with its statements prepared; used by one thread at a time."""

    def find(self, name: str, values: Mapping[str, Any]) -> Row | None:
        """Give the first row of the named statement. Raises the driver's errors."""

    def close(self) -> None:
        """Give the connection up."""


class HeldConnections:
    """Asks the database one question after another, on as many connections as are needed.

    At most ``most`` are open at a time; whoever finds them all in use waits ``wait_seconds``. None
    is kept longer than ``keep_seconds``: firewalls forget it, a failover leaves it behind, and
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
        self._errors = (DBAPIError, PoolTimeout, engine.dialect.loaded_dbapi.Error)
        open_connection: Callable[[], HeldConnection]
        if engine.dialect.name == "postgresql":
            # A service on SQLite starts without the driver of PostgreSQL (docs/performance.md).
            from app.held_connections.postgresql import PostgreSQLStatements  # noqa: PLC0415

            open_connection = PostgreSQLStatements(engine, statements, seconds=wait_seconds).open
        else:
            open_connection = SQLiteStatements(engine, statements).open
        # Last in, first out: of few that are in use, each keeps more of the file at hand.
        self._places = deque(
            _Place(open_connection, self._errors, keep_seconds) for _ in range(most)
        )

    def find(self, name: str, values: Mapping[str, Any]) -> Row | None:
        """Give the first row of the named statement. Raises ``DatabaseUnavailable``."""
        try:
            place = self._places.pop()
        except IndexError:
            place = self._wait()
        try:
            return place.find(name, values)
        except self._errors as error:
            raise DatabaseUnavailable from error
        finally:
            self._places.append(place)

    def close(self) -> None:
        """Close those that are not in use; another question opens new ones."""
        idle = [self._places.pop() for _ in range(len(self._places))]
        for place in idle:
            place.close()
        self._places.extend(idle)

    def _wait(self) -> "_Place":
        give_up_at = time.monotonic() + self._wait_seconds
        while time.monotonic() < give_up_at:
            time.sleep(_LOOK_AGAIN_SECONDS)
            with suppress(IndexError):
                return self._places.pop()
        raise DatabaseUnavailable(reason="every held connection is in use")


class _Place:
    """Room for one connection, which is opened when a question comes."""

    def __init__(
        self,
        open_connection: Callable[[], HeldConnection],
        errors: tuple[type[Exception], ...],
        keep_seconds: float,
    ) -> None:
        self._open = open_connection
        self._errors = errors
        self._keep_seconds = keep_seconds
        self._keep_until = 0.0
        self._connection: HeldConnection | None = None

    def find(self, name: str, values: Mapping[str, Any]) -> Row | None:
        if self._connection is not None and time.monotonic() < self._keep_until:
            try:
                return self._connection.find(name, values)
            except self._errors:
                # The server may have restarted since, or a migration have changed the tables below
                # the prepared statement: a new connection tells whether the database is away.
                self.close()
            except BaseException:
                self.close()
                raise
        self.close()
        self._connection = self._open()
        self._keep_until = time.monotonic() + self._keep_seconds
        try:
            return self._connection.find(name, values)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
