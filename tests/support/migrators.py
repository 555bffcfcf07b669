"""Many upgrades for the price of one start: a process that has everything loaded, and forks.

Each run is a process of its own that does what `flask db upgrade` does. It may be killed at a
moment of its choosing: every statement has two of them, before and after it, and every COMMIT.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from signal import SIGKILL
from typing import Any

from tests.support.servers import ROOT

KILLED = -SIGKILL


@dataclass(frozen=True, kw_only=True)
class Run:
    """What one process is to do."""

    variables: Mapping[str, str]
    command: str = "upgrade"
    revision: str = "head"
    directory: str = str(ROOT / "migrations")
    kill_at: int | None = None
    """The moment of its death, from 1 on."""
    fail_at: int | None = None
    """The statement, from 1 on, in whose place one is executed that no database can."""


@dataclass(frozen=True, kw_only=True)
class Done:
    """What became of it."""

    status: int
    """The exit status; of who was killed, the signal's number below zero."""
    printed: str
    moments: int
    """How many moments a run had that was not killed."""
    statements: int
    """How many statements they belong to."""

    def names(self) -> list[str]:
        """Name the migrations that it says it has completed, in their order."""
        lines = [line for line in self.printed.splitlines() if ": completed in " in line]
        return [line.partition(":")[0].rpartition(" ")[2] for line in lines]


class Migrators:
    """Runs migrations in processes of their own, all that are asked for at the same moment."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process = process
        self._folder = folder

    def run(self, *runs: Run) -> list[Done]:
        """Begin all runs at once and wait for their ends."""
        self._ask(runs, announced=False)
        return self._hear_ends()

    def run_watched(self, run: Run, watch: Callable[[int], AbstractContextManager[None]]) -> Done:
        """Begin a run in a block that knows its process, and wait for its end there."""
        self._ask([run], announced=True)
        (pid,) = self._hear()
        with watch(pid):
            self._say("begin")
            (done,) = self._hear_ends()
        return done

    def _ask(self, runs: Sequence[Run], *, announced: bool) -> None:
        folder, asked = str(self._folder), [asdict(run) for run in runs]
        self._say(json.dumps({"folder": folder, "runs": asked, "announced": announced}))

    def _hear_ends(self) -> list[Done]:
        return [Done(**done) for done in self._hear()]

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def _hear(self) -> list[Any]:
        assert self._process.stdout is not None
        heard: list[Any] = json.loads(self._process.stdout.readline())
        return heard

    def succeed(self, run: Run) -> Done:
        """Run one to its end, and see that this worked."""
        (done,) = self.run(run)
        assert done.status == 0, done.printed
        return done


@contextmanager
def started_migrators(folder: Path) -> Iterator[Migrators]:
    """Start the process that all runs are forked from; what they print passes through files."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.support.forked_migrations"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Migrators(process, folder)
        finally:
            assert process.stdin is not None
            process.stdin.close()
