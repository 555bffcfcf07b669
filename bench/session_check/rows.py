"""Many rows into a table, fast, on either engine."""

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

Row = Sequence[Any]


def fill_sqlite(file: Path, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Insert the rows in one transaction; leaves the file in WAL mode, as servers keep it."""
    names = ", ".join(f'"{column}"' for column in columns)
    marks = ", ".join("?" for _ in columns)
    statement = f'INSERT INTO "{table}" ({names}) VALUES ({marks})'  # noqa: S608 - names of ours
    connection = sqlite3.connect(file, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -2000000")
        connection.execute("BEGIN")
        connection.executemany(statement, rows)
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL")
    finally:
        connection.close()


def fill_postgresql(url: str, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Copy the rows in one transaction, then let the planner know them."""
    name = sql.Identifier(table)
    names = sql.SQL(", ").join(sql.Identifier(column) for column in columns)
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(name, names)
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        with cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
        connection.commit()
        connection.autocommit = True
        cursor.execute(sql.SQL("VACUUM ANALYZE {}").format(name))
