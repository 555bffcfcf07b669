"""What a journal allows the database to hold, compared with what it holds.

What was acknowledged is there, what was refused is not, and what had no answer was carried out
whole or not at all; there is nothing that nobody asked for.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from random import Random

from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.engine import Connection

from app.models import (
    Credential,
    Invitation,
    RecoveryCode,
    RemovedCredential,
    User,
    UserSession,
)
from app.services.tokens import hash_secret
from tests.support.clients import Browser
from tests.support.effects import UNKNOWN, Rows, carry_out, removal
from tests.support.journal import ACKNOWLEDGED, ASKED, Journal, Promise
from tests.support.people import hand_over, refusal
from tests.support.units import engine_of

Fact = tuple[str, ...]
_SETTLED_SECONDS = 10


@dataclass(frozen=True)
class Allowed:
    """What may be there of one person: one or the other."""

    before: Rows
    after: Rows


def findings(app: Flask, journal: Journal) -> list[str]:
    """Give what contradicts the journal, a sentence each."""
    lines = journal.lines()
    allowed = {
        email: _allowed(line for line in lines if line["email"] == email)
        for email in dict.fromkeys(line["email"] for line in lines)
    }
    with engine_of(app).connect() as connection:
        held = _held(connection, lines)
    found = [f"nobody's: {fact}" for fact in held.pop(None, Counter())]
    found += [f"nobody asked for {email}" for email in held.keys() - allowed.keys()]
    for email, one in allowed.items():
        rows = held.get(email, Counter())
        if rows != one.before and _masked(rows, one) != one.after:
            found.append(f"{email}: {_difference(rows, one)}")
    return found


def live_sessions(journal: Journal) -> dict[str, bool]:
    """Give every token that the service told and whether it must be good; leaves doubts out."""
    tokens: dict[str, bool] = {}
    lines = journal.lines()
    for email in dict.fromkeys(line["email"] for line in lines):
        own = [line for line in lines if line["email"] == email]
        one = _allowed(own)
        if one.before == one.after:
            hashes = {fact[2] for fact in one.before if fact[0] == "session"}
            told = {line["token"] for line in own if "token" in line and "session" in line}
            tokens |= {token: hash_secret(token).hex() in hashes for token in told}
    return tokens


def broken_sessions(
    new_browser: Callable[[], Browser], journal: Journal, *, most: int
) -> list[str]:
    """Ask with some of the tokens that were told; give what is not as promised of them."""
    tokens = live_sessions(journal)
    asked = Random(most).sample(sorted(tokens), min(len(tokens), most))  # noqa: S311
    assert {tokens[one] for one in asked} == {True, False}, "no session ended, or none is left"
    found = []
    for token in asked:
        answer = hand_over(new_browser(), token).get("/api/auth/session")
        code = None if answer.status_code == HTTPStatus.OK else refusal(answer)[1]
        # What a recovery code opened is good for one thing alone.
        if code not in ({None, "enrolment_only"} if tokens[token] else {"not_signed_in"}):
            found.append(f"a session is {'' if tokens[token] else 'not '}good, but: {code}")
    return found


def settled(app: Flask) -> None:
    """Wait until PostgreSQL has noticed that whoever began something is gone."""
    busy = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND state <> 'idle' AND backend_type = 'client backend'"
    )
    with engine_of(app).connect() as connection:
        is_sqlite = connection.dialect.name == "sqlite"
        give_up_at = time.monotonic() + _SETTLED_SECONDS
        while not is_sqlite and connection.scalar(busy):
            assert time.monotonic() < give_up_at, "somebody is still at it"
            time.sleep(0.02)
            # A transaction sees the same activity for as long as it lasts.
            connection.rollback()


def broken_files(app: Flask) -> list[str]:
    """Give what SQLite itself finds wrong with its file."""
    with engine_of(app).connect() as connection:
        if connection.dialect.name != "sqlite":
            return []
        checked = [*connection.scalars(text("PRAGMA integrity_check"))]
        return [one for one in checked if one != "ok"] + [
            f"a row of {table} refers to nothing in {other}"
            for table, _, other, _ in connection.execute(text("PRAGMA foreign_key_check"))
        ]


def _allowed(lines: Iterable[Promise]) -> Allowed:
    rows: Rows = Counter()
    asked: Promise | None = None
    for line in lines:
        asked = line if line["outcome"] == ASKED else None
        if line["outcome"] == ACKNOWLEDGED:
            rows = carry_out(rows, line)
    return Allowed(rows, rows if asked is None else carry_out(rows, asked))


def _masked(rows: Rows, allowed: Allowed) -> Rows:
    known = {word for fact in allowed.before + allowed.after for word in fact}
    masked: Rows = Counter()
    for fact, number in rows.items():
        masked[tuple(word if word in known else UNKNOWN for word in fact)] += number
    return masked


def _difference(rows: Rows, allowed: Allowed) -> str:
    more, less = rows - allowed.before, allowed.before - rows
    told = f"holds {sorted(more)} and lacks {sorted(less)}"
    if allowed.before == allowed.after:
        return told
    return f"{told}; carried out, it would hold {sorted(allowed.after - allowed.before)}"


def _held(connection: Connection, lines: Sequence[Promise]) -> dict[str | None, Rows]:
    """Give what there is of each person, by address; by None what is nobody's."""
    held: dict[str | None, Rows] = {}
    for email, fact in _facts(connection, lines):
        held.setdefault(email, Counter())[fact] += 1
    return held


def _facts(connection: Connection, lines: Sequence[Promise]) -> Iterator[tuple[str | None, Fact]]:
    people = {row.id: row.email for row in connection.execute(select(User.id, User.email))}
    yield from ((email, ("account",)) for email in people.values())
    passkeys = select(Credential.user_id, Credential.credential_id, Credential.name)
    for owner, credential_id, name in connection.execute(passkeys):
        yield people.get(owner), ("passkey", credential_id.hex(), name)
    sessions = select(
        UserSession.user_id, UserSession.id, UserSession.token_hash, UserSession.purpose
    )
    for owner, id_, token_hash, purpose in connection.execute(sessions):
        yield people.get(owner), ("session", id_, token_hash.hex(), purpose)
    codes = select(RecoveryCode.user_id, RecoveryCode.code_hash, RecoveryCode.used_at)
    for owner, code_hash, used_at in connection.execute(codes):
        yield people.get(owner), ("code", code_hash.hex(), "used" if used_at else "unused")
    invitations = select(Invitation.email_canonical, Invitation.token_hash)
    for email, token_hash in connection.execute(invitations):
        yield email, ("invitation", token_hash.hex())
    owners = {removal(one["passkey"]): one["email"] for one in lines if "passkey" in one}
    for hash_ in connection.scalars(select(RemovedCredential.hash)):
        yield owners.get(hash_.hex()), ("removed", hash_.hex())
