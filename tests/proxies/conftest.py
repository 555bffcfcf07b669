"""One platform behind a real nginx; every test finds it with nobody on it and nothing recorded."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import delete

from app.models import User
from tests.browser.visitors import PATIENCE_MS
from tests.support.chromium import chromium
from tests.support.keeper import Keeper
from tests.support.platform_visitors import PlatformVisitor, flags_for
from tests.support.platforms import Platform, platform_on
from tests.support.tls_clients import Doors
from tests.support.units import run_unit


@pytest.fixture(scope="session")
def kept_platform(keeper: Keeper, tmp_path_factory: pytest.TempPathFactory) -> Platform:
    """Start everything once, on SQLite: what a proxy does depends on no engine."""
    folder = tmp_path_factory.mktemp("platform")
    database = {"SQLITE_FILE": str(folder / "openbadges.db")}
    return keeper.once("platform", lambda: platform_on(database, folder))


@pytest.fixture
def platform(kept_platform: Platform) -> Iterator[Platform]:
    """Give the platform, its applications registered and nobody signed in.

    A test that stops a part starts it again.
    """
    kept_platform.forget()
    yield kept_platform
    run_unit(kept_platform.app, lambda session: session.execute(delete(User)))


@pytest.fixture
def doors(platform: Platform) -> Doors:
    """Open connections to the platform's hosts."""
    return Doors(port=platform.port, authority=platform.authority)


@pytest.fixture(scope="session")
def browser(keeper: Keeper, kept_platform: Platform) -> Iterator[Browser]:
    """Start a Chromium that finds the platform's hosts and believes their certificates."""
    expect.set_options(timeout=PATIENCE_MS)
    with chromium(keeper, *flags_for(kept_platform)) as started:
        yield started


NewVisitor = Callable[..., PlatformVisitor]


@pytest.fixture
def new_visitor(browser: Browser, platform: Platform) -> Iterator[NewVisitor]:
    """Open browser profiles without cookies, each with an authenticator of its own."""
    opened: list[PlatformVisitor] = []

    def open_one(**options: Any) -> PlatformVisitor:  # noqa: ANN401 - as a visitor takes them
        opened.append(PlatformVisitor(browser, platform, **options))
        return opened[-1]

    yield open_one
    for visitor in opened:
        visitor.context.close()


@pytest.fixture
def visitor(new_visitor: NewVisitor) -> PlatformVisitor:
    return new_visitor()
