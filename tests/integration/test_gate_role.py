"""The role that docs/session-gate.md gives the gate on PostgreSQL is enough, and no more."""

import re
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import psycopg
import pytest
from flask import Flask
from psycopg import errors, sql
from sqlalchemy import make_url, select, update

from app import clock, create_gate, last_seen
from app.config import Settings
from app.models import Base, UserSession
from tests.support.gate_asking import CHECK, GONE, GRANTED, NOT_ALLOWED, TOLD, WHO, Asked
from tests.support.gate_cast import Cast, assemble
from tests.support.servers import ROOT
from tests.support.units import run_unit

pytestmark = [
    pytest.mark.usefixtures("engine_name"),
    pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True),
]

ROLE = "openbadges_gate"
PATIENCE_SECONDS = 5
READABLE = {"users", "user_sessions", "applications", "alembic_version", "schema_floor"}
MAY_CHANGE = {"last_seen_at", "idle_expires_at"}
MINUTE = timedelta(minutes=1)


def documented_grants() -> list[str]:
    """Give the statements of the page."""
    page = (ROOT / "docs" / "session-gate.md").read_text()
    (block,) = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    return [one.strip() for one in block.split(";") if one.strip()]


@dataclass(frozen=True, kw_only=True)
class Lesser:
    """The database as the gate's role sees it."""

    app: Flask
    cast: Cast
    settings: Settings
    url: str


@pytest.fixture
def lesser(make_app: Callable[..., Flask]) -> Iterator[Lesser]:
    app = make_app()
    settings: Settings = app.extensions["openbadges"]
    owner = make_url(settings.database.url).set(drivername="postgresql")
    # Roles belong to the server, which other tests use as well.
    role, password = f"{ROLE}_{secrets.token_hex(4)}", secrets.token_hex(8)
    with psycopg.connect(
        owner.render_as_string(hide_password=False), autocommit=True
    ) as connection:
        for statement in documented_grants():
            assert ROLE in statement
            named = statement.replace(ROLE, role).replace("…", password)
            connection.execute(named)
        mine = make_url(settings.database.url).set(username=role, password=password)
        url = mine.render_as_string(hide_password=False)
        try:
            yield Lesser(
                app=app,
                cast=assemble(app),
                settings=replace(settings, database=replace(settings.database, url=url)),
                url=mine.set(drivername="postgresql").render_as_string(hide_password=False),
            )
        finally:
            connection.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(role)))
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


@pytest.fixture
def asked(lesser: Lesser, monkeypatch: pytest.MonkeyPatch) -> Iterator[Asked]:
    monkeypatch.setattr(last_seen, "GATHER_SECONDS", 0.05)
    gate = create_gate(lesser.settings)
    try:
        yield Asked(gate)
    finally:
        gate.checks.close()


def test_the_role_is_enough_for_every_check(asked: Asked, lesser: Lesser) -> None:
    tokens = lesser.cast.tokens

    assert asked.said(tokens["member"]) == GRANTED
    assert asked.said(tokens["member"], WHO) == TOLD
    assert asked.said(tokens["member"], f"{CHECK}?app=notes&role=user&group=ops") == GRANTED
    assert asked.said(tokens["vault child"], f"{CHECK}?app=vault") == GRANTED
    assert asked.said(tokens["member"], f"{CHECK}?role=admin") == NOT_ALLOWED
    assert asked.said(tokens["disabled"]) == GONE
    to_sign_in = asked.reply(None, f"{CHECK}?app=wiki&redirect=1", Accept="text/html")
    assert to_sign_in.status == 303
    assert asked.gate.failures == 0


def ends(lesser: Lesser, whose: str) -> tuple[datetime, datetime]:
    query = select(UserSession.last_seen_at, UserSession.idle_expires_at).where(
        UserSession.id == lesser.cast.session_ids[whose]
    )
    row = run_unit(lesser.app, lambda session: session.execute(query).one(), writes=False)
    return row[0], row[1]


def test_the_role_is_enough_to_write_that_a_session_is_in_use(asked: Asked, lesser: Lesser) -> None:
    long_ago = clock.now() - 2 * MINUTE
    mine = UserSession.id == lesser.cast.session_ids["member"]
    back = update(UserSession).where(mine).values(last_seen_at=long_ago)
    run_unit(lesser.app, lambda session: session.execute(back))

    assert asked.said(lesser.cast.tokens["wiki child"], f"{CHECK}?app=wiki") == GRANTED

    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while ends(lesser, "member")[0] == long_ago:
        assert time.monotonic() < give_up_at
        time.sleep(0.02)


def test_the_role_is_enough_to_end_what_is_over(asked: Asked, lesser: Lesser) -> None:
    assert asked.said(lesser.cast.tokens["expired"]) == GONE

    assert ends(lesser, "expired")[1].year == 1970


def test_the_role_may_do_nothing_else(lesser: Lesser) -> None:
    tables = {table.name: table for table in Base.metadata.sorted_tables}
    with psycopg.connect(lesser.url, autocommit=True) as connection:
        for name in READABLE:
            connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(name)))
        for name, table in tables.items():
            for column in table.columns:
                if name == "user_sessions" and column.name in MAY_CHANGE:
                    continue
                change = sql.SQL("UPDATE {} SET {} = NULL").format(
                    sql.Identifier(name), sql.Identifier(column.name)
                )
                with pytest.raises(errors.InsufficientPrivilege):
                    connection.execute(change)
            for forbidden in ("INSERT INTO {} DEFAULT VALUES", "DELETE FROM {}", "TRUNCATE {}"):
                with pytest.raises(errors.InsufficientPrivilege):
                    connection.execute(sql.SQL(forbidden).format(sql.Identifier(name)))
            if name not in READABLE:
                with pytest.raises(errors.InsufficientPrivilege):
                    connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(name)))
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute("CREATE TABLE mine (id integer)")
