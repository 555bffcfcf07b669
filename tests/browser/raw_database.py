"""The bytes of a database as somebody finds them who has a copy of it and nothing else."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
from psycopg import sql

from tests.support.servers import Server

_BASE64URL = re.compile(r"[A-Za-z0-9_-]+")


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


def is_found(secret: str, content: bytes) -> bool:
    """Tell whether the content holds a secret, as it is written or as the bytes that it means."""
    return any(form in content for form in _forms(secret))


def _forms(secret: str) -> Iterator[bytes]:
    for text in (secret, secret.replace("-", ""), secret.lower(), secret.lower().replace("-", "")):
        yield from _written(text.encode())
    # Tokens are base64url of random bytes, some behind a prefix that names their kind.
    digits = secret.removeprefix("obs_")
    if _BASE64URL.fullmatch(digits) and len(digits) % 4 != 1:
        yield from _written(base64.urlsafe_b64decode(digits + "=" * (-len(digits) % 4)))


def _written(value: bytes) -> Iterator[bytes]:
    yield value
    yield value.hex().encode()
