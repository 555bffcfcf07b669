"""Clients that ask without a pause, and note when each request began and what it was answered."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Condition

import pytest

from tests.support.connections import Connection
from tests.support.deployments import Deployment

_PATIENCE_SECONDS = 30
_BREATH_SECONDS = 0.01
"""Between an answer and the next request: else the quick ones would keep the slow ones out."""
_MORE_TRIALS = 100
_A_SHARE_SECONDS = 0.002
"""Longer than a worker computes that only tells its master that it lives."""


@dataclass(frozen=True, kw_only=True)
class Heard:
    """An answer; moments are seconds of the system's clock."""

    request: str
    began: float
    ended: float
    said: tuple[int, str | None]


@dataclass(kw_only=True)
class Loopers:
    """The clients of one session, each on a connection of its own."""

    ports: Sequence[int]
    """Asked in turn: the first client at the first, and so on."""
    requests: Sequence[bytes]
    heard: list[list[Heard]]
    _changed: Condition = field(default_factory=Condition)
    _over: bool = False

    def await_answers_to_what_begins_after(self, moment: float) -> None:
        """Wait until every client has one."""

        def has_come() -> bool:
            return all(own and own[-1].began > moment for own in self.heard)

        with self._changed:
            assert self._changed.wait_for(has_come, _PATIENCE_SECONDS), "a client was not answered"

    def all_heard(self) -> list[Heard]:
        return [one for own in self.heard for one in own]

    def loop(self, number: int) -> None:
        request = self.requests[number]
        name = request.partition(b" HTTP")[0].decode()
        with Connection(self.ports[number % len(self.ports)]) as connection:
            while not self._over:
                began = time.time()
                answer = connection.ask(request)
                one = Heard(request=name, began=began, ended=time.time(), said=answer.said)
                with self._changed:
                    self.heard[number].append(one)
                    self._changed.notify_all()
                time.sleep(_BREATH_SECONDS)

    def stop(self) -> None:
        self._over = True


@contextmanager
def looping(port: int, requests: Sequence[bytes], *further: int) -> Iterator[Loopers]:
    """Let a client loop for each of the requests until the block ends.

    Where further ports are given, the clients are dealt out to all of them.
    """
    ports = (port, *further)
    crew = Loopers(ports=ports, requests=requests, heard=[[] for _ in requests])
    with ThreadPoolExecutor(len(requests)) as threads:
        running = [threads.submit(crew.loop, number) for number in range(len(requests))]
        try:
            yield crew
        finally:
            crew.stop()
    for one in running:
        one.result()


def until_every_worker_works(deployment: Deployment, trials: int) -> Iterator[int]:
    """Count the trials, and go on until each of the four workers had its share of them."""
    before = {pid: cpu_seconds(pid) for pid in deployment.server.worker_pids()}
    assert len(before) == 4
    for number in range(trials + _MORE_TRIALS):
        if number >= trials and all(
            cpu_seconds(pid) - seconds > _A_SHARE_SECONDS for pid, seconds in before.items()
        ):
            return
        yield number
    pytest.fail("a worker answers nothing")


def cpu_seconds(pid: int) -> float:
    """Give the time that a process's threads have spent computing (Linux's `schedstat`)."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9
