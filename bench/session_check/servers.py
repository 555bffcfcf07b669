"""A candidate's server: started on its core, asked until it answers, measured, stopped."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from bench.session_check.candidates import Candidate
from bench.session_check.errors import Unavailable
from bench.session_check.folders import DATA, SERVER_CORE
from bench.session_check.launches import Launch, launch_of
from bench.session_check.stores import Store

_PATIENCE_SECONDS = 60
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running candidate; ``leaders`` lead the process sessions of all that works for it."""

    candidate: Candidate
    store: Store
    leaders: tuple[int, ...]
    port: int

    def processor_seconds(self) -> float:
        """Give what all its processes have used so far."""
        return sum(_processor_seconds(pid) for pid in _processes_of(self.leaders))

    def worker_megabytes(self) -> float:
        """Give the PSS of the process that does the work: the one that has worked most."""
        worker = max(_processes_of(self.leaders), key=_processor_seconds)
        return _pss_bytes(worker) / 1_000_000


@contextmanager
def started(candidate: Candidate, store: Store, *, core: int = SERVER_CORE) -> Iterator[Server]:
    """Run a candidate on one core for as long as the block runs. Raises ``Unavailable``."""
    port = free_port()
    launch = launch_of(candidate, address=store.address, port=port)
    with running(launch, core=core, name=candidate.key) as process:
        server = Server(candidate=candidate, store=store, leaders=(process.pid,), port=port)
        wait_until_it_answers(server, process)
        yield server


@contextmanager
def running(launch: Launch, *, core: int, name: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a program of any kind on one core; what it says goes to a file of its own."""
    log = DATA / "logs" / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - a candidate of ours
            ["/usr/bin/env", "taskset", "-c", str(core), *launch.command],
            cwd=launch.folder,
            env=dict(launch.environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def free_port() -> int:
    """Give a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def wait_until_it_answers(server: Server, process: "subprocess.Popen[bytes]") -> None:
    """Ask about a good session until it is let in. Raises ``Unavailable`` if it never is."""
    candidate = server.candidate
    with server.store.questions.open() as file:
        cookie = next(line for line in file if not line.endswith("\t\n")).partition("\t")[0]
    give_up_at = time.monotonic() + _PATIENCE_SECONDS
    status = 0
    while time.monotonic() < give_up_at and process.poll() is None:
        try:
            status = _ask(server, cookie)
        except OSError:
            time.sleep(0.05)
            continue
        if status == candidate.answers.accepted:
            return
        break
    log = DATA / "logs" / f"{candidate.key}.log"
    last = log.read_text(errors="replace").strip().rpartition("\n")[2][:300]
    said = f"answered {status} to a good session" if status else "did not start"
    raise Unavailable(f"it {said}; its last words: {last or 'none'}")


def _ask(server: Server, cookie: str) -> int:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    headers = {"Host": server.candidate.host, "Cookie": cookie}
    try:
        connection.request("GET", server.candidate.path, headers=headers)
        answer = connection.getresponse()
        answer.read()
    finally:
        connection.close()
    return answer.status


def _processes_of(sessions: tuple[int, ...]) -> list[int]:
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            fields = _stat(int(folder.name))
            # proc(5): the sixth field is the session; three are gone with the name in brackets.
            if fields and int(fields[3]) in sessions:
                found.append(int(folder.name))
    return found


def _processor_seconds(pid: int) -> float:
    # proc(5): fields 14 and 15 are the times.
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / _TICKS if fields else 0.0


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _pss_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise Unavailable("/proc tells no PSS here")
