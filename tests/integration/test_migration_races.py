"""Two upgrades at once: one does the work, the other waits and finds nothing to do (F18, DB-18)."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.commands import finish, start_flask
from tests.support.counts import trials
from tests.support.databases import ScratchDatabases
from tests.support.migrations import HEAD, tables, version, with_migration
from tests.support.servers import ROOT
from tests.support.units import application_on

SLOW = """
import time
op.create_table("extra", sa.Column("id", sa.Integer(), primary_key=True))
time.sleep(0.5)
"""


def test_two_commands_at_once_both_succeed_and_migrate_once(
    scratch_database: ScratchDatabases, tmp_path: Path
) -> None:
    copy = with_migration(tmp_path, SLOW)
    command = ("db", "upgrade", "-d", str(copy))
    for _ in range(trials(10)):
        variables = scratch_database()

        running = [start_flask(*command, variables=variables) for _ in range(2)]
        done = [finish(process) for process in running]

        assert [one.returncode for one in done] == [0, 0], [one.stderr for one in done]
        printed = "".join(one.stdout for one in done)
        assert printed.count("upgraded to") == printed.count("completed in") == 3
        with application_on(variables) as app:
            assert version(app) == "003_extra"


# Started once for all trials; the line that it waits for is what both begin at.
MIGRATOR = """
import json, sys
from app import create_app
from app.cli.db import run_migrations
from app.config import load_settings
for line in sys.stdin:
    app = create_app(load_settings(json.loads(line)))
    print("ready", flush=True)
    sys.stdin.readline()
    run_migrations(app)
    print("done", flush=True)
"""


@contextmanager
def migrator() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", MIGRATOR],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


def tell(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def hear(process: subprocess.Popen[str], last: str) -> list[str]:
    """Read what the process prints up to the line ``last``; all of it where that never comes."""
    assert process.stdout is not None
    heard: list[str] = []
    while not heard or heard[-1] not in {last, ""}:
        heard.append(process.stdout.readline().strip())
    return heard


def test_processes_that_begin_at_the_same_moment_never_fail(
    scratch_database: ScratchDatabases,
) -> None:
    with migrator() as one, migrator() as other:
        processes = (one, other)
        for _ in range(trials(50)):
            variables = scratch_database()
            for process in processes:
                tell(process, json.dumps({"APP_ENV": "development", **variables}))
            for process in processes:
                assert hear(process, "ready") == ["ready"]
            for process in processes:
                tell(process, "go")
            printed = [line for process in processes for line in hear(process, "done")]

            assert printed.count("done") == 2
            assert len([line for line in printed if "upgraded to" in line]) == 2
            with application_on(variables) as app:
                assert version(app) == HEAD
                assert "oauth_sessions" in tables(app)
