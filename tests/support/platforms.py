"""The whole platform for a test: nginx with TLS, the service, its gate, and applications behind.

The server blocks are those that `flask apps nginx` prints, and everything they include is what
deploy/nginx ships.
"""

import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from flask import Flask

from tests.support.authorities import Authority
from tests.support.gate_servers import GateServer, gate_process
from tests.support.nginx import Nginx
from tests.support.platform_sites import HOSTS, REGISTERED, origins_at, register, sites
from tests.support.recorders import Recorder, recorder
from tests.support.servers import Server, free_port, running_server
from tests.support.units import application_on
from tests.support.variables import DEVELOPMENT

_SECONDS = 15


@dataclass(frozen=True, kw_only=True)
class Platform:
    """What is tried, its parts, which can be stopped and started, and the way to look behind."""

    port: int
    """Where nginx listens for every host, with TLS."""
    authority: Path
    """The certificate to believe."""
    nginx: Nginx
    service: Server
    gate: GateServer
    applications: Mapping[str, Recorder]
    """By id: what is behind the proxy, with what it has received."""
    app: Flask
    """Reads and changes the same database directly, for arranging and for looking."""

    def host(self, name: str) -> str:
        """Give the host name of an application's id, or of `identity`."""
        return HOSTS[name]

    def origin(self, name: str) -> str:
        """Give the origin of an application's id, or of `identity`."""
        return origins_at(self.port)[name]

    def sql(self, statement: str, *values: str) -> None:
        """Change the database as another program does, which knows nothing of the service."""
        file = self.service.environment["SQLITE_FILE"]
        with closing(sqlite3.connect(file, timeout=_SECONDS)) as connection, connection:
            connection.execute(statement, values)

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Halt the service and its gate until the block ends: connections are taken, no answers."""
        halted = [one.process.pid for one in (self.service, self.gate)]
        for pid in halted:
            os.killpg(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in halted:
                os.killpg(pid, signal.SIGCONT)

    def await_recovery(self, is_well: Callable[[], bool]) -> None:
        """Wait until all is well again, which may take nginx a second or two."""
        give_up_at = time.monotonic() + _SECONDS
        while not is_well():
            assert time.monotonic() < give_up_at, self.nginx.log()[-2000:]
            time.sleep(0.1)

    def forget(self) -> None:
        """Let the applications forget what they have received."""
        for one in self.applications.values():
            one.forget()


@contextmanager
def platform_on(database: Mapping[str, str], folder: Path) -> Iterator[Platform]:
    """Start everything on a new database, and stop it when the block ends."""
    port = free_port()
    authority = Authority(folder)
    variables = {**DEVELOPMENT, **database, "APP_ENV": "production", "TRUSTED_PROXIES": "1"}
    origin = origins_at(port)["identity"]
    with ExitStack() as stack:
        service = stack.enter_context(
            running_server(variables, folder / "service.log", origin=origin)
        )
        # A stop is tried elsewhere; here it would only cost its seconds.
        stack.callback(service.kill)
        gate = stack.enter_context(gate_process(service.environment, folder))
        applications = {name: stack.enter_context(recorder(name)) for name in REGISTERED}
        app = stack.enter_context(application_on({**variables, "PUBLIC_ORIGIN": origin}))
        certificates = authority.certify([*HOSTS.values()])
        configured = sites(
            (port, service.port, gate.port),
            {name: one.port for name, one in applications.items()},
            register(app, port, certificates),
            certificates,
        )
        (folder / "nginx").mkdir()
        nginx = Nginx(folder / "nginx", configured)
        stack.callback(nginx.stop)
        nginx.start()
        yield Platform(
            port=port,
            authority=authority.file,
            nginx=nginx,
            service=service,
            gate=gate,
            applications=applications,
            app=app,
        )
