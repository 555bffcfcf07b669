"""Several upgrades at once: one does the work, the others wait and find nothing to do.

F18, P6, DB-18.
"""

import random
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from flask import Flask

from app.services.schema import REVISIONS
from tests.conftest import NewTally
from tests.support.commands import finish, start_flask
from tests.support.counts import trials
from tests.support.databases import ScratchDatabases
from tests.support.migrations import version, with_migration
from tests.support.migrators import Migrators, Run
from tests.support.schemas import State, await_no_advisory_lock, fill, state_of
from tests.support.units import application_on

SLOW = """
import time
op.create_table("extra", sa.Column("id", sa.Integer(), primary_key=True))
time.sleep(0.5)
"""
FEWEST, MOST = 2, 4


def arrange(app: Flask, variables: Mapping[str, str], migrators: Migrators, start: str) -> State:
    """Bring a database with rows in every table to where the trial starts; give its end."""
    migrators.succeed(Run(variables=variables))
    fill(app)
    migrators.succeed(Run(variables=variables, command="downgrade", revision=start))
    migrators.succeed(Run(variables=variables))
    end = state_of(app)
    migrators.succeed(Run(variables=variables, command="downgrade", revision=start))
    return end


def test_processes_that_begin_at_the_same_moment_migrate_once(
    scratch_database: ScratchDatabases, migrators: Migrators, new_tally: NewTally
) -> None:
    tally = new_tally("Upgrades", "two to four upgrades of a new database at once")
    chance = random.Random(20)  # noqa: S311
    clean = scratch_database()
    migrators.succeed(Run(variables=clean))
    with application_on(clean) as app:
        end = state_of(app)

    for _ in range(trials(50)):
        variables = scratch_database()
        runs = [Run(variables=variables)] * chance.randint(FEWEST, MOST)
        with application_on(variables) as app, tally.trial():
            done = migrators.run(*runs)

            assert [one.status for one in done] == [0] * len(runs), done
            assert sorted(name for one in done for name in one.names()) == list(REVISIONS)
            assert state_of(app) == end
            await_no_advisory_lock(app)


def test_rows_of_an_older_schema_are_kept_by_upgrades_at_the_same_moment(
    scratch_database: ScratchDatabases, migrators: Migrators, new_tally: NewTally
) -> None:
    tally = new_tally("Upgrades", "two to four upgrades of a filled database at once")
    variables = scratch_database()
    with application_on(variables) as app:
        for start in REVISIONS[:-1]:
            end = arrange(app, variables, migrators, start)
            missing = list(REVISIONS[REVISIONS.index(start) + 1 :])
            for number in range(FEWEST, MOST + 1):
                with tally.trial():
                    done = migrators.run(*[Run(variables=variables)] * number)

                    assert [one.status for one in done] == [0] * number, done
                    assert sorted(name for one in done for name in one.names()) == missing
                    assert state_of(app) == end
                migrators.succeed(Run(variables=variables, command="downgrade", revision=start))


def test_commands_at_once_all_succeed_and_migrate_once(
    scratch_database: ScratchDatabases, tmp_path: Path, new_tally: NewTally
) -> None:
    tally = new_tally("Upgrades", "two to four `flask db upgrade` at once")
    copy = with_migration(tmp_path, SLOW)
    command = ("db", "upgrade", "-d", str(copy))
    for trial in range(trials(10)):
        variables = scratch_database()
        number = MOST - trial % (MOST - FEWEST + 1)
        with application_on(variables) as app, tally.trial():
            running = [start_flask(*command, variables=variables) for _ in range(number)]
            done = [finish(process) for process in running]

            assert [one.returncode for one in done] == [0] * number, [one.stderr for one in done]
            lines = [line for one in done for line in one.stdout.splitlines()]
            names = Counter(line.partition(":")[0].rpartition(" ")[2] for line in lines)
            assert names == Counter((*REVISIONS, "099_extra"))
            assert version(app) == "099_extra"
