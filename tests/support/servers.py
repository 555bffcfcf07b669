"""The real service for a test: gunicorn with workers and threads, on a free loopback port."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from tests.support.clients import WireBrowser

ROOT = Path(__file__).parents[2]
START_SECONDS = 30
STOP_SECONDS = 10


@dataclass(kw_only=True)
class Server:
    """A service that can be started, asked, killed and started again, and what it has logged."""

    origin: str
    """The public origin; browsers and authenticators believe that they are there."""
    port: int
    workers: int
    environment: Mapping[str, str]
    log_file: Path
    folder: Path = ROOT
    """Where the code is, for tests that run another release of it."""
    process: subprocess.Popen[bytes] = field(init=False)
    _logged_before: int = field(default=0, init=False)

    def log(self) -> str:
        """Give everything that the service has written so far."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def flask(self, *arguments: str) -> str:
        """Run a command of the service beside it and give what it printed."""
        return _flask(self.environment, *arguments, folder=self.folder)

    def browser(self, **options: bool) -> WireBrowser:
        """Open a browser that asks this service over the wire."""
        return WireBrowser("127.0.0.1", self.port, **options)

    def start(self, *wrapper: str) -> None:
        """Start the service, under a program such as strace where one is named.

        Raises:
            RuntimeError: it did not answer in time; the message holds its log.
        """
        self._logged_before = len(self.log())
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [*wrapper, sys.executable, "-m", "gunicorn", "wsgi:app"],
                cwd=self.folder,
                env=dict(self.environment),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._await_answer()

    def stop(self) -> None:
        """Stop as an operator does; what does not stop in time is killed."""
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Kill master and workers in one moment, as a machine that runs out of memory may."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def worker_pids(self) -> list[int]:
        """Give the processes that answer requests now, oldest first."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text().split()]

    def is_ready(self) -> bool:
        """Ask the service whether it can work."""
        request = Request(
            f"http://127.0.0.1:{self.port}/readyz", headers={"Host": urlsplit(self.origin).netloc}
        )
        try:
            with urlopen(request, timeout=2):  # noqa: S310 - as above
                return True
        except (URLError, OSError):
            return False

    def await_ready(self, seconds: float) -> float:
        """Wait until the service can work and give how long that took, in seconds."""
        began_at = time.monotonic()
        while not self.is_ready():
            assert time.monotonic() - began_at < seconds, f"not ready in time:\n{self.log()}"
            time.sleep(0.02)
        return time.monotonic() - began_at

    def _await_answer(self) -> None:
        give_up_at = time.monotonic() + START_SECONDS
        while time.monotonic() < give_up_at and self.process.poll() is None:
            # The first worker answers while the others still start.
            booted = self.log()[self._logged_before :].count("Booting worker")
            if booted >= self.workers and self.is_ready():
                return
            time.sleep(0.05)
        message = f"the service did not answer:\n{self.log()}"
        raise RuntimeError(message)


def free_port() -> int:
    """Find a loopback port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running_server(
    variables: Mapping[str, str],
    log_file: Path,
    *,
    workers: int = 2,
    threads: int = 4,
    origin: str | None = None,
    folder: Path = ROOT,
) -> Iterator[Server]:
    """Migrate the database, serve until the block ends, and stop whatever happens.

    The public origin is the port's own, unless another one is named.

    Raises:
        RuntimeError: the service did not answer in time; the message holds its log.
    """
    port = free_port()
    origin = origin or f"http://localhost:{port}"
    environment = {
        **_inherited(),
        "FLASK_APP": "app:create_command_app",
        "WEB_CONCURRENCY": str(workers),
        "THREADS": str(threads),
        **variables,
        "PORT": str(port),
        "PUBLIC_ORIGIN": origin,
    }
    _flask(environment, "db", "upgrade", folder=folder)
    server = Server(
        origin=origin,
        port=port,
        workers=workers,
        environment=environment,
        log_file=log_file,
        folder=folder,
    )
    try:
        server.start()
        yield server
    finally:
        server.stop()


def _inherited() -> dict[str, str]:
    # What finds programs and what libpq reads: a developer's own settings stay out of the tests.
    return {
        name: value
        for name, value in os.environ.items()
        if name in {"PATH", "HOME", "LANG"} or name.startswith("PG")
    }


def _flask(environment: Mapping[str, str], *arguments: str, folder: Path) -> str:
    command = [sys.executable, "-m", "flask", *arguments]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        message = f"flask {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}"
        raise RuntimeError(message)
    return done.stdout
