"""The seeded databases: made once for each size, then kept."""

import hashlib
import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.session_check import better_auth_seed, postgresql, service_seed
from bench.session_check.folders import DATA, PEERS, ROOT, SECRET
from bench.session_check.installs import python_of
from bench.session_check.population import new_population
from bench.session_check.progress import say
from bench.session_check.seed_task import SeedTask

_KEPT_FOR = timedelta(days=20)
"""Seeded sessions end after 90 days; nothing may come near that."""
Seed = Callable[[SeedTask], None]
_SHAPES = ("population.py", "seed_task.py", "rows.py")


@dataclass(frozen=True, kw_only=True)
class Store:
    """A seeded database as a server is told of it, and the file of questions for it."""

    address: str
    questions: Path


class Stores:
    """Gives databases of ``sessions`` sessions; on PostgreSQL those of ``server_url``."""

    def __init__(self, *, sessions: int, server_url: str | None) -> None:
        self._sessions = sessions
        self._server_url = server_url
        self._folder = DATA / str(sessions)
        self._folder.mkdir(parents=True, exist_ok=True)

    def get(self, name: str) -> Store:
        """Give the store, seeded now if need be. Raises ``Unavailable``."""
        seed, sources = self._recipe(name)
        stamp = self._folder / f"{name}.json"
        store = Store(address=self._address(name), questions=self._folder / f"{name}.questions")
        print_of_sources = _fingerprint(sources)
        if not _is_fresh(stamp, print_of_sources) or not store.questions.exists():
            stamp.unlink(missing_ok=True)
            say(f"seeding {name} with {self._sessions:,} sessions")
            task = self._new_task(name)
            seed(task)
            known = {"sources": print_of_sources, "at": task.population.seeded_at.isoformat()}
            stamp.write_text(json.dumps(known))
        return store

    def _recipe(self, name: str) -> tuple[Seed, list[Path]]:
        service = [Path(service_seed.__file__), *(ROOT / "migrations" / "versions").glob("*.py")]
        better_auth = [Path(better_auth_seed.__file__), PEERS / "node" / "package-lock.json"]
        recipes: dict[str, tuple[Seed, list[Path]]] = {
            "service": (service_seed.seed_sqlite, service),
            "service_unseen": (self._copy_unseen, service),
            "service_postgresql": (
                self._on_postgresql(service_seed.seed_postgresql, name),
                service,
            ),
            "better_auth": (better_auth_seed.seed_sqlite, better_auth),
            "better_auth_cached": (self._cached_questions, better_auth),
            "better_auth_postgresql": (
                self._on_postgresql(better_auth_seed.seed_postgresql, name),
                better_auth,
            ),
        }
        if name in recipes:
            return recipes[name]
        folder = PEERS / name
        sources = [*folder.glob("*.py"), folder / "requirements.txt"]
        return lambda task: _run_peers_seed(name, task), sources

    def _address(self, name: str) -> str:
        if name.endswith("_postgresql"):
            assert self._server_url  # noqa: S101 - its candidates are left out without one
            return postgresql.database_url(self._server_url, f"{name}_{self._sessions}")
        if name == "better_auth_cached":
            name = "better_auth"
        return str(self._folder / f"{name}.db")

    def _new_task(self, name: str) -> SeedTask:
        database = self._folder / f"{name}.db"
        for suffix in ("", "-wal", "-shm"):
            database.with_name(database.name + suffix).unlink(missing_ok=True)
        return SeedTask(
            population=new_population(sessions=self._sessions),
            database=database,
            questions=self._folder / f"{name}.questions",
        )

    def _on_postgresql(self, seed: Callable[[SeedTask, str], None], name: str) -> Seed:
        def run(task: SeedTask) -> None:
            assert self._server_url  # noqa: S101 - as above
            postgresql.make_empty_database(self._server_url, f"{name}_{self._sessions}")
            seed(task, self._address(name))

        return run

    def _copy_unseen(self, task: SeedTask) -> None:
        service_seed.copy_unseen(Path(self.get("service").address), task.database)
        service_seed.write_service_questions(task)

    def _cached_questions(self, task: SeedTask) -> None:
        self.get("better_auth")
        better_auth_seed.write_cached_questions(task)


def _is_fresh(stamp: Path, print_of_sources: str) -> bool:
    if not stamp.exists():
        return False
    known = json.loads(stamp.read_text())
    age = datetime.now(UTC) - datetime.fromisoformat(known["at"])
    return known["sources"] == print_of_sources and age < _KEPT_FOR


def _fingerprint(sources: list[Path]) -> str:
    shapes = [Path(__file__).with_name(name) for name in _SHAPES]
    digest = hashlib.sha256()
    for file in sorted([*sources, *shapes]):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _run_peers_seed(name: str, task: SeedTask) -> None:
    environment = {
        **task.environment(),
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "BENCH_SECRET": SECRET,
    }
    subprocess.run(  # noqa: S603 - the peer's own program
        [python_of(name), "seed.py"], cwd=PEERS / name, env=environment, check=True
    )
    service_seed.switch_to_wal(task.database)
