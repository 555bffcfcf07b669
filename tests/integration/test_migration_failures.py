"""A migration that fails or is killed leaves nothing half made, and says what was wrong.

F19, DB-19.
"""

import time
from pathlib import Path

import pytest

from app.cli.db import run_migrations
from tests.support.commands import PATIENCE_SECONDS, finish, run_flask, start_flask
from tests.support.databases import EngineName, ScratchDatabases
from tests.support.migrations import HEAD, migrate, tables, version, with_migration
from tests.support.units import application_on

FAILING = """
op.create_table("extra", sa.Column("id", sa.Integer(), primary_key=True))
op.execute("INSERT INTO nowhere VALUES (1)")
"""
NOT_SQL = """
op.create_table("extra", sa.Column("id", sa.Integer(), primary_key=True))
raise LookupError("no statement's fault")
"""


def test_a_failure_names_the_statement_and_keeps_nothing_of_the_migration(
    scratch_database: ScratchDatabases, engine_name: EngineName, tmp_path: Path
) -> None:
    variables = scratch_database()
    copy = with_migration(tmp_path, FAILING)

    failed = run_flask("db", "upgrade", "-d", str(copy), variables=variables)

    assert failed.returncode == 1
    assert "migration after 002_oauth: failed, nothing of " in failed.stderr
    assert "statement: INSERT INTO nowhere VALUES (1)" in failed.stderr
    assert "nowhere" in failed.stderr.partition("statement:")[0]
    assert "Traceback" not in failed.stderr
    with application_on(variables) as app:
        # SQLite holds its one lock, and so one transaction, for the whole upgrade.
        assert version(app) == (None if engine_name == "sqlite" else HEAD)
        assert "extra" not in tables(app)
        assert ("users" in tables(app)) is (engine_name == "postgresql")

        run_migrations(app)
        assert version(app) == HEAD


def test_a_failure_of_another_kind_keeps_nothing_either(
    scratch_database: ScratchDatabases, tmp_path: Path
) -> None:
    with application_on(scratch_database()) as app:
        with pytest.raises(LookupError, match="no statement's fault"):
            migrate(app, with_migration(tmp_path, NOT_SQL))

        assert "extra" not in tables(app)


def test_a_database_out_of_reach_is_said_in_a_sentence(
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


def test_a_killed_migration_leaves_nothing_and_the_next_run_finishes(
    scratch_database: ScratchDatabases, tmp_path: Path
) -> None:
    variables = scratch_database()
    reached = tmp_path / "reached"
    copy = with_migration(
        tmp_path,
        f"""
        from pathlib import Path
        import time
        op.create_table("extra", sa.Column("id", sa.Integer(), primary_key=True))
        if not Path({str(reached)!r}).exists():
            Path({str(reached)!r}).touch()
            time.sleep({PATIENCE_SECONDS})
        op.create_index("ix_extra", "extra", ["id"])
        """,
    )

    killed = start_flask("db", "upgrade", "-d", str(copy), variables=variables)
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not reached.exists() and time.monotonic() < give_up_at:
        time.sleep(0.02)
    killed.kill()
    assert finish(killed).returncode == -9
    with application_on(variables) as app:
        assert "extra" not in tables(app)

        migrate(app, copy)

        assert version(app) == "003_extra"
        assert "extra" in tables(app)
