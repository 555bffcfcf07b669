"""The service with four workers, and an application in this process on the same database."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask

from tests.support.clients import WireBrowser
from tests.support.servers import Server, running_server
from tests.support.units import application_on
from tests.support.variables import DEVELOPMENT, ORIGIN

WORKERS = 4
_MORE_TRIALS = 100
_A_SHARE_SECONDS = 0.002
"""Longer than a worker computes that only tells its master that it lives."""


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


def until_every_worker_works(deployment: Deployment, trials: int) -> Iterator[int]:
    """Count the trials, and go on until each of the workers had its share of them."""
    before = {pid: cpu_seconds(pid) for pid in deployment.server.worker_pids()}
    assert len(before) == WORKERS
    for number in range(trials + _MORE_TRIALS):
        if number >= trials and all(
            cpu_seconds(pid) - seconds > _A_SHARE_SECONDS for pid, seconds in before.items()
        ):
            return
        yield number
    pytest.fail("a worker answers nothing")


def cpu_seconds(pid: int) -> float:
    """Give the time that a process's threads have spent computing (Linux's `schedstat`)."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9
