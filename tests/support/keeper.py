"""What is made once for each engine and kept until the tests end.

pytest keeps a fixture with parameters for one parameter at a time: a worker that runs file after
file on both engines would start a PostgreSQL, migrate and boot a server anew for every file.
"""

from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager, ExitStack
from typing import Any, TypeVar

T = TypeVar("T")


class Keeper:
    """Enters each context once, on the first call for its key; the stack leaves them all."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._made: dict[Hashable, Any] = {}

    def once(self, key: Hashable, make: Callable[[], AbstractContextManager[T]]) -> T:
        """Give what was made for the key, or make it now."""
        if key not in self._made:
            self._made[key] = self._stack.enter_context(make())
        made: T = self._made[key]
        return made
