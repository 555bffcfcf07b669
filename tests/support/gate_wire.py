"""What is asked on the database connections that this process opens, as the drivers see it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, repeat
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

_DONE = "\tCommandComplete\t"


@dataclass
class Wire:
    """Statements that were carried out: SQLite's as they are, PostgreSQL's by their tags."""

    folder: Path
    connections: list[Any] = field(default_factory=list)
    files: list[int] = field(default_factory=list)
    _asked: list[str] = field(default_factory=list)
    _forgotten: list[int] = field(default_factory=list)

    @property
    def opened(self) -> int:
        return len(self.connections)

    def listen(self, connection: Any) -> None:  # noqa: ANN401 - either driver's
        """Listen to a connection that was just opened."""
        self.connections.append(connection)
        if hasattr(connection, "set_trace_callback"):
            connection.set_trace_callback(self._asked.append)
            return
        self.files.append(os.open(self.folder / f"trace-{len(self.files)}", os.O_CREAT | os.O_RDWR))
        connection.pgconn.trace(self.files[-1])

    def forget(self) -> None:
        """Begin anew."""
        self._forgotten = [len(source) for source in self._sources()]

    def statements(self) -> list[str]:
        """Give what was carried out since, connection by connection."""
        begun = chain(self._forgotten, repeat(0))
        return [
            one
            for source, known in zip(self._sources(), begun, strict=False)
            for one in source[known:]
        ]

    def _sources(self) -> list[list[str]]:
        traces = [self.folder / f"trace-{number}" for number in range(len(self.files))]
        return [self._asked, *(_tags(trace.read_text()) for trace in traces)]


def _tags(trace: str) -> list[str]:
    lines = (line for line in trace.splitlines() if _DONE in line)
    return [line.partition(_DONE)[2].strip(' "') for line in lines]


@contextmanager
def wire(folder: Path) -> Iterator[Wire]:
    """Listen to whatever is opened until the block ends."""
    made = Wire(folder)

    def listen(connection: Any, _record: object) -> None:  # noqa: ANN401
        made.listen(connection)

    event.listen(Engine, "connect", listen)
    try:
        yield made
    finally:
        event.remove(Engine, "connect", listen)
        for file in made.files:
            os.close(file)
