"""One service with four workers for each engine; every test finds it with empty tables."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from app.extensions import db
from tests.support.clients import Browser
from tests.support.databases import EngineName, ScratchDatabases, delete_rows
from tests.support.deployments import Deployment, deployed
from tests.support.keeper import Keeper
from tests.support.outsiders import Outsiders, outsiders
from tests.support.units import engine_of


@pytest.fixture(scope="session")
def providers(keeper: Keeper) -> Outsiders:
    """Give the identity providers that the service knows."""
    return keeper.once(("providers",), outsiders)


@pytest.fixture(scope="session")
def kept_deployment(
    engine_name: EngineName,
    keeper: Keeper,
    providers: Outsiders,
    scratch_database: ScratchDatabases,
    tmp_path_factory: pytest.TempPathFactory,
) -> Deployment:
    return keeper.once(
        ("deployment", engine_name),
        lambda: deployed(
            {**scratch_database(), **providers.variables()}, tmp_path_factory.mktemp("deployment")
        ),
    )


@pytest.fixture
def deployment(kept_deployment: Deployment) -> Iterator[Deployment]:
    """Give the service with empty tables."""
    yield kept_deployment
    delete_rows(engine_of(kept_deployment.app), db.metadata)


@pytest.fixture
def app(deployment: Deployment) -> Flask:
    """Give an application on the database of the service, to arrange and to look."""
    return deployment.app


@pytest.fixture
def new_client(deployment: Deployment) -> Callable[[], Browser]:
    """Open one more browser, which asks over the wire."""
    return deployment.browser
