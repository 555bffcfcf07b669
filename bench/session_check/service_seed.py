"""This service's own tables: made by its migrations, filled in bulk."""

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from bench.session_check.folders import ROOT
from bench.session_check.population import Person, Population
from bench.session_check.rows import Row, fill_postgresql, fill_sqlite
from bench.session_check.seed_task import SeedTask, write_questions

_PERSON = (
    *("id", "email", "email_canonical", "email_verified_at", "name", "role", "groups"),
    *("webauthn_id", "profile", "created_at", "updated_at"),
)
_SESSION = (
    *("id", "user_id", "token_hash", "purpose", "authenticated_at", "authenticated_with"),
    *("created_at", "last_seen_at", "idle_seconds", "idle_expires_at", "expires_at", "device"),
    "address",
)
_IDLE_SECONDS = 180 * 86_400


def seed_sqlite(task: SeedTask) -> None:
    """Fill a new SQLite file, and write the questions."""
    _upgrade({"SQLITE_FILE": str(task.database)})
    people = _people(task.population, on_sqlite=True)
    sessions = _sessions(task.population, on_sqlite=True)
    fill_sqlite(task.database, "users", _PERSON, people)
    fill_sqlite(task.database, "user_sessions", _SESSION, sessions)
    write_service_questions(task)


def seed_postgresql(task: SeedTask, url: str) -> None:
    """Fill an empty PostgreSQL database, and write the questions."""
    _upgrade({"DATABASE_URL": url})
    people = _people(task.population, on_sqlite=False)
    sessions = _sessions(task.population, on_sqlite=False)
    fill_postgresql(url, "users", _PERSON, people)
    fill_postgresql(url, "user_sessions", _SESSION, sessions)
    write_service_questions(task)


def copy_unseen(file: Path, copy: Path) -> None:
    """Copy a seeded SQLite file into one whose sessions were last seen long ago."""
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    shutil.copyfile(file, copy)
    with sqlite3.connect(copy) as connection:
        connection.execute("UPDATE user_sessions SET last_seen_at = created_at")
    connection.close()


def switch_to_wal(file: Path) -> None:
    """Let readers of a SQLite file not wait for a writer; the file remembers it."""
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()


def write_service_questions(task: SeedTask) -> None:
    write_questions(task, lambda session: f"__Host-session=obs_{session.token}")


def _upgrade(database: dict[str, str]) -> None:
    command = [sys.executable, "-m", "flask", "--app", "app:create_command_app", "db", "upgrade"]
    environment = {"PATH": os.environ["PATH"], **database}
    subprocess.run(  # noqa: S603 - the project's own command
        command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL
    )


def _people(population: Population, *, on_sqlite: bool) -> Iterator[Row]:
    now = _moment(population.seeded_at, on_sqlite=on_sqlite)
    groups: object = json.dumps([]) if on_sqlite else []
    for one in population.list_people():
        handle = hashlib.sha512(one.id.encode()).digest()
        yield (
            one.id,
            one.email,
            one.email,
            now,
            one.name,
            _role(one),
            groups,
            handle,
            "{}",
            now,
            now,
        )


def _role(person: Person) -> str:
    return "user" if person.number else "admin"


def _sessions(population: Population, *, on_sqlite: bool) -> Iterator[Row]:
    # Seen in what is the future, so that no check of the run is the first of its minute.
    seen = _moment(population.seeded_at + timedelta(days=60), on_sqlite=on_sqlite)
    made = _moment(population.seeded_at - timedelta(days=3), on_sqlite=on_sqlite)
    people = [person.id for person in population.list_people()]
    ends = _moment(population.expires_at, on_sqlite=on_sqlite)
    for one in population.list_sessions():
        token_hash = hashlib.sha256(f"obs_{one.token}".encode()).digest()
        yield (
            *(one.id, people[one.person.number], token_hash, "full", made, "passkey", made, seen),
            *(_IDLE_SECONDS, ends, ends, "Firefox on Linux", "192.0.2.0/24"),
        )


def _moment(moment: datetime, *, on_sqlite: bool) -> object:
    # As app.database keeps it: UTC without its zone on SQLite.
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f") if on_sqlite else moment
