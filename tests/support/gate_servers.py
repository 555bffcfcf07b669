"""The session gate as processes of its own, beside the service or without it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.connections import written
from tests.support.servers import ROOT, free_port

START_SECONDS = 30
STOP_SECONDS = 10
CHECK = "/api/auth/verify"


@dataclass(kw_only=True)
class GateServer:
    """A `flask gate` that can be started, asked, stopped and killed, and what it has logged."""

    environment: Mapping[str, str]
    log_file: Path
    process: subprocess.Popen[bytes] = field(init=False)

    @property
    def port(self) -> int:
        return int(self.environment["GATE_PORT"])

    def start(self) -> None:
        """Start it, and see that it answers and has all of its workers."""
        self.launch()
        self.await_answer()
        give_up_at = time.monotonic() + START_SECONDS
        while len(self.worker_pids()) < int(self.environment.get("GATE_WORKERS", "1")):
            assert time.monotonic() < give_up_at, f"a worker is missing:\n{self.log()}"
            time.sleep(0.05)

    def launch(self) -> None:
        """Start it, whatever becomes of it."""
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "flask", "gate"],
                cwd=ROOT,
                env=dict(self.environment),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def status(self) -> int | None:
        """Give the status with which it answers somebody who is nobody; None where it does not."""
        try:
            with self.connect() as connection:
                connection.sendall(written("GET", CHECK, headers={"Connection": "close"}))
                return int(connection.recv(4096).split()[1])
        except (OSError, IndexError):
            return None

    def connect(self) -> socket.socket:
        bind = self.environment.get("GATE_BIND", "")
        if not bind.startswith("unix:"):
            return socket.create_connection(("127.0.0.1", self.port), timeout=5)
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(5)
        try:
            connection.connect(bind.removeprefix("unix:"))
        except OSError:
            connection.close()
            raise
        return connection

    def await_answer(self) -> None:
        give_up_at = time.monotonic() + START_SECONDS
        while self.status() is None:
            assert self.process.poll() is None, f"the gate ended:\n{self.log()}"
            assert time.monotonic() < give_up_at, f"the gate does not answer:\n{self.log()}"
            time.sleep(0.05)

    def worker_pids(self) -> list[int]:
        """Give the processes that answer, oldest first."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text().split()]

    def stop(self) -> float:
        """Stop it as a supervisor does, and give how long that took, in seconds."""
        began_at = time.monotonic()
        self.process.terminate()
        self.process.wait(STOP_SECONDS)
        return time.monotonic() - began_at

    def kill(self) -> None:
        """Kill it with all of its workers."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def gate_process(
    environment: Mapping[str, str], folder: Path, **variables: str
) -> Iterator[GateServer]:
    """Serve the gate on a port of its own until the block ends.

    ``environment`` is a whole one, such as a service's own; ``variables`` come on top.
    """
    port = free_port()
    gate = GateServer(
        environment={**environment, "GATE_PORT": str(port), **variables},
        log_file=folder / f"gate-{port}.log",
    )
    try:
        gate.start()
        yield gate
    finally:
        gate.kill()


@contextmanager
def gate_processes(
    environment: Mapping[str, str], folder: Path, *, number: int = 2, **variables: str
) -> Iterator[list[GateServer]]:
    """Serve several gates, each a process of its own with one worker."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(gate_process(environment, folder, **variables))
            for _ in range(number)
        ]
