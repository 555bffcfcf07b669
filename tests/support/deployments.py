"""The service with four workers, and an application in this process on the same database."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flask import Flask

from tests.support.clients import WireBrowser
from tests.support.servers import Server, running_server
from tests.support.units import application_on
from tests.support.variables import DEVELOPMENT, ORIGIN

WORKERS = 4


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """What is tried, and the way to look behind it."""

    server: Server
    app: Flask
    """Reads and changes the same database directly, for arranging and for looking."""
    variables: Mapping[str, str]
    folder: Path

    def browser(self) -> WireBrowser:
        """Open a browser with no cookies yet."""
        return self.server.browser()


@contextmanager
def deployed(
    database: Mapping[str, str], folder: Path, *, workers: int = WORKERS, **variables: str
) -> Iterator[Deployment]:
    """Serve a new database until the block ends, at the origin that the tests' people know."""
    everything = {**DEVELOPMENT, **database, **variables}
    log_file = folder / "service.log"
    with (
        running_server(everything, log_file, workers=workers, origin=ORIGIN) as server,
        application_on(everything) as app,
    ):
        try:
            yield Deployment(server=server, app=app, variables=everything, folder=folder)
        finally:
            # A stop is tried elsewhere; here it would only cost its seconds.
            server.kill()
