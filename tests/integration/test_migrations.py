"""Upgrading by command and from code: what is printed, which database, and how it is seen.

DB-18, DB-19.
"""

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.cli.db import run_migrations
from app.models import User, UserSession
from app.services.schema import REVISIONS
from tests.support.commands import run_flask
from tests.support.databases import ScratchDatabases
from tests.support.migrations import HEAD, migrate, tables, version, with_migration
from tests.support.rows import a_session, a_user
from tests.support.units import PATIENCE_SECONDS, application_on, engine_of, run_unit

on_postgresql = pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)

LINES = re.compile(
    "".join(rf"upgraded to {revision}: completed in \d+\.\d\d s\n" for revision in REVISIONS)
)


@pytest.fixture
def empty_app(scratch_database: ScratchDatabases) -> Iterator[Flask]:
    with application_on(scratch_database()) as app:
        yield app


def test_the_command_needs_the_databases_variables_alone_and_prints_a_line_a_migration(
    scratch_database: ScratchDatabases,
) -> None:
    variables = scratch_database()

    done = run_flask("db", "upgrade", variables=variables)

    assert done.returncode == 0, done.stderr
    assert LINES.fullmatch(done.stdout)
    assert done.stderr == ""
    with application_on(variables) as app:
        assert {"users", "oauth_providers"} <= tables(app)


def test_code_does_the_same_as_the_command(
    empty_app: Flask, capsys: pytest.CaptureFixture[str]
) -> None:
    run_migrations(empty_app)
    first = capsys.readouterr().out
    run_migrations(empty_app)

    assert LINES.fullmatch(first)
    assert capsys.readouterr().out == ""
    assert {"users", "oauth_providers"} <= tables(empty_app)


def test_code_can_stop_at_a_revision(empty_app: Flask) -> None:
    run_migrations(empty_app, "001_initial")

    assert "users" in tables(empty_app)
    assert "oauth_providers" not in tables(empty_app)


@on_postgresql
def test_migrations_have_a_database_url_of_their_own(scratch_database: ScratchDatabases) -> None:
    serving, migrating = (scratch_database()["DATABASE_URL"] for _ in range(2))

    with (
        application_on({"DATABASE_URL": serving, "MIGRATION_DATABASE_URL": migrating}) as app,
        application_on({"DATABASE_URL": migrating}) as other,
    ):
        run_migrations(app)

        assert tables(app) == set()
        assert "users" in tables(other)


@on_postgresql
def test_a_role_with_short_time_outs_can_still_migrate(empty_app: Flask, tmp_path: Path) -> None:
    def give_short_time_outs(session: Session) -> None:
        name = engine_of(empty_app).url.database
        for setting in ("statement_timeout", "lock_timeout"):
            session.execute(text(f"ALTER DATABASE {name} SET {setting} = '100ms'"))

    run_unit(empty_app, give_short_time_outs)
    slow = with_migration(tmp_path, 'op.execute("SELECT pg_sleep(0.3)")')

    with engine_of(empty_app).connect() as other, ThreadPoolExecutor() as threads:
        lock = other.execute(text("SELECT pg_advisory_lock(:key)").bindparams(key=0x0B4D6E5))
        lock.close()
        migrating = threads.submit(migrate, empty_app, slow)
        time.sleep(0.3)
        assert not migrating.done()
        other.execute(text("SELECT pg_advisory_unlock(:key)").bindparams(key=0x0B4D6E5)).close()
        migrating.result(PATIENCE_SECONDS)

    assert version(empty_app) == "099_extra"


# What Alembic does on SQLite to change a column: make the table anew, and drop the old one.
CHANGE_USERS = """
with op.batch_alter_table("users") as table:
    table.alter_column("name", existing_type=sa.Text(), nullable=True)
"""


def add_person(session: Session) -> str:
    user = a_user(name="Ada")
    session.add(user)
    session.flush()
    session.add(a_session(user))
    return user.id


def test_a_table_that_is_changed_keeps_its_rows_and_their_children(
    empty_app: Flask, tmp_path: Path
) -> None:
    run_migrations(empty_app)
    user_id = run_unit(empty_app, add_person)

    migrate(empty_app, with_migration(tmp_path, CHANGE_USERS))

    owners = select(UserSession.user_id).join(User, User.id == UserSession.user_id)
    assert run_unit(empty_app, lambda session: session.scalars(owners).all()) == [user_id]
    orphan = update(UserSession).values(user_id="nobody")
    with pytest.raises(IntegrityError):
        run_unit(empty_app, lambda session: session.execute(orphan))


@pytest.mark.parametrize(
    ("name", "reached"), [("Ada", HEAD), ("Grace", "099_extra")], ids=["orphans", "none"]
)
def test_a_migration_that_would_leave_orphans_is_refused(
    empty_app: Flask, tmp_path: Path, name: str, reached: str
) -> None:
    run_migrations(empty_app)
    run_unit(empty_app, add_person)
    copy = with_migration(
        tmp_path,
        f"""
        users = sa.table("users", sa.column("id"), sa.column("name"))
        op.execute(users.update().where(users.c.name == "{name}").values(id="another"))
        """,
    )

    if reached == HEAD:
        with pytest.raises(SystemExit) as end:
            migrate(empty_app, copy)
        assert end.value.code == 1
    else:
        migrate(empty_app, copy)

    assert version(empty_app) == reached


def test_database_out_of_reach_is_said_in_a_sentence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = "postgresql://nobody:geheim@127.0.0.1:1/nothing"

    with application_on({"DATABASE_URL": url}) as app, pytest.raises(SystemExit) as end:
        run_migrations(app)

    assert end.value.code == 1
    said = capsys.readouterr().err
    assert said.startswith("the database cannot be reached, nothing was changed: connection failed")
    assert "statement" not in said
    assert "geheim" not in said
