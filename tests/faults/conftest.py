"""A service of its own for each test, which may kill it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.databases import EngineName, ScratchDatabases
from tests.support.deployments import Deployment, deployed
from tests.support.journal import Journal
from tests.support.keeper import Keeper
from tests.support.migrators import Migrators, started_migrators
from tests.support.stepping import Stage, stage

Deploy = Callable[..., Deployment]


@pytest.fixture
def deploy(scratch_database: ScratchDatabases, tmp_path: Path) -> Iterator[Deploy]:
    """Start the service on a new database, with four workers unless the test says otherwise."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(
            deployed(scratch_database(), tmp_path, **options)
        )


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """Keep what the service acknowledged."""
    return Journal(file=tmp_path / "journal")


@pytest.fixture(scope="session")
def migrators(keeper: Keeper, tmp_path_factory: pytest.TempPathFactory) -> Migrators:
    """Run many migrations for the price of one start."""
    folder = tmp_path_factory.mktemp("migrators")
    return keeper.once("migrators", lambda: started_migrators(folder))


@pytest.fixture
def theatre(
    engine_name: EngineName,
    keeper: Keeper,
    scratch_database: ScratchDatabases,
    tmp_path_factory: pytest.TempPathFactory,
) -> Stage:
    """Play stories that are broken at a chosen moment, many for the price of one start."""
    folder = tmp_path_factory.mktemp("stage")
    return keeper.once(("stage", engine_name), lambda: stage(scratch_database(), folder))
