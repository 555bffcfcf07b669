"""What a start costs: time to the first answer and memory, beside a bare Flask application.

Linux alone, since memory is read from /proc. Nothing here is part of the service.
"""

import argparse
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
WORKERS = 2
THREADS = 4
PATIENCE_SECONDS = 60
# Enough for both workers to have answered some: what a request imports or makes is then counted.
REQUESTS = 40

HELLO = """
from flask import Flask
app = Flask(__name__)
app.add_url_rule("/readyz", view_func=lambda: "ready", endpoint="readyz")
"""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A program to start: its name in the table, where and how it runs."""

    name: str
    folder: Path
    arguments: Sequence[str]
    environment: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Start:
    """One start: seconds from exec to the first answer, the master's processor seconds, MB."""

    seconds: float
    processor_seconds: float
    megabytes: float


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="openbadges-bench-") as scratch:
        python = options.python or _runtime_environment(Path(scratch) / "venv")
        candidates = [_bare_flask(python, Path(scratch))]
        for number, tree in enumerate(options.trees or [ROOT]):
            candidates.append(_service(python, tree.resolve(), Path(scratch) / f"{number}.db"))
        starts: list[list[Start]] = [[] for _ in candidates]
        for run in range(options.runs + 1):
            for candidate, seen in zip(candidates, starts, strict=True):
                start = _measure(candidate)
                # The first one compiles the modules and fills the file cache.
                if run:
                    seen.append(start)
    _report(candidates, starts)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.startup", description=__doc__)
    parser.add_argument("trees", nargs="*", type=Path, help="work trees to compare (this one)")
    parser.add_argument("--runs", type=int, default=7, help="starts of each (7)")
    parser.add_argument(
        "--python",
        help="an interpreter that has requirements.txt and nothing else (made when left out)",
    )
    return parser.parse_args()


def _runtime_environment(folder: Path) -> str:
    # A developer's environment holds packages that some library imports when it finds them.
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)  # noqa: S603
    python = str(folder / "bin" / "python")
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    wanted = ["--require-hashes", "--requirement", str(ROOT / "requirements.txt")]
    subprocess.run([*install, *wanted], check=True)  # noqa: S603
    return python


def _bare_flask(python: str, folder: Path) -> Candidate:
    (folder / "hello.py").write_text(HELLO)
    gunicorn = [python, "-m", "gunicorn", "--preload", "--worker-class", "gthread"]
    counts = ["--workers", str(WORKERS), "--threads", str(THREADS), "--no-control-socket"]
    return Candidate(
        name="bare Flask",
        folder=folder,
        arguments=[*gunicorn, *counts, "hello:app"],
        environment={},
    )


def _service(python: str, tree: Path, database: Path) -> Candidate:
    environment = {
        "PUBLIC_ORIGIN": "https://id.example.org",
        "SECRET_KEYS": secrets.token_urlsafe(32),
        "SQLITE_FILE": str(database),
        "WEB_CONCURRENCY": str(WORKERS),
        "THREADS": str(THREADS),
        "FLASK_APP": "app:create_command_app",
    }
    upgrade = [python, "-m", "flask", "db", "upgrade"]
    subprocess.run(  # noqa: S603
        upgrade, cwd=tree, env=_with_path(environment), check=True, stdout=subprocess.DEVNULL
    )
    return Candidate(
        name=tree.name,
        folder=tree,
        arguments=[python, "-m", "gunicorn", "wsgi:app"],
        environment=environment,
    )


def _measure(candidate: Candidate) -> Start:
    with _started(candidate) as (process, port, began):
        _ask_until_answered(process, port)
        seconds = time.perf_counter() - began
        processor_seconds = _processor_seconds(process.pid)
        while len(_children(process.pid)) < WORKERS:
            time.sleep(0.01)
        for _ in range(REQUESTS):
            _ask(port)
        pages = [_pss_bytes(pid) for pid in (process.pid, *_children(process.pid))]
    return Start(
        seconds=seconds, processor_seconds=processor_seconds, megabytes=sum(pages) / 1_000_000
    )


@contextmanager
def _started(candidate: Candidate) -> Iterator[tuple[subprocess.Popen[bytes], int, float]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    environment = _with_path({**candidate.environment, "PORT": str(port)})
    began = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603
        candidate.arguments,
        cwd=candidate.folder,
        env=environment,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process, port, began
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _with_path(environment: Mapping[str, str]) -> dict[str, str]:
    # A developer's own settings stay out.
    return {"PATH": os.environ["PATH"], **environment}


def _ask_until_answered(process: subprocess.Popen[bytes], port: int) -> None:
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while process.poll() is None and time.monotonic() < give_up_at:
        try:
            _ask(port)
        except ConnectionError:
            time.sleep(0.002)
        else:
            return
    message = f"{process.args!r} gave no answer"
    raise RuntimeError(message)


def _ask(port: int) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    try:
        connection.request("GET", "/readyz", headers={"Host": "id.example.org"})
        answer = connection.getresponse()
        answer.read()
    finally:
        connection.close()
    if answer.status != 200:  # noqa: PLR2004
        message = f"/readyz answered {answer.status}"
        raise RuntimeError(message)


def _children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _processor_seconds(pid: int) -> float:
    # proc(5): the fields behind the name in brackets begin with the third; 14 and 15 are the times.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _pss_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    message = "/proc tells no PSS here"
    raise RuntimeError(message)


def _report(candidates: Sequence[Candidate], starts: Sequence[Sequence[Start]]) -> None:
    lines = [
        f"{'median (lowest to highest)':28}  {'first answer':22}  {'processor':22}  memory (PSS)"
    ]
    base: list[float] = []
    for candidate, seen in zip(candidates, starts, strict=True):
        columns = (
            [one.seconds for one in seen],
            [one.processor_seconds for one in seen],
            [one.megabytes for one in seen],
        )
        cells = [
            f"{median(values):.2f} {unit} ({min(values):.2f} to {max(values):.2f})"
            for values, unit in zip(columns, ("s", "s", "MB"), strict=True)
        ]
        lines.append(f"{candidate.name:28}  {cells[0]:22}  {cells[1]:22}  {cells[2]}")
        medians = [median(values) for values in columns]
        base = base or medians
        ratios = [f"{own / first:.1f} times" for own, first in zip(medians, base, strict=True)]
        lines.append(f"{'':28}  {ratios[0]:22}  {ratios[1]:22}  {ratios[2]}")
    lines.append(f"load average {json.dumps(os.getloadavg())}, {os.cpu_count()} processors")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
