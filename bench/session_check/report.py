"""What a run has found: as text, and kept as JSON."""

import json
import os
import platform
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bench.session_check.folders import RESULTS
from bench.session_check.goals import Verdict, verdicts_table
from bench.session_check.options import Options
from bench.session_check.rounds import Rounds

_BUSY = 0.9


@dataclass(kw_only=True)
class Report:
    """Filled part by part; ``left_out`` tells by key why a candidate is missing."""

    options: Options
    measured: Rounds = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)
    _sections: list[str] = field(default_factory=list)

    def add_section(self, title: str, text: str) -> None:
        self._sections.append(f"## {title}\n\n{text}\n")

    def text(self) -> str:
        """Give the whole report in Markdown."""
        options = self.options
        head = (
            f"# A session check: {options.sessions:,} sessions, {options.rounds} rounds of"
            f" {options.seconds} s each\n\n{_machine()}\n"
        )
        sections = [head, *self._sections]
        if self.verdicts:
            sections.append(f"## Goals\n\n{verdicts_table(self.verdicts)}\n")
        if limited := self._limited_by_the_generator():
            sections.append(f"wrk itself was at its limit with: {', '.join(limited)}.\n")
        return "\n".join(sections)

    def keep(self) -> Path:
        """Write the report and its figures into files of their own; give the report's."""
        RESULTS.mkdir(parents=True, exist_ok=True)
        file = RESULTS / f"{datetime.now(UTC):%Y%m%d-%H%M%S}.md"
        file.write_text(self.text())
        figures = {key: [asdict(one) for one in rounds] for key, rounds in self.measured.items()}
        kept = {
            "options": asdict(self.options),
            "machine": _machine(),
            "left_out": self.left_out,
            "figures": figures,
            "verdicts": [asdict(one) for one in self.verdicts],
        }
        file.with_suffix(".json").write_text(json.dumps(kept, indent=1))
        return file

    def _limited_by_the_generator(self) -> list[str]:
        return [
            key
            for key, rounds in self.measured.items()
            if max(one.generator_busy for one in rounds) > _BUSY
        ]


def _machine() -> str:
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    processor = names[0] if names else platform.machine()
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    python = platform.python_version()
    return f"{os.cpu_count()} processors ({processor}), Python {python}; load {load}."
