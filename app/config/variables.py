"""Reading environment variables strictly, and remembering where each value came from.

An empty variable counts as unset. Sentences never repeat a value: whatever was pasted into the
wrong variable, a secret included, must not reach a log through a refusal.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.config.secret_files import read_secret_file
from app.errors import SettingsError

# ASCII digits alone: int() also takes blanks, signs, underscores and other scripts' digits.
WHOLE_NUMBER = re.compile(r"0|[1-9][0-9]{0,9}")
FLAGS = {
    **dict.fromkeys(("1", "true", "yes", "on"), True),
    **dict.fromkeys(("0", "false", "no", "off"), False),
}


@dataclass(frozen=True)
class Secret:
    """A secret as found, and where: `environment`, `generated` or the file's path."""

    value: str
    source: str

    def __repr__(self) -> str:
        return f"Secret(source={self.source!r})"


class Variables:
    """One look at the environment; every method raises SettingsError naming the variable.

    `folder` is the project's folder: relative paths start there, so that a command means the same
    file whatever directory it is started in. `origins` maps each variable read so far to its
    printable value and to where it came from.
    """

    def __init__(self, environ: Mapping[str, str], *, folder: Path) -> None:
        self._environ = environ
        self.folder = folder
        self.origins: dict[str, tuple[str, str]] = {}

    def note(self, name: str, shown: str, source: str) -> None:
        self.origins[name] = (shown, source)

    def is_set(self, name: str) -> bool:
        return bool(self._environ.get(name))

    def names_with(self, prefix: str) -> list[str]:
        """Return the names of the variables set that begin so, in order."""
        return sorted(
            name for name, value in self._environ.items() if value and name.startswith(prefix)
        )

    def find_text(self, name: str) -> str | None:
        """Return the value, or None when unset or empty; blanks around it are a refusal."""
        value = self._environ.get(name)
        if not value:
            return None
        if value != value.strip() or not value.isprintable():
            raise SettingsError(
                f"{name} has a blank at its start or end, or a character that cannot be printed: "
                "remove it."
            )
        return value

    def text(self, name: str, default: str) -> str:
        found = self.find_text(name)
        value = default if found is None else found
        self.note(name, str(value), "default" if found is None else "environment")
        return value

    def choice(self, name: str, choices: Sequence[str], default: str) -> str:
        found = self.find_text(name)
        if found is not None and found not in choices:
            raise SettingsError(f"{name} has an unknown value: use {' or '.join(choices)}.")
        return self.text(name, default)

    def flag(self, name: str, *, default: bool) -> bool:
        """Read 1/0, true/false, yes/no or on/off, in any case."""
        found = self.find_text(name)
        value = default if found is None else FLAGS.get(found.lower())
        if value is None:
            raise SettingsError(f"{name} is neither yes nor no: use 1 or 0 (or on or off).")
        self.note(name, "on" if value else "off", "default" if found is None else "environment")
        return value

    def number(self, name: str, default: int, *, least: int, most: int) -> int:
        found = self.find_number(name, least=least, most=most)
        if found is None:
            self.note(name, str(default), "default")
            return default
        return found

    def find_number(self, name: str, *, least: int, most: int) -> int | None:
        found = self.find_text(name)
        if found is None:
            self.note(name, "unset", "default")
            return None
        if not WHOLE_NUMBER.fullmatch(found):
            raise SettingsError(
                f"{name} is not a whole number: write digits only, from {least} to {most}."
            )
        if not least <= int(found) <= most:
            raise SettingsError(f"{name} is out of range: use a number from {least} to {most}.")
        self.note(name, found, "environment")
        return int(found)

    def find_secret(self, name: str) -> Secret | None:
        """Return the secret from NAME or from the file that NAME_FILE names, or None.

        The caller notes a masked form of it under `name`.
        """
        file_variable = f"{name}_FILE"
        path = self.find_text(file_variable)
        value = self._environ.get(name)
        if path and value:
            raise SettingsError(
                f"{name} and {file_variable} are both set: keep one of them and unset the other."
            )
        if path:
            file = self.folder / path
            return Secret(read_secret_file(file_variable, file), f"file {file}")
        return Secret(value, "environment") if value else None
