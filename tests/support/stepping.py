"""Stories that are broken at the n-th moment, for every n, until one survives."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import IO

from flask import Flask

from app.cli.db import run_migrations
from app.extensions import db
from tests.support.databases import delete_rows
from tests.support.journal import Journal
from tests.support.ledger import broken_files, findings, settled
from tests.support.load import invited
from tests.support.servers import ROOT
from tests.support.strace import injecting, require_strace
from tests.support.units import application_on, engine_of
from tests.support.variables import DEVELOPMENT

SURVIVED = 0


@dataclass(kw_only=True)
class Stage:
    """Where stories are played, each on the same database, empty but for two invitations."""

    app: Flask
    folder: Path
    script: subprocess.Popen[str]
    journal: Journal = field(init=False)
    invitations: list[tuple[str, str]] = field(init=False)
    _numbers: Iterator[int] = field(default_factory=count, repr=False)

    def await_warmth(self) -> None:
        """Wait for the script, and forget what it did to get warm."""
        assert self._hear() == 0
        engine = engine_of(self.app)
        delete_rows(engine, db.metadata)
        engine.dispose()
        if engine.dialect.name == "sqlite":
            shutil.copy(str(engine.url.database), self._empty_file)

    def prepare(self) -> None:
        """Forget the stories before."""
        self._empty_tables()
        self.journal = Journal(file=self.folder / f"journal-{next(self._numbers)}")
        self.invitations = list(invited(self.app, self.journal, 2).items())
        engine_of(self.app).dispose()

    def play_until_it_survives(
        self, play: Callable[[int], int], *, stride: int, fewest: int
    ) -> Iterator[int]:
        """Play on an empty stage, broken at one moment after the other; give each exit status.

        A survivor that came sooner than the fewest was not broken at all.
        """
        for number in count(1, stride):
            self.prepare()
            status = play(number)
            yield status
            if status == SURVIVED:
                assert number > fewest, "it never came so far"
                return

    def play(self, story: str, *, round_trip: int = 0, call: str = "", fault: str = "") -> int:
        """Play a story, broken where one of these says so; give the exit status."""
        if call:
            require_strace()
        email, invitation = self.invitations.pop()
        told = {"story": story, "email": email, "invitation": invitation}
        told |= {"journal": str(self.journal.file)}
        pid = self._say(json.dumps(told | {"round_trip": round_trip}))
        broken = injecting(pid, call, fault, self.log_file) if call else nullcontext()
        with broken:
            return self._say("")

    @property
    def log_file(self) -> Path:
        """Where the calls of the last story stand that was traced."""
        return self.folder / "strace.log"

    def complaint(self) -> str:
        """Give what the script had to say."""
        return (self.folder / "stories.log").read_text()[-2000:]

    def was_broken(self) -> bool:
        """Tell whether the fault came at all: the story may have been over before."""
        return "INJECTED" in self.log_file.read_text()

    def findings(self) -> list[str]:
        """Give what is not as the journal of the story says it has to be."""
        settled(self.app)
        found = findings(self.app, self.journal) + broken_files(self.app)
        engine_of(self.app).dispose()
        return found

    def close(self) -> None:
        """Let the script end."""
        assert self.script.stdin is not None
        self.script.stdin.close()

    def _say(self, line: str) -> int:
        assert self.script.stdin is not None
        self.script.stdin.write(f"{line}\n")
        self.script.stdin.flush()
        return self._hear()

    def _hear(self) -> int:
        assert self.script.stdout is not None
        return int(self.script.stdout.readline())

    def _empty_tables(self) -> None:
        engine = engine_of(self.app)
        if engine.dialect.name != "sqlite":
            delete_rows(engine, db.metadata)
            return
        # The same file to the byte, so that the n-th call is the same in each story.
        file = Path(str(engine.url.database))
        for name in ("-wal", "-shm"):
            file.with_name(file.name + name).unlink(missing_ok=True)
        shutil.copy(self._empty_file, file)

    @property
    def _empty_file(self) -> Path:
        return self.folder / "empty.db"


@contextmanager
def stage(variables: Mapping[str, str], folder: Path) -> Iterator[Stage]:
    """Give a stage on a new database."""
    with application_on(variables) as app:
        run_migrations(app)
        engine_of(app).dispose()
        with (folder / "stories.log").open("w") as log, _script(variables, folder, log) as script:
            made = Stage(app=app, folder=folder, script=script)
            made.await_warmth()
            yield made
            made.close()


def _script(variables: Mapping[str, str], folder: Path, log: IO[str]) -> subprocess.Popen[str]:
    # With the same secret keys: what a story has sealed, whoever looks afterwards can open.
    everything = json.dumps({**DEVELOPMENT, **variables})
    arguments = ["tests.support.stories", everything, str(folder)]
    return subprocess.Popen(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    )
