"""Thousands of hostile requests, one after the other, and what must be true of every answer."""

import json
import logging
import zlib
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from flask import Flask
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from app import clock
from app.logs import configure_logging
from app.models import UserSession
from tests.support.people import SESSION_COOKIE
from tests.support.raw_requests import Line, Reply, Request
from tests.support.tables import Contents, change, contents
from tests.support.tally import Tally

T = TypeVar("T")
Refusal = tuple[int, str]

SLOWEST_SECONDS = 0.05
"""Of processor time, for any one request."""
_MEASURED_AGAIN = 3
_BETWEEN_CONTROLS = 200


def in_batches(
    kinds: Sequence[st.SearchStrategy[T]],
    *,
    cases: int,
    name: str,
    use: Callable[[Sequence[T]], None],
) -> None:
    """Draw so many cases, the same ones whenever the name is the same, as many of each kind."""

    @seed(zlib.crc32(name.encode()))
    @settings(
        max_examples=-(-cases // len(kinds)),
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.tuples(*kinds))
    def use_batch(batch: Sequence[T]) -> None:
        use(batch)

    use_batch()


def faults(reply: Reply, refusals: Collection[Refusal]) -> Iterator[str]:
    """Tell in what an answer is not one of these refusals, said in full."""
    if reply.header("content-type") != "application/problem+json":
        yield f"{reply.status} {reply.header('content-type')}: {reply.body[:200]!r}"
        return
    problem = json.loads(reply.body)
    if problem["status"] != reply.status or (reply.status, problem["code"]) not in refusals:
        yield f"{reply.status} {problem['code']}, not {sorted(refusals)}"
    if reply.cookie(SESSION_COOKIE):
        yield "a cookie that opens something"


@dataclass(kw_only=True)
class Onslaught:
    """Tries hostile requests on a service and sees that nothing comes of them.

    Between them, now and then, somebody honest asks and is served, and the tables hold what they
    held before.
    """

    app: Flask
    """Looks at the database of the service."""
    line: Line
    tally: Tally
    be_honest: Callable[[], None]
    _before: Contents = field(init=False)

    def run(
        self,
        kinds: Sequence[st.SearchStrategy[T]],
        *,
        cases: int,
        name: str,
        make: Callable[[T], Request],
        refusals: Callable[[T], Collection[Refusal]],
    ) -> None:
        """Try so many cases, and see in the end that as many were tried."""
        self._begin()
        tried = 0

        def use(batch: Sequence[T]) -> None:
            nonlocal tried
            for case in batch:
                self._try(case, lambda case=case: make(case), refusals(case))  # type: ignore[misc]
            tried += len(batch)
            if tried % _BETWEEN_CONTROLS < len(batch):
                self._control()

        in_batches(kinds, cases=cases, name=name, use=use)
        self._control()
        assert tried >= cases, f"{tried} cases where {cases} were asked for"

    def _try(self, case: T, make: Callable[[], Request], refusals: Collection[Refusal]) -> None:
        with self.tally.trial():
            reply, seconds = timed(self.line, make)
            found = [*faults(reply, refusals)]
            if seconds > SLOWEST_SECONDS:
                found.append(f"{seconds:.3f} s of processor time")
            assert not found, f"{'; '.join(found)}: {case!r:.500}"

    def _begin(self) -> None:
        # Who was seen a minute ago is written down anew, and that would look like a change.
        change(self.app, UserSession, last_seen_at=clock.now())
        self._before = contents(self.app)

    def _control(self) -> None:
        if contents(self.app) != self._before:
            self.tally.finding("the tables hold something else than before")
        self.be_honest()
        self._begin()


def timed(line: Line, make: Callable[[], Request]) -> tuple[Reply, float]:
    """Ask, and give the answer with the processor time; a long one is measured again.

    What else the machine does can make one request slow, and hardly four.
    """

    def once() -> tuple[Reply, float]:
        request = make()
        began_at = line.cpu_seconds()
        reply = line.ask(request)
        return reply, line.cpu_seconds() - began_at

    reply, seconds = once()
    if seconds > SLOWEST_SECONDS:
        seconds = min(seconds, *(once()[1] for _ in range(_MEASURED_AGAIN)))
    return reply, seconds


@contextmanager
def log_aside(app: Flask, file: Path) -> Iterator[None]:
    """Write the log of an application in this process to a file, in the project's own form.

    Pytest would keep every line of it in memory.
    """
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    configure_logging(app.extensions["openbadges"].log)
    with file.open("a") as log:
        (handler,) = root.handlers
        assert isinstance(handler, logging.StreamHandler)
        handler.setStream(log)
        try:
            yield
        finally:
            root.handlers = before
            root.setLevel(level)
