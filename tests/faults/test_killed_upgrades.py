"""An upgrade that is killed leaves nothing half made, and the plain command finishes it.

F19, P6, DB-18. It is killed before and after every statement and every COMMIT of each migration,
up and down, with rows in every table.
"""

import random
import time
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import pytest
from flask import Flask

from app.services.schema import REVISIONS
from tests.conftest import NewTally
from tests.support.commands import PATIENCE_SECONDS, finish, run_flask, start_flask
from tests.support.counts import trials
from tests.support.databases import ScratchDatabases
from tests.support.migrations import tables, version, with_migration
from tests.support.migrators import KILLED, Migrators, Run
from tests.support.schemas import KeptRows, State, await_no_advisory_lock, fill, state_of
from tests.support.units import application_on


def some_of(moments: int) -> list[int]:
    """Choose moments of a run: every one in the full run, else a tenth."""
    return sorted(random.Random(18).sample(range(1, moments + 1), trials(moments)))  # noqa: S311


class Step:
    """One migration, which a database with rows in every table takes up and down."""

    def __init__(
        self, app: Flask, variables: Mapping[str, str], migrators: Migrators, *revisions: str
    ) -> None:
        self.app, self.variables, self.migrators = app, variables, migrators
        self.before, self.after = revisions
        self.migrators.succeed(Run(variables=variables))
        fill(app)
        if self.after != REVISIONS[-1]:
            migrators.succeed(self._run("downgrade", self.after))
        self.full, self._kept = state_of(app), KeptRows(app)
        self.down = migrators.succeed(self._run("downgrade", self.before))
        self.below, self._left = state_of(app), tables(app)
        self.up = migrators.succeed(self._run("upgrade", self.after))
        self.above = state_of(app)
        self.fill_again()
        assert state_of(app) == self.full

    def _run(self, command: str, revision: str, kill_at: int | None = None) -> Run:
        return Run(variables=self.variables, command=command, revision=revision, kill_at=kill_at)

    def fill_again(self) -> None:
        """Give the tables that the migration makes the rows that they had."""
        self._kept.put_back(self.app, but=self._left)

    def go_down(self, kill_at: int) -> None:
        self._go("downgrade", self.before, kill_at, (self.full, self.below))

    def go_up(self, kill_at: int) -> None:
        self._go("upgrade", self.after, kill_at, (self.below, self.above))

    def _go(self, command: str, to: str, kill_at: int, states: tuple[State, State]) -> None:
        (killed,) = self.migrators.run(self._run(command, to, kill_at))
        found = state_of(self.app)
        (again,) = self.migrators.run(self._run(command, to))

        assert killed.status == KILLED, killed.printed
        assert found in states, f"{command} to {to}, killed at moment {kill_at}: {found}"
        assert again.status == 0, again.printed
        assert state_of(self.app) == states[1]
        await_no_advisory_lock(self.app)


@pytest.mark.parametrize(("before", "after"), list(pairwise(("base", *REVISIONS))))
def test_each_migration_killed_at_any_moment_happened_or_did_not(
    scratch_database: ScratchDatabases,
    migrators: Migrators,
    new_tally: NewTally,
    before: str,
    after: str,
) -> None:
    downs = new_tally("Upgrades", "SIGKILL at a moment of a downgrade")
    ups = new_tally("Upgrades", "SIGKILL at a moment of an upgrade")
    variables = scratch_database()
    with application_on(variables) as app:
        step = Step(app, variables, migrators, before, after)

        for moment in some_of(max(step.down.moments, step.up.moments)):
            with downs.trial():
                step.go_down(min(moment, step.down.moments))
            with ups.trial():
                step.go_up(min(moment, step.up.moments))
            step.fill_again()


@pytest.fixture
def milestones(scratch_database: ScratchDatabases, migrators: Migrators) -> list[State]:
    """Give what a new database looks like at each revision, from nothing to the newest."""

    def states() -> Iterator[State]:
        variables = scratch_database()
        with application_on(variables) as app:
            yield state_of(app)
            for revision in REVISIONS:
                migrators.succeed(Run(variables=variables, revision=revision))
                yield state_of(app)

    return list(states())


def moments_of_all(scratch_database: ScratchDatabases, migrators: Migrators) -> int:
    return migrators.succeed(Run(variables=scratch_database())).moments


def test_first_upgrade_killed_at_any_moment_is_finished_by_the_next(
    scratch_database: ScratchDatabases,
    migrators: Migrators,
    new_tally: NewTally,
    milestones: list[State],
) -> None:
    tally = new_tally("Upgrades", "SIGKILL at a moment of a new database's first upgrade")
    for moment in some_of(moments_of_all(scratch_database, migrators)):
        variables = scratch_database()
        with application_on(variables) as app, tally.trial():
            (killed,) = migrators.run(Run(variables=variables, kill_at=moment))
            found = state_of(app)
            (again,) = migrators.run(Run(variables=variables))

            assert killed.status == KILLED, killed.printed
            assert found in milestones, f"killed at moment {moment}: {found}"
            assert again.status == 0, again.printed
            assert state_of(app) == milestones[-1]
            await_no_advisory_lock(app)


def test_whoever_waits_for_one_that_is_killed_does_its_work(
    scratch_database: ScratchDatabases,
    migrators: Migrators,
    new_tally: NewTally,
    milestones: list[State],
) -> None:
    """F18."""
    tally = new_tally("Upgrades", "one of two upgrades killed")
    moments = moments_of_all(scratch_database, migrators)
    chance = random.Random(19)  # noqa: S311
    for _ in range(trials(50)):
        variables = scratch_database()
        killed_at = Run(variables=variables, kill_at=chance.randint(1, moments))
        with application_on(variables) as app, tally.trial():
            killed, other = migrators.run(killed_at, Run(variables=variables))

            # It outlives its moment where it came second and found less to do.
            assert killed.status in {KILLED, 0}, killed.printed
            assert other.status == 0, other.printed
            assert state_of(app) == milestones[-1]
            await_no_advisory_lock(app)


def kill_in_the_middle(copy: Path, reached: Path, variables: Mapping[str, str]) -> None:
    running = start_flask("db", "upgrade", "-d", str(copy), variables=variables)
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not reached.exists():
        assert time.monotonic() < give_up_at, "the migration never came so far"
        time.sleep(0.02)
    running.kill()
    assert finish(running).returncode == KILLED


def test_command_that_is_killed_succeeds_when_it_is_given_again(
    scratch_database: ScratchDatabases, tmp_path: Path
) -> None:
    variables, reached = scratch_database(), tmp_path / "reached"
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

    with application_on(variables) as app:
        kill_in_the_middle(copy, reached, variables)
        assert "extra" not in tables(app)

        again = run_flask("db", "upgrade", "-d", str(copy), variables=variables)

        assert again.returncode == 0, again.stderr
        assert again.stdout.splitlines()[-1].startswith("upgraded to 099_extra: completed in ")
        assert version(app) == "099_extra"
        assert "extra" in tables(app)
