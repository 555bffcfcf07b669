"""Unit tests touch no database: a connection is refused before it is made. Providers are local."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, event

from tests.support.providers_on_loopback import HonestProvider, Loopback, Stopwatch, listening


def _refuse(*_: object) -> None:
    message = "a unit test asked for a database; it belongs in tests/integration"
    raise RuntimeError(message)


# By module rather than by test: hypothesis runs a test many times within one of its fixtures.
@pytest.fixture(autouse=True, scope="module")
def no_database() -> Iterator[None]:
    event.listen(Engine, "do_connect", _refuse)
    yield
    event.remove(Engine, "do_connect", _refuse)


@pytest.fixture
def honest() -> Iterator[HonestProvider]:
    """Run an OpenID provider that tells the truth, unless the test says otherwise."""
    with listening(Loopback()) as loopback:
        yield HonestProvider(loopback)


@pytest.fixture
def stopwatch() -> Stopwatch:
    """Give a provider's time, which passes when it is told to."""
    return Stopwatch()
