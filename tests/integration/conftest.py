"""What several files share: a provider without a network, and the gate's own server."""

from collections.abc import Iterator
from functools import partial

import pytest
from flask import Flask

from tests.support.gate_clients import Play, played
from tests.support.outside_accounts import QuietProvider, provider_settings, switched_on


@pytest.fixture
def github(app: Flask) -> Iterator[QuietProvider]:
    provider = QuietProvider(settings=provider_settings(store_tokens=True))
    for name in ("ada", "eve", "second"):
        provider.add(name)
    with switched_on(app, provider):
        yield provider


@pytest.fixture(params=["in the loop", "in threads"])
def play(request: pytest.FixtureRequest) -> Play:
    """Serve while a scene is played."""
    return partial(played, asks_in_threads=request.param == "in threads")
