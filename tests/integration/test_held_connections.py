"""Connections that the session gate holds: one statement a check, no writes, none kept for ever.

ASVS 13.1.2, 15.4.4, 16.5.3.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Select, literal, select, text

from app.config import Settings
from app.database import WRITES, unpooled_engine
from app.errors import DatabaseUnavailable
from app.held_connections import HeldConnections
from app.models import UserSession
from tests.support.gate_asking import AWAY, CHECK, GONE, GRANTED, TOLD, WHO, Asked, asked_gate
from tests.support.gate_cast import Cast, assemble
from tests.support.gate_wire import Wire, wire
from tests.support.outages import database_away
from tests.support.tables import contents
from tests.support.units import engine_of, side_by_side

KEEP_SECONDS = 1
SLACK_SECONDS = 2
UNKNOWN = "obs_" + "A" * 43
ALL_CHECKS = (CHECK, WHO, f"{CHECK}?app=notes", f"{CHECK}?role=user&group=staff")
on_sqlite = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)


@pytest.fixture
def cast(app: Flask) -> Cast:
    return assemble(app)


@pytest.fixture
def wired(tmp_path: Path) -> Iterator[Wire]:
    with wire(tmp_path) as made:
        yield made


@pytest.fixture
def asked(wired: Wire, settings: Settings) -> Iterator[Asked]:
    del wired  # begun before the gate
    with asked_gate(settings) as made:
        yield made


@pytest.mark.parametrize("target", ALL_CHECKS)
def test_a_check_is_one_statement_that_reads(
    app: Flask, cast: Cast, wired: Wire, asked: Asked, target: str
) -> None:
    before = contents(app)
    asked.said(cast.tokens["member"], target)

    wired.forget()
    assert asked.said(cast.tokens["member"], target) in {GRANTED, TOLD}
    (statement,) = wired.statements()
    assert statement.startswith("SELECT")
    wired.forget()
    assert asked.said(UNKNOWN, target) == GONE
    assert len(wired.statements()) == 1
    assert contents(app) == before


@pytest.mark.parametrize("target", ALL_CHECKS)
def test_who_brings_no_token_costs_no_statement(wired: Wire, asked: Asked, target: str) -> None:
    asked.said(UNKNOWN)
    wired.forget()

    assert asked.said(None, target) == GONE
    assert asked.gate.verify({"QUERY_STRING": "", "HTTP_COOKIE": "session=obs_"}) is not None
    assert wired.statements() == []


def test_nothing_is_opened_before_the_first_check(wired: Wire, settings: Settings) -> None:
    """The process may fork until then."""
    with asked_gate(settings) as asked:
        assert wired.statements() == []
        assert asked.said(UNKNOWN) == GONE
        assert wired.statements()


@pytest.mark.usefixtures("cast")
def test_a_connection_is_used_again_and_not_for_ever(wired: Wire, settings: Settings) -> None:
    with asked_gate(settings, pool_idle_seconds=KEEP_SECONDS) as asked:
        for _ in range(20):
            asked.said(UNKNOWN)
        assert wired.opened == 1

        time.sleep(KEEP_SECONDS + 0.1)
        assert asked.said(UNKNOWN) == GONE
        assert wired.opened == 2


def test_a_database_that_is_away_refuses_is_counted_and_comes_back(
    app: Flask, cast: Cast, asked: Asked
) -> None:
    tokens = [cast.tokens["member"], cast.tokens["disabled"], UNKNOWN]
    assert asked.said(tokens[0]) == GRANTED
    asked.gate.checks.close()

    with database_away(app):
        for target in ALL_CHECKS:
            assert [asked.said(token, target) for token in tokens] == [AWAY] * 3
        assert asked.reply(tokens[0]).header("retry-after") == "2"
        assert asked.gate.failures == 3 * len(ALL_CHECKS) + 1
        # Whoever brings nothing that could be good needs no database.
        assert asked.said(None) == GONE
        # Nor can anybody be led on then, since nobody knows where the application is.
        on_the_way = f"{CHECK}?app=notes&redirect=1"
        assert asked.said(tokens[0], on_the_way, Accept="text/html") == AWAY
        assert asked.said(None, on_the_way, Accept="text/html") == AWAY

    assert [asked.said(token) for token in tokens] == [GRANTED, GONE, GONE]
    assert asked.gate.failures == 3 * len(ALL_CHECKS) + 3


@on_sqlite
def test_a_file_that_cannot_be_read_refuses(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    app = make_app()
    cast, file = assemble(app), database_file(app)
    with asked_gate(app.extensions["openbadges"]) as asked:
        assert asked.said(cast.tokens["member"]) == GRANTED
        asked.gate.checks.close()
        engine_of(app).dispose()
        kept = tmp_path / "kept"
        file.rename(kept)
        file.write_bytes(b"This is no database." * 1000)

        assert asked.said(cast.tokens["member"]) == AWAY

        file.unlink()
        kept.rename(file)
        assert asked.said(cast.tokens["member"]) == GRANTED


def database_file(app: Flask) -> Path:
    return Path(str(engine_of(app).url.database))


@on_sqlite
def test_another_file_in_its_place_is_noticed_in_time(
    make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    """A backup that is put back; what it does not know of is over."""
    app = make_app()
    before, file = tmp_path / "backup", database_file(app)
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(before)) as target:
        source.backup(target)
    cast = assemble(app)
    engine_of(app).dispose()
    settings = app.extensions["openbadges"]
    with asked_gate(settings, pool_idle_seconds=KEEP_SECONDS) as asked:
        assert asked.said(cast.tokens["member"]) == GRANTED

        before.replace(file)
        replaced_at = time.monotonic()
        while asked.said(cast.tokens["member"]) == GRANTED:
            assert time.monotonic() - replaced_at < KEEP_SECONDS + SLACK_SECONDS
            time.sleep(0.05)
        assert asked.said(cast.tokens["member"]) == GONE
        assert asked.gate.failures == 0


CHANGES = {
    "sqlite": (
        "ALTER TABLE users ADD COLUMN later TEXT",
        "ALTER TABLE user_sessions ADD COLUMN later TEXT",
    ),
    "postgresql": (
        "ALTER TABLE users ADD COLUMN later text",
        "ALTER TABLE users ALTER COLUMN name TYPE varchar(400)",
        "ALTER TABLE user_sessions ALTER COLUMN authenticated_with TYPE varchar(100)",
        "ALTER TABLE applications ALTER COLUMN header_map TYPE json",
    ),
}
"""What a migration may do below a statement that is prepared."""


@pytest.mark.parametrize("prepare", [True, False], ids=["prepared", "not prepared"])
def test_a_migration_below_the_connection_fails_no_check(
    make_app: Callable[..., Flask],
    engine_name: str,
    prepare: bool,  # noqa: FBT001
) -> None:
    """PostgreSQL: "cached plan must not change result type"."""
    app = make_app()
    cast = assemble(app)
    with asked_gate(app.extensions["openbadges"], prepare=prepare) as asked:
        for statement in CHANGES[engine_name]:
            assert all(one in {GRANTED, TOLD} for one in everything_said(asked, cast))
            with engine_of(app).execution_options(**{WRITES: True}).begin() as connection:
                connection.execute(text(statement))
            assert all(one in {GRANTED, TOLD} for one in everything_said(asked, cast))
        assert asked.gate.failures == 0


def everything_said(asked: Asked, cast: Cast) -> list[tuple[int, str | None]]:
    vault = asked.said(cast.tokens["vault child"], f"{CHECK}?app=vault")
    return [vault, *(asked.said(cast.tokens["member"], target) for target in ALL_CHECKS)]


@on_sqlite
def test_a_held_connection_cannot_write(wired: Wire, settings: Settings) -> None:
    held = hold(settings, select(UserSession.id).where(UserSession.id == literal("x")))
    with closing(held):
        held.find("it", {})
        (connection,) = wired.connections
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            connection.execute("DELETE FROM users")


def hold(settings: Settings, statement: Select[Any], *, most: int = 1) -> HeldConnections:
    return HeldConnections(
        unpooled_engine(settings.database),
        {"it": statement},
        most=most,
        wait_seconds=1,
        keep_seconds=60,
    )


@on_postgresql
def test_whoever_finds_them_all_in_use_waits_and_is_refused_in_time(
    settings: Settings,
) -> None:
    """ASVS 13.1.2."""
    slow = hold(settings, select(text("pg_sleep(0.4)")))
    answered: list[float] = []

    def ask() -> None:
        began = time.monotonic()
        try:
            slow.find("it", {})
        except DatabaseUnavailable:
            answered.append(-(time.monotonic() - began))
        else:
            answered.append(time.monotonic() - began)

    with closing(slow):
        side_by_side([ask] * 6)

    served = [seconds for seconds in answered if seconds > 0]
    refused = [-seconds for seconds in answered if seconds < 0]
    assert len(served) >= 2
    assert refused
    assert max(refused) < 1 + SLACK_SECONDS
    slow.close()


@on_postgresql
def test_who_gave_up_leaves_nobody_waiting_on_the_server(
    app: Flask, settings: Settings, cast: Cast
) -> None:
    """A migration may lock a table for a minute, and a server takes a hundred connections."""
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    token, engine = cast.tokens["member"], engine_of(app)
    with asked_gate(settings) as asked, engine.connect() as locker, engine.connect() as looker:
        assert asked.said(token) == GRANTED
        locker.execution_options(**{WRITES: True}).execute(text("LOCK TABLE user_sessions"))

        assert [asked.said(token) for _ in range(2)] == [AWAY] * 2

        assert looker.scalar(waiting) == 0
        locker.rollback()
        assert asked.said(token) == GRANTED


def test_many_threads_share_few_connections(wired: Wire, settings: Settings, cast: Cast) -> None:
    """Each gets the answer to its own question."""
    tokens = {cast.tokens[name]: cast.user_ids[name] for name in ("member", "admin", "outsider")}
    with asked_gate(settings) as asked:

        def ask(token: str, user_id: str) -> None:
            for _ in range(50):
                assert asked.reply(token).header("x-auth-user-id") == user_id

        side_by_side([lambda one=one: ask(*one) for one in [*tokens.items()] * 4])  # type: ignore[misc]
        assert asked.gate.failures == 0
    assert 0 < wired.opened <= settings.service.threads
