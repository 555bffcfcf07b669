"""A provider without a network that several files sign people in with."""

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.support.outside_accounts import QuietProvider, provider_settings, switched_on


@pytest.fixture
def github(app: Flask) -> Iterator[QuietProvider]:
    provider = QuietProvider(settings=provider_settings(store_tokens=True))
    for name in ("ada", "eve", "second"):
        provider.add(name)
    with switched_on(app, provider):
        yield provider
