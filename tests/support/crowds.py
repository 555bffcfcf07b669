"""Many at once: what one thread may do, sixteen try."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, TypeVar

T = TypeVar("T")
Other = TypeVar("Other")


def at_once(actions: Sequence[Callable[[], T]]) -> list[T]:
    """Begin all actions at the same moment, each in a thread of its own; give their results."""
    barrier = Barrier(len(actions))

    def begin(action: Callable[[], T]) -> T:
        barrier.wait(timeout=30)
        return action()

    with ThreadPoolExecutor(len(actions)) as threads:
        return list(threads.map(begin, actions))


def both_at_once(one: Callable[[], T], other: Callable[[], Other]) -> tuple[T, Other]:
    """Begin two actions at the same moment; give the result of each."""
    actions: list[Callable[[], Any]] = [one, other]
    first, second = at_once(actions)
    return first, second
