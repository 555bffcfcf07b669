"""What a peer's ``seed.py`` is told, and the file of questions it leaves for the load generator.

Runs in the peers' own environments: the standard library must do.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bench.session_check.population import Population, SeededSession, new_population


@dataclass(frozen=True, kw_only=True)
class SeedTask:
    """``database`` is a new SQLite file, ``questions`` the file that ``check.lua`` reads."""

    population: Population
    database: Path
    questions: Path

    def environment(self) -> dict[str, str]:
        """Say it all in variables, for another process to read."""
        return {
            "BENCH_SESSIONS": str(self.population.sessions),
            "BENCH_SEEDED_AT": self.population.seeded_at.isoformat(),
            "BENCH_DATABASE": str(self.database),
            "BENCH_QUESTIONS": str(self.questions),
        }


def read_task() -> SeedTask:
    """Read the task that ``SeedTask.environment`` has written."""
    return SeedTask(
        population=new_population(
            sessions=int(os.environ["BENCH_SESSIONS"]),
            seeded_at=datetime.fromisoformat(os.environ["BENCH_SEEDED_AT"]),
        ),
        database=Path(os.environ["BENCH_DATABASE"]),
        questions=Path(os.environ["BENCH_QUESTIONS"]),
    )


def write_questions(
    task: SeedTask,
    good: Callable[[SeededSession], str],
    refused: Callable[[SeededSession], str] | None = None,
) -> None:
    """Write the questions: the Cookie header and, where the session is good, whose it is."""
    with task.questions.open("w") as file:
        for session, is_good in task.population.list_asked():
            cookie = good(session) if is_good or refused is None else refused(session)
            file.write(f"{cookie}\t{session.person.email if is_good else ''}\n")
