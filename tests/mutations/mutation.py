"""A deliberate defect, and the tests that must notice it."""

from dataclasses import dataclass
from pathlib import Path


class DoesNotApplyError(Exception):
    """The text to be replaced is not in the file exactly once: the code has moved on."""


@dataclass(frozen=True, kw_only=True)
class Mutation:
    """One piece of code made wrong, as a hurried change could make it."""

    name: str
    """What is wrong now, as a fact: "a challenge is read, then deleted"."""
    file: str
    old: str
    new: str
    caught_by: tuple[str, ...]
    """Arguments for pytest: files or tests."""

    def apply(self, tree: Path) -> None:
        """Put the defect into a copy of the project.

        Raises:
            DoesNotApplyError: the code to be replaced is not there, or there more than once.
        """
        file = tree / self.file
        code = file.read_text()
        if code.count(self.old) != 1:
            message = f"{self.name}: {self.file} holds the code {code.count(self.old)} times"
            raise DoesNotApplyError(message)
        file.write_text(code.replace(self.old, self.new))
