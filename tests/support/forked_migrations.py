"""The process that `tests.support.migrators` starts: it forks one more for every run.

Reads a line of JSON for those that begin together, and answers with what became of each.
"""

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from flask_migrate import downgrade, upgrade
from sqlalchemy import Engine, event
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.engine.interfaces import PoolProxiedConnection

from app import create_app
from app.cli.db import migrate
from app.config import load_settings

Asked = Mapping[str, Any]
COMMANDS = {"upgrade": upgrade, "downgrade": downgrade}
BROKEN = "INSERT INTO nowhere VALUES (1)"


class Moments:
    """Counts the moments of a run, and ends or spoils it at the one that was asked for."""

    def __init__(self, *, kill_at: int | None, fail_at: int | None) -> None:
        self.kill_at, self.fail_at = kill_at, fail_at
        self.passed = self.statements = 0
        event.listen(Engine, "before_cursor_execute", self._before, retval=True)
        event.listen(Engine, "after_cursor_execute", self._next)
        self._around_commits()

    def _next(self, *_: object) -> None:
        self.passed += 1
        if self.passed == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def _before(
        self, _connection: object, _cursor: object, statement: str, parameters: object, *_: object
    ) -> tuple[str, object]:
        self._next()
        self.statements += 1
        if self.statements == self.fail_at:
            return BROKEN, ()
        return statement, parameters

    def _around_commits(self) -> None:
        commit: Callable[..., None] = DefaultDialect.do_commit

        def do_commit(dialect: DefaultDialect, connection: PoolProxiedConnection) -> None:
            self._next()
            commit(dialect, connection)
            self._next()

        DefaultDialect.do_commit = do_commit  # type: ignore[method-assign]


def run(asked: Asked, counted: Path, begin: int, ready: int) -> int:
    """Do what was asked for as soon as everybody is ready; give the exit status."""
    app = create_app(load_settings({"APP_ENV": "development", **asked["variables"]}))
    migrate.init_app(app)
    moments = Moments(kill_at=asked["kill_at"], fail_at=asked["fail_at"])
    os.write(ready, b".")
    os.read(begin, 1)
    status = 0
    try:
        with app.app_context():
            COMMANDS[asked["command"]](directory=asked["directory"], revision=asked["revision"])
    except SystemExit as end:
        status = int(end.code or 0)
    sys.stdout.flush()
    counted.write_text(f"{moments.passed} {moments.statements}")
    return status


def fork(asked: Asked, output: Path, begin: int, ready: int) -> int:
    """Start a process for one run and give its number."""
    if pid := os.fork():
        return pid
    status = 1
    counted = output.with_suffix(".moments")
    try:
        counted.write_text("0 0")
        file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
        os.dup2(file, 1)
        os.dup2(file, 2)
        status = run(asked, counted, begin, ready)
    except BaseException:  # noqa: BLE001 - the process ends here, whatever it was
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def all_at_once(
    everything: list[Asked], folder: Path, *, announced: bool
) -> list[dict[str, object]]:
    """Run all that was asked for, each begun when the last one is ready.

    Announced, they wait for a word from whoever wants to watch their processes.
    """
    outputs = [folder / f"run-{at}.txt" for at in range(len(everything))]
    begin, let_begin = os.pipe()
    told, ready = os.pipe()
    pids = [
        fork(asked, output, begin, ready) for asked, output in zip(everything, outputs, strict=True)
    ]
    os.close(ready)
    for _ in pids:
        os.read(told, 1)
    if announced:
        say(pids)
        sys.stdin.readline()
    os.write(let_begin, b"." * len(pids))
    statuses = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
    for descriptor in (begin, let_begin, told):
        os.close(descriptor)
    return [told_of(output, status) for output, status in zip(outputs, statuses, strict=True)]


def told_of(output: Path, status: int) -> dict[str, object]:
    moments, statements = map(int, output.with_suffix(".moments").read_text().split())
    return {
        "status": status,
        "printed": output.read_text(),
        "moments": moments,
        "statements": statements,
    }


def say(something: object) -> None:
    sys.stdout.write(f"{json.dumps(something)}\n")
    sys.stdout.flush()


def main() -> None:
    while line := sys.stdin.readline():
        asked = json.loads(line)
        folder = Path(asked["folder"])
        say(all_at_once(asked["runs"], folder, announced=asked["announced"]))


if __name__ == "__main__":
    main()
