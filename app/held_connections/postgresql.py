"""Held connections to PostgreSQL: libpq's protocol of prepared statements, without a cursor.

psycopg's cursor costs about as much as the round trip itself; libpq, as psycopg exposes it
(psycopg.org/psycopg3/docs/api/pq.html), a fraction. It waits with a deadline, since a stopped
server would else hold the thread for ever.
"""

import select
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg import abc
from psycopg.adapt import Transformer
from psycopg.pq import DiagnosticField, ExecStatus, Format
from psycopg.pq.abc import PGresult
from sqlalchemy import LargeBinary, Select
from sqlalchemy.engine import Engine
from sqlalchemy.types import TypeEngine

from app.errors import DatabaseUnavailable
from app.held_connections.compiled import (
    Converter,
    Row,
    compile_for,
    converters,
    hold_connection,
)

_TOOK_TOO_LONG = b"57014"
"""The SQLSTATE of a statement that its time-out ended: asking again would take as long."""


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A statement with ``$1``, ``$2`` … and what stands in their place."""

    name: bytes
    sql: bytes
    order: Sequence[str]
    formats: Sequence[Format]
    fixed: Mapping[str, Any]
    converters: Sequence[tuple[str, Converter]]


class PostgreSQLStatements:
    """The statements as PostgreSQL takes them."""

    def __init__(
        self, engine: Engine, statements: Mapping[str, Select[Any]], *, seconds: float
    ) -> None:
        """Compile them for the engine; an answer may take ``seconds``."""
        dialect, compiled = compile_for(engine, statements, paramstyle="numeric_dollar")
        self._engine = engine
        self._seconds = seconds
        self._prepared = {
            name: Prepared(
                name=name.encode(),
                sql=str(one).encode(),
                order=one.positiontup or (),
                formats=[_format(one.binds[each].type) for each in one.positiontup or ()],
                fixed=one.params,
                converters=converters(one, dialect),
            )
            for name, one in compiled.items()
        }

    def open(self) -> "PostgreSQLConnection":
        """Open a connection."""
        connection: psycopg.Connection[Any] = hold_connection(self._engine)
        # A transaction pooler refuses prepared statements (DB_PREPARE=off).
        prepares = connection.prepare_threshold is not None
        held = PostgreSQLConnection(
            connection, self._prepared, seconds=self._seconds, prepares=prepares
        )
        if prepares:
            held.limit_statements()
        return held


class PostgreSQLConnection:
    """A connection to the server; each statement is a transaction of its own."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        statements: Mapping[str, Prepared],
        *,
        seconds: float,
        prepares: bool,
    ) -> None:
        """Take the driver's connection and the compiled statements."""
        self._connection = connection
        self._libpq = connection.pgconn
        self._statements = statements
        self._seconds = seconds
        self._prepares = prepares
        self._known: set[bytes] = set()
        self._readable = select.poll()
        self._readable.register(self._libpq.socket, select.POLLIN)
        self._transformers: dict[bytes, abc.Transformer] = {}

    def limit_statements(self) -> None:
        """Let the server give up as well: one that waits for a lock would not see us leave.

        For the connection, since there are no transactions; a pooler would hand the limit on to
        others, and has limits of its own.
        """
        milliseconds = int(self._seconds * 1000)
        self._libpq.send_query(f"SET statement_timeout = {milliseconds}".encode())
        self._receive(ExecStatus.COMMAND_OK)

    def find(self, name: str, values: Mapping[str, Any]) -> Row | None:
        """Give the first row of the named statement. Raises the driver's errors."""
        statement = self._statements[name]
        given = {**statement.fixed, **values}
        for one, convert in statement.converters:
            given[one] = convert(given[one])
        parameters = [_dump(given[one]) for one in statement.order]
        if self._prepares:
            self._prepare(statement)
            self._libpq.send_query_prepared(
                statement.name, parameters, statement.formats, Format.BINARY
            )
        else:
            self._libpq.send_query_params(
                statement.sql, parameters, None, statement.formats, Format.BINARY
            )
        result = self._receive(ExecStatus.TUPLES_OK)
        if not result.ntuples:
            return None
        row: Row = self._transformer_of(statement, result).load_row(0, tuple)
        return row

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _transformer_of(self, statement: Prepared, result: PGresult) -> abc.Transformer:
        # To choose loaders by the columns' types costs more than to load.
        known = self._transformers.get(statement.name)
        if known is not None:
            known.set_pgresult(result, set_loaders=False)
            return known
        transformer: abc.Transformer = Transformer.from_context(self._connection)
        transformer.set_pgresult(result)
        self._transformers[statement.name] = transformer
        return transformer

    def _prepare(self, statement: Prepared) -> None:
        if statement.name not in self._known:
            self._libpq.send_prepare(statement.name, statement.sql)
            self._receive(ExecStatus.COMMAND_OK)
            self._known.add(statement.name)

    def _receive(self, expected: ExecStatus) -> PGresult:
        give_up_at = time.monotonic() + self._seconds
        received: PGresult | None = None
        while True:
            while self._libpq.is_busy():
                left = give_up_at - time.monotonic()
                if left <= 0 or not self._readable.poll(left * 1000):
                    raise DatabaseUnavailable(
                        reason=f"the server gave no answer in {self._seconds:g} seconds"
                    )
                self._libpq.consume_input()
            result = self._libpq.get_result()
            if result is None:
                break
            received = result
        if received is None:
            message = "the server closed the connection"
            raise psycopg.OperationalError(message)
        if received.status != expected:
            message = received.get_error_message()
            if received.error_field(DiagnosticField.SQLSTATE) == _TOOK_TOO_LONG:
                raise DatabaseUnavailable(reason=message)
            raise psycopg.OperationalError(message)
        return received


def _dump(value: Any) -> bytes | None:  # noqa: ANN401 - a parameter of a statement
    if value is None or isinstance(value, bytes):
        return value
    return (value.isoformat() if isinstance(value, datetime) else str(value)).encode()


def _format(column_type: TypeEngine[Any]) -> Format:
    return Format.BINARY if isinstance(column_type, LargeBinary) else Format.TEXT
