"""What goes wrong on the day: mistakes, killed workers, a database that fails, boots that do."""

import os
import random
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

from sqlalchemy import make_url, text

from app.database import WRITES
from app.extensions import db
from app.services.addresses import parse_address
from app.services.invitations import invite
from tests.support.clients import NoAnswerError
from tests.support.crowds import at_once
from tests.support.databases import delete_rows
from tests.support.outages import database_away
from tests.support.outsiders import to_sign_in
from tests.support.people import new_codes, post, token_of
from tests.support.planted_day import ADDRESSES, Day
from tests.support.planted_mistakes import mistakes, send, unreadable_requests
from tests.support.planted_secrets import Kind, NotingBrowser
from tests.support.provider_visits import parameters_of
from tests.support.servers import ROOT
from tests.support.units import engine_of, run_unit

_BOOT_SECONDS = 60


def make_mistakes(day: Day) -> None:
    """Send secrets that are good right now where they do not belong."""
    person = day.newcomer()
    strange = secrets.token_urlsafe(32)
    day.planted.plant(Kind.STRANGE, strange)
    good = [
        token_of(person.client),
        new_codes(person.client)[0],
        post(day.browser(), "/api/auth/authentication/options")["challenge"],
        parameters_of(to_sign_in(day.browser()))["state"],
        _invite(day),
        strange,
    ]
    made = [mistake for secret in good for mistake in mistakes(secret)]
    for mistake in made:
        browser = NotingBrowser(day.deployment.server.port, day.planted, use_cookies=False)
        answer = browser.open(mistake.path, method=mistake.method, **mistake.options)
        assert answer.status_code == mistake.status, (mistake, answer.status, answer.text)
    for secret in good:
        for request, beginning in unreadable_requests(secret):
            answered = send(day.deployment.server.port, request)
            assert answered[: len(beginning) or None] == beginning, (request, answered)
            found = day.planted.found_in(answered)
            day.planted.findings += [f"{kind} in the answer to {request!r}" for kind in found]
    assert person.client.get("/api/auth/session").status_code == 200


def _invite(day: Day) -> str:
    address = parse_address(next(ADDRESSES))
    invitation = run_unit(
        day.deployment.app, lambda session: invite(session, address=address, role="user")
    )
    day.planted.plant(Kind.INVITATION, invitation)
    return invitation


def storm(day: Day, rounds: int, seed: int) -> None:
    """Kill a worker while eight people sign up, as often as asked."""
    chance = random.Random(seed)  # noqa: S311 - the same every time
    for _ in range(rounds):
        victims = day.deployment.server.worker_pids()

        def kill(victim: int = chance.choice(victims)) -> None:
            os.kill(victim, signal.SIGKILL)

        at_once([*[lambda: _try(day.newcomer)] * 8, kill])
        day.look()


def _try(action: Callable[[], object]) -> None:
    with suppress(NoAnswerError, AssertionError):  # its worker was killed
        action()


def fail(day: Day) -> None:
    """Use good secrets while the database is wrong, or away: 500 and 503."""
    person = day.newcomer()
    code = new_codes(person.client)[0]

    def tell() -> set[int]:
        recovered = day.browser().post("/api/auth/recovery", json={"code": code})
        asked = [person.client.get(path) for path in ("/account", "/api/users/me")]
        return {recovered.status_code, *(answer.status_code for answer in asked)}

    rename = "ALTER TABLE recovery_codes RENAME COLUMN {} TO {}"
    with changed(day, rename.format("code_hash", "mislaid"), rename.format("mislaid", "code_hash")):
        met = tell()
    if day.storage.superuser:
        with database_away(day.deployment.app):
            met |= tell()
    else:
        spoil = "UPDATE users SET profile = '{}'"
        with changed(day, spoil.format("{"), spoil.format("{}")):
            met |= tell()
    assert met >= {500, 503}, met
    day.deployment.server.await_ready(10)
    assert person.client.get("/account").status_code == 200


@contextmanager
def changed(day: Day, there: str, back: str) -> Iterator[None]:
    """Change the database behind the service's back, and back at the end of the block."""
    engine = engine_of(day.deployment.app).execution_options(**{WRITES: True})
    with engine.begin() as connection:
        connection.execute(text(there))
    try:
        yield
    finally:
        with engine.begin() as connection:
            connection.execute(text(back))


def clear(day: Day) -> None:
    """Remove every row: what was in them stays on free pages until it is written over."""
    delete_rows(engine_of(day.deployment.app), db.metadata)


def boot_wrongly(day: Day) -> None:
    """Start with addresses of databases that cannot be reached; a password stands in each."""
    password = day.storage.password
    away = f"postgresql://planted:{password}@127.0.0.1:1/badges"
    odd = f"postgresql://planted:pass@{password}@127.0.0.1:1/badges"
    boots = [
        partial(_run, day, away, "flask", "config"),
        partial(_run, day, away, "gunicorn", "wsgi:app"),
        partial(_run, day, odd, "gunicorn", "wsgi:app"),
    ]
    if right := day.storage.variables.get("DATABASE_URL"):
        day.planted.plant(Kind.PASSWORD, other := secrets.token_urlsafe(32))
        wrong = make_url(right).set(password=other).render_as_string(hide_password=False)
        boots += [
            partial(_run, day, wrong, "gunicorn", "wsgi:app"),
            partial(_run, day, wrong, "flask", "db", "upgrade"),
        ]
    written = at_once(boots)
    assert all("database" in one.lower() for one in written), written
    assert "://planted:***@" in written[0]
    day.told += written


def _run(day: Day, address: str, *command: str) -> str:
    variables = {**day.deployment.server.environment, "DATABASE_URL": address}
    variables.pop("SQLITE_FILE", None)
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=_BOOT_SECONDS,
    )
    assert (done.returncode == 0) == ("config" in command), done.stderr
    return done.stdout + done.stderr
