"""Clients that ask without a pause, and note when each request began and what it was answered."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Condition

from tests.support.connections import Connection

_PATIENCE_SECONDS = 30
_BREATH_SECONDS = 0.01
"""Between an answer and the next request: else the quick ones would keep the slow ones out."""


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
