"""The rounds: every server is up, and each is asked in turn, in another order each round."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from bench.session_check.errors import WrongAnswer
from bench.session_check.load import ask
from bench.session_check.progress import say
from bench.session_check.servers import Server


@dataclass(frozen=True, kw_only=True)
class Figures:
    """One candidate in one round. Milliseconds; ``processor`` in microseconds a request."""

    requests_per_second: float
    p50: float
    p99: float
    processor: float
    megabytes: float
    body_bytes: float
    generator_busy: float


Rounds = dict[str, list[Figures]]
"""By a candidate's key, its figures in the order of the rounds."""


def run_rounds(servers: Sequence[Server], *, rounds: int, seconds: int, name: str) -> Rounds:
    """Ask all of them in each round; the first round warms them up and is not counted."""
    measured: Rounds = {server.candidate.key: [] for server in servers}
    for number in range(rounds + 1):
        # Whoever comes after a given neighbour must not always be the same.
        order = random.Random(number).sample(list(servers), len(servers))  # noqa: S311
        for server in order:
            part = f"round {number} of {rounds}" if number else "warming up"
            say(f"{name}: {part}, {server.candidate.title}")
            figures = _measure(server, seconds=seconds, first=number * 7919)
            if number:
                measured[server.candidate.key].append(figures)
    return measured


def _measure(server: Server, *, seconds: int, first: int) -> Figures:
    before = server.processor_seconds()
    try:
        load = ask(
            server.candidate,
            port=server.port,
            questions=server.store.questions,
            seconds=seconds,
            first=first,
        )
    except WrongAnswer as error:
        raise WrongAnswer(f"{server.candidate.title}: {error}") from error
    used = server.processor_seconds() - before
    return Figures(
        requests_per_second=load.requests_per_second,
        p50=load.p50,
        p99=load.p99,
        processor=used / load.answers * 1_000_000,
        megabytes=server.worker_megabytes(),
        body_bytes=load.body_bytes,
        generator_busy=load.generator_busy,
    )
