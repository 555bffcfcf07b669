"""A service of its own for each test, which may kill it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.databases import ScratchDatabases
from tests.support.deployments import Deployment, deployed
from tests.support.journal import Journal

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
