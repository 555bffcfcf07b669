"""How the programs of the candidates are started."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.config import ServiceSettings
from app.places import QUEUE
from bench.session_check import better_auth_seed
from bench.session_check.candidates import Candidate
from bench.session_check.errors import Unavailable
from bench.session_check.folders import ORIGIN, PEERS, ROOT
from bench.session_check.installs import bun, node, python_of

_KEY = "c2Vzc2lvbi1jaGVjay1iZW5jaG1hcmsta2V5LTAwMDE"
"""32 bytes for the service's own settings, which want them."""
_THREADS = ServiceSettings.threads + QUEUE + 1


@dataclass(frozen=True, kw_only=True)
class Launch:
    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str]


def launch_of(candidate: Candidate, *, address: str, port: int) -> Launch:
    """Say how to start a candidate, installing what it needs. Raises ``Unavailable``."""
    match candidate.program:
        case "web" | "gate":
            return _service(candidate, _procfile_line(candidate.program), address, port)
        case "hello":
            return _service(candidate, "gunicorn bench.peers.hello.peer:app", address, port)
        case "gate-hello":
            return _service(candidate, "python -m bench.peers.hello.gate_server", address, port)
        case "gunicorn":
            settings = ["--config", "../gunicorn.conf.py", "--bind", f"127.0.0.1:{port}"]
            command = [python_of(candidate.peer), "-m", "gunicorn", *settings, "peer:app"]
        case "uvicorn":
            quiet = ["--no-access-log", "--log-level", "warning"]
            command = [python_of(candidate.peer), "-m", "uvicorn", "--port", str(port), *quiet]
            command.append("peer:app")
        case "bun":
            command = [bun(), "bun.mjs"]
        case script:
            command = [node(), script]
    environment = {
        **better_auth_seed.environment(address),
        "PORT": str(port),
        "BENCH_THREADS": str(_THREADS),
        **candidate.environment,
    }
    return Launch(command=command, folder=PEERS / candidate.peer, environment=environment)


def _procfile_line(process: str) -> str:
    for line in (ROOT / "Procfile").read_text().splitlines():
        name, _, command = line.partition(":")
        if name == process:
            return command.strip()
    raise Unavailable(f"the Procfile has no line {process}")


def _service(candidate: Candidate, line: str, address: str, port: int) -> Launch:
    database = "DATABASE_URL" if candidate.is_on_postgresql else "SQLITE_FILE"
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PUBLIC_ORIGIN": ORIGIN,
        "SECRET_KEYS": _KEY,
        "WEB_CONCURRENCY": "1",
        database: address,
        "PORT": str(port),
        "GATE_PORT": str(port),
        **candidate.environment,
    }
    # As a process manager runs a line of the Procfile.
    return Launch(command=["/bin/sh", "-c", f"exec {line}"], folder=ROOT, environment=environment)
