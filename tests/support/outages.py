"""A database that goes away and comes back, on either engine."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from flask import Flask
from psycopg import sql
from sqlalchemy import URL

from app.extensions import db
from tests.support.units import give_up_connections


@contextmanager
def database_away(app: Flask) -> Iterator[None]:
    """Keep the application's database out of reach for as long as the block runs."""
    with app.app_context():
        engine = db.engine
    if engine.dialect.name == "sqlite":
        give_up_connections(app)  # an open file stays readable, whatever its name
        with _moved_away(Path(str(engine.url.database))):
            yield
    else:
        with _refusing_connections(engine.url):
            yield


@contextmanager
def _moved_away(file: Path) -> Iterator[None]:
    elsewhere = file.with_suffix(".away")
    file.rename(elsewhere)
    file.mkdir()
    try:
        yield
    finally:
        file.rmdir()
        elsewhere.rename(file)


@contextmanager
def _refusing_connections(url: URL) -> Iterator[None]:
    database = sql.Identifier(str(url.database))
    away = sql.Identifier(f"{url.database}_away")
    rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
    server = url.set(drivername="postgresql", database="postgres")
    address = server.render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(end, [url.database])
        connection.execute(rename.format(database, away))
        try:
            yield
        finally:
            connection.execute(rename.format(away, database))
