"""Unit tests touch no database: a connection is refused before it is made."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, event


def _refuse(*_: object) -> None:
    message = "a unit test asked for a database; it belongs in tests/integration"
    raise RuntimeError(message)


# By module rather than by test: hypothesis runs a test many times within one of its fixtures.
@pytest.fixture(autouse=True, scope="module")
def no_database() -> Iterator[None]:
    event.listen(Engine, "do_connect", _refuse)
    yield
    event.remove(Engine, "do_connect", _refuse)
