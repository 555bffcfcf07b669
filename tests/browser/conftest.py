"""Fixtures of the browser tests: a Chromium a worker, and the real service on each engine."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.outside import Outside, outside_service
from tests.browser.visitors import PATIENCE_MS, Visitor
from tests.support.chromium import chromium
from tests.support.databases import EngineName, ScratchDatabases
from tests.support.keeper import Keeper
from tests.support.servers import Server, running_server
from tests.support.variables import DEVELOPMENT

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser(keeper: Keeper) -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    with chromium(keeper) as started:
        yield started


@pytest.fixture(scope="session")
def server(
    engine_name: EngineName,
    keeper: Keeper,
    scratch_database: ScratchDatabases,
    tmp_path_factory: pytest.TempPathFactory,
) -> Server:
    """Serve one database to all tests of a worker: each test makes accounts of its own."""

    def start() -> AbstractContextManager[Server]:
        log_file = tmp_path_factory.mktemp("server") / "service.log"
        return running_server({**DEVELOPMENT, **scratch_database()}, log_file)

    return keeper.once(("server", engine_name), start)


@pytest.fixture(scope="session")
def outside(
    engine_name: EngineName,
    keeper: Keeper,
    scratch_database: ScratchDatabases,
    tmp_path_factory: pytest.TempPathFactory,
) -> Outside:
    """Serve with two providers; a module that asks for it has this ``server``, too."""

    def start() -> AbstractContextManager[Outside]:
        return outside_service(scratch_database(), tmp_path_factory.mktemp("outside"))

    return keeper.once(("outside", engine_name), start)


NewVisitor = Callable[..., Visitor]


@pytest.fixture
def new_visitor(browser: Browser, server: Server) -> Iterator[NewVisitor]:
    """Open browser profiles without cookies; in the end none of them may have complained."""
    opened: list[Visitor] = []

    def open_one(**options: Any) -> Visitor:  # noqa: ANN401 - as a visitor takes them
        opened.append(Visitor(browser, server.origin, **options))
        return opened[-1]

    yield open_one
    complaints = [complaint for visitor in opened for complaint in visitor.complaints]
    for visitor in opened:
        visitor.context.close()
    assert complaints == []


@pytest.fixture
def visitor(new_visitor: NewVisitor) -> Visitor:
    return new_visitor()
