"""Better Auth's tables, made by its own migrations and filled in bulk, and the cookies it sets."""

import hashlib
import hmac
import json
import os
import subprocess
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from bench.session_check.folders import ORIGIN, PEERS, SECRET
from bench.session_check.installs import node
from bench.session_check.population import Population, SeededSession
from bench.session_check.rows import Row, fill_postgresql, fill_sqlite
from bench.session_check.seed_task import SeedTask, write_questions

_USER = ("id", "name", "email", "emailVerified", "createdAt", "updatedAt")
_SESSION = (
    "id",
    "expiresAt",
    "token",
    "createdAt",
    "updatedAt",
    "ipAddress",
    "userAgent",
    "userId",
)
_USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def seed_sqlite(task: SeedTask) -> None:
    _make_tables(str(task.database))
    fill_sqlite(task.database, "user", _USER, _people(task.population, verified=1))
    fill_sqlite(task.database, "session", _SESSION, _sessions(task.population))
    write_questions(task, _signed_cookie)


def seed_postgresql(task: SeedTask, url: str) -> None:
    _make_tables(url)
    fill_postgresql(url, "user", _USER, _people(task.population, verified=True))
    fill_postgresql(url, "session", _SESSION, _sessions(task.population))
    write_questions(task, _signed_cookie)


def write_cached_questions(task: SeedTask) -> None:
    """Write the questions for the cookie cache: the refused ones have a wrong signature."""

    def good(session: SeededSession) -> str:
        return f"{_signed_cookie(session)}; {_cached_cookie(session, task.population)}"

    def refused(session: SeededSession) -> str:
        return f"__Secure-better-auth.session_token={session.token}.{'A' * 43}%3D"

    write_questions(task, good, refused)


def environment(database: str) -> Mapping[str, str]:
    """Give the variables that its programs read."""
    return {
        "PATH": os.environ["PATH"],
        "NODE_ENV": "production",
        "BENCH_DATABASE": database,
        "BENCH_SECRET": SECRET,
        "BENCH_ORIGIN": ORIGIN,
    }


def _make_tables(database: str) -> None:
    subprocess.run(  # noqa: S603 - the peer's own program
        [node(), "schema.mjs"],
        cwd=PEERS / "node" / "better_auth",
        env=environment(database),
        check=True,
        stdout=subprocess.DEVNULL,
    )


def _people(population: Population, *, verified: object) -> Iterator[Row]:
    made = _moment(population.seeded_at)
    for one in population.list_people():
        yield one.id, one.name, one.email, verified, made, made


def _sessions(population: Population) -> Iterator[Row]:
    made = _moment(population.seeded_at)
    people = [person.id for person in population.list_people()]
    ends = _moment(population.expires_at)
    for one in population.list_sessions():
        person = people[one.person.number]
        yield one.id, ends, one.token, made, made, "192.0.2.1", _USER_AGENT, person


def _signed_cookie(session: SeededSession) -> str:
    signature = b64encode(_hmac(session.token)).decode()
    value = quote(f"{session.token}.{signature}", safe="!~*'()")
    return f"__Secure-better-auth.session_token={value}"


def _cached_cookie(session: SeededSession, population: Population) -> str:
    # The "compact" form, its default.
    made = _moment(population.seeded_at)
    person = session.person
    data = {
        "session": {
            "expiresAt": _moment(population.expires_at),
            "token": session.token,
            "createdAt": made,
            "updatedAt": made,
            "ipAddress": "192.0.2.1",
            "userAgent": _USER_AGENT,
            "userId": person.id,
            "id": session.id,
        },
        "user": {
            "name": person.name,
            "email": person.email,
            "emailVerified": True,
            "image": None,
            "createdAt": made,
            "updatedAt": made,
            "id": person.id,
        },
        "updatedAt": _milliseconds(population.seeded_at),
        "version": "1",
    }
    until = _milliseconds(population.seeded_at + timedelta(days=90))
    signature = urlsafe_b64encode(_hmac(_json({**data, "expiresAt": until}))).rstrip(b"=").decode()
    whole = _json({"session": data, "expiresAt": until, "signature": signature})
    value = urlsafe_b64encode(whole.encode()).rstrip(b"=").decode()
    return f"__Secure-better-auth.session_data={value}"


def _hmac(text: str) -> bytes:
    return hmac.digest(SECRET.encode(), text.encode(), hashlib.sha256)


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
