"""Another process that changes the database with plain SQL, as an operator at a console does.

``python gate_plain_sql.py URL`` reads a statement a line, with its parameters, as JSON; commits it
and says so by a line.
"""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg


@dataclass(frozen=True)
class Console:
    """The process."""

    process: subprocess.Popen[str]
    is_sqlite: bool

    def moment(self, moment: datetime) -> str:
        """Write a moment in UTC as the service stores it."""
        written = moment.isoformat(" ")
        return written.removesuffix("+00:00") if self.is_sqlite else written

    def execute(self, statement: str, *parameters: object) -> None:
        """Change a row by a statement with ``?`` in it; it is committed when this returns."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([statement, *parameters]) + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "1\n", "one row was to be changed"


@contextmanager
def console(variables: Mapping[str, str]) -> Iterator[Console]:
    """Start it on the database that the variables name."""
    location = variables.get("DATABASE_URL", variables.get("SQLITE_FILE", ""))
    command = [sys.executable, __file__, location]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Console(process, is_sqlite="DATABASE_URL" not in variables)
        finally:
            assert process.stdin is not None
            process.stdin.close()


def _connect(location: str) -> Any:  # noqa: ANN401 - either driver's
    if location.startswith("postgres"):
        return psycopg.connect(location, autocommit=True)
    connection = sqlite3.connect(location, isolation_level=None, timeout=30)
    connection.execute("PRAGMA foreign_keys=ON")
    return connection


def _serve(location: str) -> None:
    with closing(_connect(location)) as connection:
        for line in sys.stdin:
            statement, *parameters = json.loads(line)
            if location.startswith("postgres"):
                statement = statement.replace("?", "%s")
            changed = connection.execute(statement, parameters).rowcount
            sys.stdout.write(f"{changed}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    _serve(sys.argv[1])
