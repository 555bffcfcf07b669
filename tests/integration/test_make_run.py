"""``make run``, as whoever has just cloned the repository starts it and stops it.

Each test has a copy of the work tree whose virtual environment is the tests' own: what is proved
is that a start installs nothing, so pip is told of an index that nobody can reach.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from app.models import Invitation
from tests.support.databases import ScratchDatabases
from tests.support.rows import a_user
from tests.support.servers import ROOT, free_port
from tests.support.tables import count
from tests.support.units import application_on, run_unit

START_SECONDS = 60
STOP_SECONDS = 20
LINK = re.compile(r"^  (\S+)/sign-up#invitation=([A-Za-z0-9_-]{43})$", re.MULTILINE)
INSTALLING = "Installing"
PIP_WAS_CALLED = "pip was called"

# Should pip be called all the same, it finds no index: nobody listens on the discard port.
NO_INDEX = {"PIP_NO_INDEX": "1", "PIP_INDEX_URL": "http://127.0.0.1:9/simple/"}


@dataclass(frozen=True, kw_only=True)
class Run:
    """One ``make run``: what it has printed so far, and how it ended."""

    process: subprocess.Popen[bytes]
    port: int
    output_file: Path

    def output(self) -> str:
        return self.output_file.read_text()

    def status_of(self, path: str) -> int | None:
        """Ask the service; None while nobody answers."""
        try:
            with urlopen(f"http://localhost:{self.port}{path}", timeout=5) as answer:
                status: int = answer.status
                return status
        except (URLError, OSError):
            return None

    def interrupt(self) -> int:
        """Press Ctrl-C: the whole process group gets the signal. Gives make's exit status.

        make waits for the service, and then ends by the signal itself, as a shell expects.
        """
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(STOP_SECONDS)

    def survivors(self) -> list[int]:
        """List who of the process group still runs."""
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                state, _, group = stat.read_text().rpartition(") ")[2].split()[:3]
            except OSError:
                continue
            if int(group) == self.process.pid and state != "Z":
                found.append(int(stat.parent.name))
        return found


@dataclass(frozen=True, kw_only=True)
class Clone:
    """A copy of the work tree."""

    folder: Path
    outputs: list[Path] = field(default_factory=list)

    @contextmanager
    def make_run(self, *arguments: str, **variables: str) -> Iterator[Run]:
        """Start ``make run`` and wait until it answers; everything has ended after the block."""
        port = free_port()
        output_file = self.folder.with_name(f"{self.folder.name}-{len(self.outputs)}.log")
        self.outputs.append(output_file)
        with output_file.open("wb") as output:
            process = subprocess.Popen(
                ["make", "run", f"PORT={port}", *arguments],  # noqa: S607 - as a person types it
                cwd=self.folder,
                env={**few_variables(), **NO_INDEX, **variables},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        run = Run(process=process, port=port, output_file=output_file)
        try:
            await_answer(run)
            yield run
        finally:
            stop(run)

    def failing_make_run(self) -> str:
        """Run ``make run`` where it cannot get as far as the service, and give its output."""
        done = subprocess.run(
            ["make", "run"],  # noqa: S607 - as a person types it
            cwd=self.folder,
            env={**few_variables(), **NO_INDEX},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=START_SECONDS,
        )
        assert done.returncode != 0, done.stdout
        return done.stdout


def few_variables() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if name in {"PATH", "HOME", "LANG"} or name.startswith("PG")
    }


def await_answer(run: Run) -> None:
    give_up_at = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up_at and run.process.poll() is None:
        # The first worker answers while the second is still being forked.
        if run.output().count("Booting worker") >= 2 and run.status_of("/readyz") == 200:
            return
        time.sleep(0.05)
    pytest.fail(f"make run did not answer:\n{run.output()}")


def stop(run: Run) -> None:
    if run.survivors():
        os.killpg(run.process.pid, signal.SIGKILL)
    run.process.wait(STOP_SECONDS)


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    folder = tmp_path / "clone"
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        # A file may be deleted and not yet committed so.
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    link_environment(folder / ".venv")
    return Clone(folder=folder)


def link_environment(folder: Path) -> None:
    """Make what an earlier ``make run`` left: the programs, and a stamp newer than the list.

    pip alone is replaced, by one that says so and fails.
    """
    (folder / "bin").mkdir(parents=True)
    pip = f'[ "$2" = pip ] && echo {PIP_WAS_CALLED} && exit 1\n'
    for program, module in (("python", ""), ("flask", "-m flask"), ("gunicorn", "-m gunicorn")):
        script = folder / "bin" / program
        script.write_text(f'#!/bin/sh\n{pip}exec {sys.executable} {module} "$@"\n')
        script.chmod(0o755)
    (folder / "runtime-installed").touch()


def test_make_run_starts_says_where_it_is_and_how_the_first_administrator_gets_in(
    clone: Clone,
) -> None:
    with clone.make_run() as run:
        output = run.output()
        link = LINK.search(output)

        assert f"openbadges-system: http://localhost:{run.port}/\n" in output
        assert link is not None
        assert link[1] == f"http://localhost:{run.port}"
        assert run.status_of("/") == 200
        assert (clone.folder / "instance" / "openbadges.db").is_file()


def test_an_interrupt_stops_everything_and_leaves_no_complaint(clone: Clone) -> None:
    with clone.make_run() as run:
        # make's shell, the master and its workers.
        assert len(run.survivors()) >= 3

        status = run.interrupt()

        assert status == -signal.SIGINT, run.output()
        assert run.survivors() == []
        assert run.status_of("/readyz") is None
    assert "Traceback" not in run.output()
    assert "make: ***" not in run.output()


def test_a_start_installs_nothing_where_everything_is_there(clone: Clone) -> None:
    with clone.make_run() as run:
        assert INSTALLING not in run.output()
        assert PIP_WAS_CALLED not in run.output()
    (clone.folder / ".venv" / "runtime-installed").unlink()

    control = clone.failing_make_run()

    assert INSTALLING in control
    assert PIP_WAS_CALLED in control


def test_a_link_is_printed_at_each_start_until_there_is_an_administrator(clone: Clone) -> None:
    with clone.make_run() as run:
        first = LINK.search(run.output())
    with clone.make_run() as run:
        second = LINK.search(run.output())
    add_administrator({"SQLITE_FILE": str(clone.folder / "instance" / "openbadges.db")})
    with clone.make_run() as run:
        output = run.output()

    assert first is not None
    assert second is not None
    assert first[2] != second[2]
    assert f"openbadges-system: http://localhost:{run.port}/\n" in output
    assert "#invitation=" not in output


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_make_run_takes_a_postgresql_database(
    clone: Clone, scratch_database: ScratchDatabases
) -> None:
    variables = scratch_database()
    url = variables["DATABASE_URL"]

    with clone.make_run(f"DATABASE_URL={url}") as run, application_on(variables) as app:
        assert LINK.search(run.output())
        assert count(app, Invitation) == 1
        assert not (clone.folder / "instance" / "openbadges.db").exists()
        assert run.interrupt() == -signal.SIGINT, run.output()


def test_closed_registration_without_an_administrator_still_starts(clone: Clone) -> None:
    with clone.make_run(REGISTRATION="closed") as run:
        output = run.output()

    assert "There is no administrator yet." in output
    assert "REGISTRATION" in output
    assert "#invitation=" not in output


def add_administrator(variables: Mapping[str, str]) -> None:
    administrator = a_user()
    administrator.role = "admin"
    with application_on(variables) as app:
        run_unit(app, lambda session: session.add(administrator))
