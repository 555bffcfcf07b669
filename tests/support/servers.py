"""The real service for a test: gunicorn with workers and threads, on a free loopback port."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

ROOT = Path(__file__).parents[2]
START_SECONDS = 20
STOP_SECONDS = 10


@dataclass(frozen=True, kw_only=True)
class Server:
    """A service that answers, and what it has logged."""

    origin: str
    environment: Mapping[str, str]
    log_file: Path
    process: subprocess.Popen[bytes]

    def log(self) -> str:
        """Give everything that the service has written so far."""
        return self.log_file.read_text()

    def flask(self, *arguments: str) -> str:
        """Run a command of the service beside it and give what it printed."""
        return _flask(self.environment, *arguments)


def free_port() -> int:
    """Find a loopback port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running_server(
    variables: Mapping[str, str], log_file: Path, *, workers: int = 2, threads: int = 4
) -> Iterator[Server]:
    """Migrate the database, serve until the block ends, and stop whatever happens.

    Raises:
        RuntimeError: the service did not answer in time; the message holds its log.
    """
    port = free_port()
    origin = f"http://localhost:{port}"
    environment = {
        **_inherited(),
        "FLASK_APP": "app:create_command_app",
        "WEB_CONCURRENCY": str(workers),
        "THREADS": str(threads),
        **variables,
        "PORT": str(port),
        "PUBLIC_ORIGIN": origin,
    }
    _flask(environment, "db", "upgrade")
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "wsgi:app"],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    server = Server(origin=origin, environment=environment, log_file=log_file, process=process)
    try:
        _await_answer(server, workers)
        yield server
    finally:
        _stop(process)


def _inherited() -> dict[str, str]:
    # What finds programs and what libpq reads: a developer's own settings stay out of the tests.
    return {
        name: value
        for name, value in os.environ.items()
        if name in {"PATH", "HOME", "LANG"} or name.startswith("PG")
    }


def _flask(environment: Mapping[str, str], *arguments: str) -> str:
    command = [sys.executable, "-m", "flask", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        message = f"flask {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}"
        raise RuntimeError(message)
    return done.stdout


def _await_answer(server: Server, workers: int) -> None:
    give_up_at = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up_at and server.process.poll() is None:
        # The first worker answers while the others still start.
        if server.log().count("Booting worker") >= workers and _is_ready(server):
            return
        time.sleep(0.05)
    message = f"the service did not answer:\n{server.log()}"
    raise RuntimeError(message)


def _is_ready(server: Server) -> bool:
    try:
        with urlopen(f"{server.origin}/readyz", timeout=2):  # noqa: S310 - our own origin
            return True
    except (URLError, OSError):
        return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        # The group is the master's own: its workers must not outlive the test.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
