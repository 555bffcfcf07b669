"""The query log: what it says of each query, what it never says, and when it is silent.

DB-25, A14.
"""

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.orm import Session

from app.config import LogSettings, Settings
from app.models import RecoveryCode, RemovedCredential, User, UserSession
from app.services.tokens import hash_code, hash_secret, new_code, new_session_token
from tests.support.clients import InProcessBrowser
from tests.support.rows import NOON, a_recovery_code, a_session, a_user, an_identity
from tests.support.units import application, run_unit

Line = dict[str, Any]
Lines = Callable[[], list[Line]]


@pytest.fixture(autouse=True)
def usual_logging() -> Iterator[None]:
    """Put back the log that the tests have; every application replaces it."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)


@pytest.fixture
def production_log(app: Flask, settings: Settings) -> Settings:
    return replace(settings, log=LogSettings(level="INFO", format="json"))


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    """Give the queries logged since it was last asked."""

    def read() -> list[Line]:
        written = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
        return [line for line in written if line["event"] == "query"]

    return read


def add_people(session: Session) -> None:
    session.add_all([a_user(name="Ada"), a_user(name="Grace"), a_user(name="Alan")])
    session.flush()


def test_a_query_is_one_line_with_its_sql_parameters_rows_and_duration(
    production_log: Settings, lines: Lines
) -> None:
    query = select(User.name).where(User.name.in_(["Ada", "Grace"])).order_by(User.name)
    with application(production_log, log_queries=True) as app:
        run_unit(app, add_people)
        lines()
        found = run_unit(app, lambda session: session.scalars(query).all(), writes=False)

    (line,) = lines()
    assert found == ["Ada", "Grace"]
    assert line["sql"].startswith("SELECT users.name FROM users WHERE users.name IN (")
    assert "Ada" not in line["sql"]
    shown = line["parameters"]
    assert sorted(shown.values() if isinstance(shown, dict) else shown) == ["Ada", "Grace"]
    assert line["rows"] == 2
    assert 0 < line["duration_ms"] < 5000


ADD = insert(RemovedCredential).values(hash=b"hash", removed_at=NOON)
STATEMENTS: dict[str, tuple[Any, int]] = {
    "select": (select(User), 3),
    "select_nothing": (select(User).where(User.name == "nobody"), 0),
    "count": (select(func.count()).select_from(User), 1),
    "insert": (ADD, 1),
    "insert_returning": (ADD.returning(RemovedCredential.hash), 1),
    "update": (update(User).values(locale="de"), 3),
    "update_returning": (update(User).values(locale="de").returning(User.name), 3),
    "delete": (delete(User).where(User.name != "Ada"), 2),
    "delete_returning": (delete(User).where(User.name != "Ada").returning(User.id), 2),
}


@pytest.mark.parametrize("kind", STATEMENTS)
def test_the_rows_are_counted_and_nobody_loses_them(
    production_log: Settings, lines: Lines, kind: str
) -> None:
    statement, rows = STATEMENTS[kind]

    def unit(session: Session) -> int | None:
        result = session.connection().execute(statement)
        return len(result.all()) if result.returns_rows else None

    with application(production_log, log_queries=True) as app:
        run_unit(app, add_people)
        lines()
        given = run_unit(app, unit)

    assert [line["rows"] for line in lines()] == [rows]
    assert given in {rows, None}


def test_nobody_loses_the_rows_of_an_insert_of_many(production_log: Settings) -> None:
    many = [{"hash": bytes([number]), "removed_at": NOON} for number in range(3)]
    returning = insert(RemovedCredential).returning(RemovedCredential.hash)

    with application(production_log, log_queries=True) as app:
        hashes = run_unit(app, lambda session: session.scalars(returning, many).all())

    assert sorted(hashes) == [b"\0", b"\1", b"\2"]


def test_a_query_within_a_request_carries_the_requests_id(
    production_log: Settings, lines: Lines
) -> None:
    with application(production_log, log_queries=True) as app:
        answer = InProcessBrowser(app, app.response_class).get("/readyz")

    written = lines()
    assert written
    assert {line["request_id"] for line in written} == {answer.headers["X-Request-Id"]}


def test_nothing_is_logged_unless_it_is_asked_for(production_log: Settings, lines: Lines) -> None:
    with application(production_log) as app:
        run_unit(app, add_people)
        assert lines() == []

    with application(production_log, log_queries=True) as app:
        run_unit(app, lambda session: session.scalars(select(User)).all())
        assert lines() != []


def test_only_the_slow_are_logged_where_that_is_asked_for(
    production_log: Settings, lines: Lines, engine_name: str
) -> None:
    slow = {
        "postgresql": text("SELECT pg_sleep(0.2)"),
        "sqlite": text(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000)"
            " SELECT max(i) FROM n"
        ),
    }[engine_name]
    with application(production_log, slow_query_ms=100) as app:
        run_unit(app, lambda session: session.scalar(text("SELECT 1")))
        assert lines() == []
        run_unit(app, lambda session: session.scalar(slow))

    (line,) = lines()
    assert line["sql"] == slow.text
    assert line["duration_ms"] >= 100


def test_secrets_among_the_parameters_cannot_be_read(
    production_log: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    token, code, sealed = new_session_token(), new_code(), "v1.k1.bm9uY2U.Y2lwaGVydGV4dA"
    hashes = [hash_secret(token), hash_code(code)]

    def unit(session: Session) -> None:
        user = a_user(name="Ada")
        session.add(user)
        session.flush()
        identity = an_identity(user)
        identity.access_token = sealed
        session.add_all([a_session(user, token_hash=hashes[0]), identity])
        session.add(a_recovery_code(user, code_hash=hashes[1]))
        session.flush()
        session.scalars(select(UserSession).where(UserSession.token_hash == hashes[0])).one()
        session.scalars(select(RecoveryCode).where(RecoveryCode.code_hash == hashes[1])).one()
        # By mistake: where a hash or a sealed value belongs.
        for secret in (token, code, sealed):
            session.scalars(select(User).where(User.name == secret)).all()
        user.profile = {"note": token}
        session.flush()

    with application(production_log, log_queries=True) as app:
        run_unit(app, unit)

    written = capsys.readouterr().err
    assert "Ada" in written
    assert "<32 bytes>" in written
    assert "<masked>" in written
    for secret in (token, code, sealed):
        assert secret[4:16] not in written
    for hash_ in hashes:
        # As Python or PostgreSQL would print its first bytes.
        assert repr(hash_)[2:10] not in written
        assert hash_.hex()[:12] not in written
