"""The bytes of a database as somebody finds them who has a copy of it and nothing else."""

from pathlib import Path

import psycopg
from psycopg import sql

from tests.support.servers import Server


def raw_database(server: Server) -> bytes:
    """Give everything that the service's database holds.

    That is SQLite's file with its write-ahead log, or each row of each of PostgreSQL's tables as
    text, in which bytes are written as hexadecimal digits.
    """
    if path := server.environment.get("SQLITE_FILE"):
        files = sorted(Path(path).parent.glob(f"{Path(path).name}*"))
        return b"".join(file.read_bytes() for file in files)
    with psycopg.connect(server.environment["DATABASE_URL"]) as connection:
        names = connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        ).fetchall()
        rows = [
            row
            for (name,) in names
            for (row,) in connection.execute(
                sql.SQL("SELECT one::text FROM {} AS one").format(sql.Identifier(name))
            )
        ]
    return "\n".join(rows).encode()
