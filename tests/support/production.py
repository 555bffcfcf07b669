"""The service as it runs in production: https, boot checks, a proxy in front where one is named."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from app import create_app, create_service
from app.cli.db import run_migrations
from app.config import load_settings
from tests.support.authenticator import Authenticator
from tests.support.clients import InProcessBrowser
from tests.support.databases import ScratchDatabases
from tests.support.units import give_up_connections
from tests.support.variables import DEVELOPMENT

SECURE_ORIGIN = "https://id.example.org"
PRODUCTION: Mapping[str, str] = {
    **DEVELOPMENT,
    "APP_ENV": "production",
    "PUBLIC_ORIGIN": SECURE_ORIGIN,
}

MakeService = Callable[..., Flask]


class SecureBrowser(InProcessBrowser):
    """A browser on a page of the service in production."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:  # noqa: ANN401 - as inherited
        kwargs.setdefault("base_url", SECURE_ORIGIN)
        return super().open(*args, **kwargs)


def secure_browser(app: Flask) -> SecureBrowser:
    return SecureBrowser(app, app.response_class)


def secure_phone() -> Authenticator:
    return Authenticator(origin=SECURE_ORIGIN)


@contextmanager
def services(scratch_database: ScratchDatabases) -> Iterator[MakeService]:
    """Give a maker of services, each on a migrated database of its own, ended with the block."""
    made: list[Flask] = []

    def make(**variables: str) -> Flask:
        settings = load_settings({**PRODUCTION, **scratch_database(), **variables})
        schema = create_app(settings)
        run_migrations(schema)
        made.extend((schema, service := create_service(settings)))
        return service

    try:
        yield make
    finally:
        for app in made:
            give_up_connections(app)
