"""A migration that fails says what and where in one line, and keeps nothing of itself.

F19, P6, DB-19.
"""

import random
import re
from pathlib import Path

import pytest

from app.services.schema import REVISIONS
from tests.conftest import NewTally
from tests.support.commands import run_flask
from tests.support.counts import trials
from tests.support.databases import EngineName, ScratchDatabases
from tests.support.migrations import HEAD, migrate, tables, version, with_migration
from tests.support.migrators import Migrators, Run
from tests.support.schemas import await_no_advisory_lock, fill, state_of
from tests.support.units import application_on

on_postgresql = pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)

FAILING = """
op.create_table("extra", sa.Column("id", sa.Integer(), primary_key=True))
op.execute("INSERT INTO nowhere\\n  VALUES (1)")
"""
MENDED = """
op.create_table("extra", sa.Column("id", sa.Integer(), primary_key=True))
op.execute("INSERT INTO extra VALUES (1)")
"""
WHY = (
    r"failed after \d+\.\d\d s, nothing of (?:it|this upgrade) was kept: .*nowhere.*; "
    r"statement: INSERT INTO nowhere VALUES \(1\)"
)
LINE = re.compile(rf"migration 099_extra: {WHY}\n")
FAILED = re.compile(rf"migration(?: (?:after )?\d{{3}}_\w+)?: {WHY}")


def test_command_names_the_statement_that_fails_and_exits_with_1(
    scratch_database: ScratchDatabases, engine_name: EngineName, tmp_path: Path
) -> None:
    variables = scratch_database()
    command = ("db", "upgrade", "-d", str(with_migration(tmp_path, FAILING)))

    failed = run_flask(*command, variables=variables)

    assert failed.returncode == 1
    assert LINE.fullmatch(failed.stderr), failed.stderr
    # SQLite holds its one lock, and so one transaction, for the whole upgrade.
    kept = [] if engine_name == "sqlite" else list(REVISIONS)
    assert [line.split()[2] for line in failed.stdout.splitlines()] == [f"{one}:" for one in kept]
    with application_on(variables) as app:
        assert version(app) == (HEAD if kept else None)
        assert ("users" in tables(app)) is bool(kept)
        assert "extra" not in tables(app)

        with_migration(tmp_path, MENDED)
        mended = run_flask(*command, variables=variables)
        assert (mended.returncode, mended.stderr) == (0, "")
        assert version(app) == "099_extra"


def test_migration_that_fails_at_its_second_statement_leaves_schema_and_rows_as_they_were(
    scratch_database: ScratchDatabases, migrators: Migrators, tmp_path: Path
) -> None:
    variables = scratch_database()
    with application_on(variables) as app:
        migrators.succeed(Run(variables=variables))
        fill(app)
        before = state_of(app)
        upgrade = Run(variables=variables, directory=str(with_migration(tmp_path, FAILING)))

        (failed,) = migrators.run(upgrade)

        assert failed.status == 1
        assert LINE.fullmatch(failed.printed), failed.printed
        assert state_of(app) == before

        with_migration(tmp_path, MENDED)
        assert migrators.succeed(upgrade).names() == ["099_extra"]
        assert state_of(app) != before


def test_any_statement_may_fail_and_the_next_upgrade_goes_through(
    scratch_database: ScratchDatabases, migrators: Migrators, new_tally: NewTally
) -> None:
    tally = new_tally("Upgrades", "a statement of an upgrade fails")
    statements = migrators.succeed(clean := Run(variables=scratch_database())).statements
    with application_on(clean.variables) as app:
        end = state_of(app)

    chosen = random.Random(21).sample(range(1, statements + 1), trials(statements))  # noqa: S311
    for statement in chosen:
        variables = scratch_database()
        with application_on(variables) as app, tally.trial():
            (failed,) = migrators.run(Run(variables=variables, fail_at=statement))
            reached = version(app)
            (again,) = migrators.run(Run(variables=variables))

            assert failed.status == 1
            told = failed.printed.splitlines()[-1]
            assert FAILED.fullmatch(told), failed.printed
            assert again.status == 0, again.printed
            # What was said to be completed was kept, and the rest was still to do.
            assert (*failed.names(), *again.names()) == REVISIONS
            assert reached == (failed.names()[-1] if failed.names() else None)
            assert state_of(app) == end
            await_no_advisory_lock(app)


DEFERRED = """
op.create_table(
    "extra",
    sa.Column("id", sa.Integer(), primary_key=True),
    sa.Column("of", sa.ForeignKey("extra.id", deferrable=True, initially="DEFERRED")),
)
op.execute("INSERT INTO extra VALUES (1, 2)")
"""


@on_postgresql
def test_commit_that_fails_is_named_and_nothing_is_said_to_be_completed(
    scratch_database: ScratchDatabases, migrators: Migrators, tmp_path: Path
) -> None:
    variables = scratch_database()
    with application_on(variables) as app:
        migrators.succeed(Run(variables=variables))
        before = state_of(app)
        copy = with_migration(tmp_path, DEFERRED)

        (failed,) = migrators.run(Run(variables=variables, directory=str(copy)))

        assert failed.status == 1
        assert re.fullmatch(
            r"migration 099_extra: failed after \d+\.\d\d s, nothing of it was kept: "
            r".* violates foreign key constraint .*; statement: COMMIT\n",
            failed.printed,
        )
        assert state_of(app) == before


CUT_OFF = """
op.create_table("extra", sa.Column("id", sa.Integer(), primary_key=True))
op.execute("SELECT pg_terminate_backend(pg_backend_pid())")
"""


@on_postgresql
def test_connection_that_is_lost_in_the_middle_is_said_in_a_line(
    scratch_database: ScratchDatabases, migrators: Migrators, tmp_path: Path
) -> None:
    """F8."""
    variables = scratch_database()
    with application_on(variables) as app:
        migrators.succeed(Run(variables=variables))
        before = state_of(app)
        copy = with_migration(tmp_path, CUT_OFF)

        (failed,) = migrators.run(Run(variables=variables, directory=str(copy)))

        assert failed.status == 1
        assert re.fullmatch(
            r"migration 099_extra: failed after \d+\.\d\d s, nothing of it was kept: "
            r"terminating connection .*; statement: SELECT pg_terminate_backend\(.*\)\n",
            failed.printed,
        )
        assert state_of(app) == before
        await_no_advisory_lock(app)


NOT_SQL = """
op.create_table("extra", sa.Column("id", sa.Integer(), primary_key=True))
raise LookupError("no statement's fault")
"""


def test_failure_of_another_kind_keeps_nothing_either(
    scratch_database: ScratchDatabases,
    engine_name: EngineName,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with application_on(scratch_database()) as app:
        with pytest.raises(LookupError, match="no statement's fault"):
            migrate(app, with_migration(tmp_path, NOT_SQL))

        assert "extra" not in tables(app)
        # What is said to be completed is what was committed.
        kept = 0 if engine_name == "sqlite" else len(REVISIONS)
        assert capsys.readouterr().out.count(": completed in ") == kept
        assert version(app) == (HEAD if kept else None)
