"""An upgrade of SQLite that is killed at any write to the file or its log leaves no half of it.

F3, F19, P6.
"""

import random
from pathlib import Path

import pytest

from tests.conftest import NewTally
from tests.support.counts import trials
from tests.support.databases import ScratchDatabases
from tests.support.migrators import KILLED, Done, Migrators, Run
from tests.support.schemas import fill, state_of
from tests.support.strace import injecting
from tests.support.units import application_on

NEVER = 65_535
"""The latest write that strace can count to."""


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
@pytest.mark.parametrize("start", ["base", "001_initial"])
def test_upgrade_killed_at_any_write_happened_or_did_not(
    scratch_database: ScratchDatabases,
    migrators: Migrators,
    new_tally: NewTally,
    tmp_path: Path,
    start: str,
) -> None:
    tally = new_tally("Upgrades", "SIGKILL at a write of an upgrade")
    variables, log_file = scratch_database(), tmp_path / "writes.txt"
    back = Run(variables=variables, command="downgrade", revision=start)

    def upgrade_killed_at(write: int) -> Done:
        fault = f"signal=SIGKILL:when={write}"
        return migrators.run_watched(
            Run(variables=variables), lambda pid: injecting(pid, "pwrite64", fault, log_file)
        )

    with application_on(variables) as app:
        migrators.succeed(Run(variables=variables))
        fill(app)
        migrators.succeed(back)
        before = state_of(app)
        assert upgrade_killed_at(NEVER).status == 0
        after, writes = state_of(app), log_file.read_text().count("pwrite64(")

        for write in random.Random(22).sample(range(1, writes + 1), trials(writes)):  # noqa: S311
            migrators.succeed(back)
            with tally.trial():
                killed = upgrade_killed_at(write)
                found = state_of(app)
                (again,) = migrators.run(Run(variables=variables))

                # How often SQLite writes is its own affair: the last may not come.
                assert killed.status in {KILLED, 0}, killed.printed
                assert found in {before, after}, f"killed at write {write}: {found}"
                assert again.status == 0, again.printed
                assert state_of(app) == after
