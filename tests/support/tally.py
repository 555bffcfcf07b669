"""What the repeated tests tried and what they found, counted for the table of the full run.

    tally = new_tally("Once means once", "a challenge presented again")
    for _ in range(trials(1000)):
        with tally.trial():
            assert refusal(replay(...)) == (400, "challenge_unusable")

A trial whose block fails is a finding: the next trial goes on, and the test fails in the end with
what was found. A test that tried nothing fails as well.
"""

import json
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

PROPERTY = "tally"
"""The name under which a test's report carries its tally from a worker to the one that prints."""
_MOST_TOLD = 5

Row = tuple[str, str]


@dataclass(kw_only=True)
class Tally:
    """Counts the trials and the findings of one kind; several threads may count at once."""

    subject: str
    kind: str
    engine: str
    tried: int = 0
    findings: list[str] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock, repr=False)

    @contextmanager
    def trial(self, times: int = 1) -> Iterator[None]:
        """Count what the block tries; an assertion that fails in it is a finding."""
        try:
            yield
        except AssertionError as error:
            self.finding(str(error) or "an assertion failed")
        finally:
            self.count(times)

    def count(self, times: int = 1) -> None:
        with self._lock:
            self.tried += times

    def finding(self, what: str) -> None:
        with self._lock:
            self.findings.append(what)

    def conclude(self) -> str | None:
        """Give what makes the test fail, if anything does."""
        if self.findings:
            told = "\n".join(self.findings[:_MOST_TOLD])
            return f"{len(self.findings)} findings in {self.tried} trials, the first:\n{told}"
        return None if self.tried else "nothing was tried"

    def as_property(self) -> str:
        return json.dumps([self.subject, self.kind, self.engine, self.tried, len(self.findings)])


def table(properties: Iterable[str]) -> str:
    """Give the table of trials and findings as Markdown, a line for each kind."""
    counted: dict[Row, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for written in properties:
        subject, kind, engine, tried, found = json.loads(written)
        counted[subject, kind][engine] += tried
        counted[subject, kind]["findings"] += found
    lines = [
        "| Subject | What was tried | SQLite | PostgreSQL | no engine | Findings |",
        "|---|---|--:|--:|--:|--:|",
    ]
    for (subject, kind), numbers in sorted(counted.items()):
        engines = (_shown(numbers.get(one)) for one in ("sqlite", "postgresql", "none"))
        lines.append(f"| {subject} | {kind} | {' | '.join(engines)} | {numbers['findings']} |")
    return "\n".join(lines)


def _shown(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"


def write_table(properties: Iterable[str]) -> None:
    """Write the table where `make test-full` looks for it; elsewhere nobody asked."""
    if file := os.environ.get("TRIALS_TABLE"):
        Path(file).write_text(table(properties) + "\n")
