"""The query log: a line per statement with its parameters, duration and row count.

Values that must not be read in a log are masked: every byte string (hashes, keys, handles) and
every text that looks like a token, a recovery code or a sealed value of ours.
"""

import re
import time
from collections.abc import Mapping
from typing import Any

import structlog
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine, ExecutionContext
from sqlalchemy.engine.cursor import FullyBufferedCursorFetchStrategy
from sqlalchemy.engine.interfaces import DBAPICursor, ExecuteStyle

_log = structlog.get_logger("app.query")
_SECRET_TEXT = re.compile(
    r"ob[a-z]_[A-Za-z0-9_-]{20,}|v1\.[A-Za-z0-9_-]+\.|(?:[0-9A-Z]{5}-){4}[0-9A-Z]{5}"
)
_LONGEST_VALUE = 200


def attach(engine: Engine, *, slower_than_ms: int) -> None:
    """Log each statement of ``engine`` that takes at least ``slower_than_ms`` milliseconds."""

    def start(
        _connection: Connection,
        _cursor: DBAPICursor,
        _statement: str,
        _parameters: object,
        context: ExecutionContext,
        _many: bool,  # noqa: FBT001 - SQLAlchemy's signature
    ) -> None:
        context.query_started = time.perf_counter()  # type: ignore[attr-defined]

    def finish(
        _connection: Connection,
        cursor: DBAPICursor,
        statement: str,
        parameters: object,
        context: ExecutionContext,
        _many: bool,  # noqa: FBT001 - SQLAlchemy's signature
    ) -> None:
        started: float = context.query_started  # type: ignore[attr-defined]
        rows = _count_rows(cursor, context)
        milliseconds = (time.perf_counter() - started) * 1000
        if milliseconds >= slower_than_ms:
            _log.info(
                "query",
                sql=" ".join(statement.split()),
                parameters=mask(parameters),
                duration_ms=round(milliseconds, 3),
                rows=rows,
            )

    event.listen(engine, "before_cursor_execute", start)
    event.listen(engine, "after_cursor_execute", finish)


def _count_rows(cursor: DBAPICursor, context: ExecutionContext) -> int | None:
    """Count the rows found or changed; None where the driver cannot tell.

    SQLite finds a row when it is fetched. So all of them are fetched here, to be counted and timed,
    and kept for whoever asked for them.
    """
    if context.dialect.name != "sqlite" or cursor.description is None:
        return cursor.rowcount if cursor.rowcount >= 0 else None
    if context.execute_style is ExecuteStyle.INSERTMANYVALUES:
        # SQLAlchemy fetches these itself, from the cursor.
        return None
    found = cursor.fetchall()
    context.cursor_fetch_strategy = FullyBufferedCursorFetchStrategy(  # type: ignore[attr-defined]
        cursor, initial_buffer=found
    )
    return len(found)


def mask(value: Any) -> Any:  # noqa: ANN401 - a driver's parameters are of any type
    """Make parameters fit to be read: secrets masked, long values cut."""
    # psycopg wraps bytes and JSON in objects that print a part of what they hold.
    wrapped = getattr(value, "obj", None)
    if isinstance(wrapped, dict | list):
        return "<JSON>"
    value = value if wrapped is None else wrapped
    if isinstance(value, Mapping):
        return {str(name): mask(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [mask(one) for one in value]
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    if value is None or isinstance(value, bool | int | float):
        return value
    return _mask_text(str(value))


def _mask_text(text: str) -> str:
    if _SECRET_TEXT.search(text):
        return "<masked>"
    if text.startswith(("{", "[")):
        # A document, such as a challenge's payload with its user handle.
        return "<JSON>"
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"
