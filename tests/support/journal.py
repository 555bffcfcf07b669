"""What clients asked for and were promised: written down and synced before anything further."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

Promise = dict[str, Any]

ASKED, ACKNOWLEDGED, REFUSED = "asked", "acknowledged", "refused"


@dataclass(kw_only=True)
class Journal:
    """Operations and their outcomes in the order in which they came; threads may share one.

    What was asked for, and neither acknowledged nor refused after that, was done or was not:
    nobody can tell.
    """

    file: Path
    _lock: Lock = field(default_factory=Lock, repr=False)

    def ask(self, operation: str, **asked: object) -> None:
        """Note what the service is asked for now."""
        self._note(operation, ASKED, asked)

    def acknowledge(self, operation: str, **promised: object) -> None:
        """Note what the service has just said is done."""
        self._note(operation, ACKNOWLEDGED, promised)

    def refuse(self, operation: str, **refused: object) -> None:
        """Note what the service has just said is not done."""
        self._note(operation, REFUSED, refused)

    def lines(self) -> list[Promise]:
        """Give everything noted; the last line may be cut where its writer was killed."""
        if not self.file.exists():
            return []
        written = self.file.read_text().split("\n")
        return [json.loads(line) for line in written[:-1]]

    def promises(self, operation: str | None = None) -> list[Promise]:
        """Give what was acknowledged, all of it or of one kind."""
        acknowledged = [one for one in self.lines() if one["outcome"] == ACKNOWLEDGED]
        return [one for one in acknowledged if operation in {None, one["operation"]}]

    def _note(self, operation: str, outcome: str, facts: Mapping[str, object]) -> None:
        line = json.dumps({"operation": operation, "outcome": outcome, **facts})
        with self._lock, self.file.open("a") as journal:
            journal.write(f"{line}\n")
            journal.flush()
            os.fsync(journal.fileno())
