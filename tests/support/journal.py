"""What clients were promised: written down and synced before the next request is made."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

Promise = dict[str, Any]


@dataclass(kw_only=True)
class Journal:
    """Acknowledged operations in the order in which their answers came; threads may share one."""

    file: Path
    _lock: Lock = field(default_factory=Lock, repr=False)

    def acknowledge(self, operation: str, **promised: object) -> None:
        """Note what the service has just said is done."""
        line = json.dumps({"operation": operation, **promised})
        with self._lock, self.file.open("a") as journal:
            journal.write(f"{line}\n")
            journal.flush()
            os.fsync(journal.fileno())

    def promises(self, operation: str | None = None) -> list[Promise]:
        """Give what was acknowledged, all of it or of one kind."""
        if not self.file.exists():
            return []
        noted = [json.loads(line) for line in self.file.read_text().splitlines()]
        return [one for one in noted if operation in {None, one["operation"]}]
