"""Where a secret could be left behind: the bytes of a database's files, and what processes show."""

import os
import re
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from tests.support.postgresql import PostgreSQL, postgresql_server

_OWNER = "planted"
_TEMPLATES = {("base", "1"), ("base", "4")}
# Not for production: with these its log holds every statement with its parameters.
_TALKATIVE = {
    "log_statement": "all",
    "log_connections": "on",
    "log_error_verbosity": "verbose",
    "log_min_error_statement": "info",
    "log_parameter_max_length": "-1",
    "log_parameter_max_length_on_error": "-1",
}
_EMPTY = re.compile(rb"\0{64,}")


@dataclass(frozen=True, kw_only=True)
class Storage:
    """A new database, and its files."""

    variables: Mapping[str, str]
    folder: Path
    password: str
    """Planted in DATABASE_URL; SQLite has none, and it is given to a boot that is refused."""
    superuser: str | None = None
    """The address at which PostgreSQL lets us do anything."""

    def files(self) -> bytes:
        """Give what is in all of its files, write-ahead log and free pages included."""
        files = self.folder.rglob("*")
        if self.superuser is None:
            return _content(files)
        return _content(
            file for file in files if file.name != "log" and not _is_template(file, self.folder)
        )

    def log(self) -> bytes:
        """Give what PostgreSQL has logged; SQLite logs nothing."""
        return b"" if self.superuser is None else (self.folder / "log").read_bytes()

    def checkpoint(self) -> None:
        """Have everything written to where it stays."""
        if self.superuser:
            with psycopg.connect(self.superuser, autocommit=True) as server:
                server.execute("CHECKPOINT")
        else:
            with closing(sqlite3.connect(self.variables["SQLITE_FILE"])) as file:
                file.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def processes(self) -> Iterator[int]:
        """Give PostgreSQL's processes."""
        if self.superuser:
            postmaster = int((self.folder / "postmaster.pid").read_text().split("\n")[0])
            yield postmaster
            children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text()
            yield from map(int, children.split())


@contextmanager
def sqlite_storage(folder: Path) -> Iterator[Storage]:
    """Give a SQLite file in a folder of its own."""
    (own := folder / "database").mkdir()
    variables = {"SQLITE_FILE": str(own / "planted.db")}
    yield Storage(variables=variables, folder=own, password=secrets.token_urlsafe(32))


@contextmanager
def postgresql_storage() -> Iterator[Storage]:
    """Give a database of a server of its own, which asks for a password and logs all it can."""
    with postgresql_server() as server:
        url = make_url(server.create_database())
        superuser = url.render_as_string(hide_password=False)
        password = secrets.token_urlsafe(32)
        for name, value in _TALKATIVE.items():
            setting = sql.SQL("ALTER SYSTEM SET {} = {}")
            server.execute(setting.format(sql.Identifier(name), sql.Literal(value)))
        folder = _make_owner(server, superuser, database=str(url.database), password=password)
        address = url.set(username=_OWNER, password=password)
        yield Storage(
            variables={"DATABASE_URL": address.render_as_string(hide_password=False)},
            folder=folder,
            password=password,
            superuser=superuser,
        )


def _make_owner(server: PostgreSQL, superuser: str, *, database: str, password: str) -> Path:
    """Make the role that the service signs in as; gives the server's folder."""
    owner, name = sql.Identifier(_OWNER), sql.Identifier(database)
    with psycopg.connect(superuser, autocommit=True) as connection:
        (folder,) = connection.execute("SHOW data_directory").fetchone() or ("",)
        # The server is told the verifier alone (RFC 5803): what it never had it cannot log.
        verifier = connection.pgconn.encrypt_password(
            password.encode(), _OWNER.encode(), b"scram-sha-256"
        )
    role = sql.SQL("CREATE ROLE {} LOGIN CREATEDB PASSWORD {}")
    server.execute(role.format(owner, sql.Literal(verifier.decode())))
    server.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(name, owner))
    rules = Path(folder) / "pg_hba.conf"
    rules.write_text(f"local all {_OWNER} scram-sha-256\n{rules.read_text()}")
    server.execute(sql.SQL("SELECT pg_reload_conf()"))
    return Path(folder)


def shown_by(process: int) -> bytes:
    """Give what every user of the machine can read of a process: its name and its arguments."""
    folder = Path(f"/proc/{process}")
    try:
        return b" ".join((folder / name).read_bytes() for name in ("comm", "cmdline"))
    except OSError:
        return b""  # it has just ended


def processes_of(session: int) -> Iterator[int]:
    """Give the processes that were started in one session, as a service and its workers are."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if os.getsid(int(folder.name)) == session:
                yield int(folder.name)
        except OSError:
            continue


def content_of(folder: Path) -> bytes:
    """Give what is in all files of a folder."""
    return _content(folder.rglob("*"))


def _content(files: Iterable[Path]) -> bytes:
    # What was never written is left out: most of PostgreSQL's files are made in advance.
    return b"\n".join(_EMPTY.sub(b"\0", _read(file)) for file in files if file.is_file())


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""  # made and removed by a server at work


def _is_template(file: Path, folder: Path) -> bool:
    return file.relative_to(folder).parts[:2] in _TEMPLATES
