"""Scratch databases on both engines, and how they are emptied between tests."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, Protocol

from sqlalchemy import Engine, MetaData, delete

from app.database import WRITES
from tests.support.postgresql import postgresql_server

EngineName = Literal["sqlite", "postgresql"]
ENGINE_NAMES: tuple[EngineName, ...] = ("sqlite", "postgresql")


class ScratchDatabases(Protocol):
    """Makes a new, empty database and gives the variables that point the service at it."""

    def __call__(self) -> Mapping[str, str]: ...


@contextmanager
def scratch_databases(engine_name: EngineName, folder: Path) -> Iterator[ScratchDatabases]:
    """Give a maker of databases; what it made is gone when the block ends."""
    if engine_name == "postgresql":
        with postgresql_server() as server:
            yield lambda: {"DATABASE_URL": server.create_database()}
    else:
        numbers = iter(range(1_000_000))
        yield lambda: {"SQLITE_FILE": str(folder / f"scratch-{next(numbers)}.db")}


def delete_rows(engine: Engine, metadata: MetaData) -> None:
    """Empty every table for real, so that other connections and threads see it."""
    with engine.execution_options(**{WRITES: True}).begin() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(delete(table))
