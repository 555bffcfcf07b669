"""The gate while the web process is hammered, against alone: each with a core, and its own load."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from bench.session_check.catalogue import SQLITE
from bench.session_check.errors import WrongAnswer
from bench.session_check.folders import HOST
from bench.session_check.goals import Verdict, judge_cost
from bench.session_check.installs import find_program
from bench.session_check.load import ask
from bench.session_check.progress import say
from bench.session_check.ratios import Ratio, ratio_of
from bench.session_check.servers import Server, started
from bench.session_check.stores import Stores
from bench.session_check.tables import align

_GATE_CORE, _WEB_CORE = 0, 1
_PAGE = "/sign-in"
_HAMMERING_CONNECTIONS = 4


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Milliseconds that 99 of 100 checks took at most, in one round."""

    alone: float
    hammered: float


def measure_neighbours(stores: Stores, *, rounds: int, seconds: int) -> tuple[str, list[Verdict]]:
    """Ask the gate, then the web process itself, with and without the web process under load.

    Raises ``Unavailable``.
    """
    by_key = {one.key: one for one in SQLITE}
    store = stores.get("service")
    with ExitStack() as stack:
        web = stack.enter_context(started(by_key["web"], store, core=_WEB_CORE))
        gate = stack.enter_context(started(by_key["gate"], store, core=_GATE_CORE))
        pairs: dict[str, list[Pair]] = {"gate": [], "web": []}
        for number in range(rounds + 1):
            say(f"neighbours: {f'round {number} of {rounds}' if number else 'warming up'}")
            for name, server, core in (("gate", gate, _GATE_CORE), ("web", web, _WEB_CORE)):
                pair = _measure(server, web, core=core, seconds=seconds, first=number * 7919)
                if number:
                    pairs[name].append(pair)
    return _table(pairs), [
        judge_cost("gate's p99, the web process hammered", _ratio(pairs["gate"]), most=1.5)
    ]


def _measure(server: Server, web: Server, *, core: int, seconds: int, first: int) -> Pair:
    def p99() -> float:
        load = ask(
            server.candidate,
            port=server.port,
            questions=server.store.questions,
            seconds=seconds,
            first=first,
            core=core,
        )
        return load.p99

    alone = p99()
    with _hammered(web, seconds=seconds + 1):
        return Pair(alone=alone, hammered=p99())


@contextmanager
def _hammered(web: Server, *, seconds: int) -> Iterator[None]:
    command = ["taskset", "-c", str(_WEB_CORE), find_program("wrk"), "--threads", "1"]
    command += ["--connections", str(_HAMMERING_CONNECTIONS), "--duration", f"{seconds}s"]
    command += ["--header", f"Host: {HOST}", f"http://127.0.0.1:{web.port}{_PAGE}"]
    hammer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603
    try:
        yield
    finally:
        said, _ = hammer.communicate()
    if "Requests/sec" not in said or "Non-2xx" in said:
        raise WrongAnswer(f"{_PAGE} of the web process: {said.strip()[-300:]}")


def _ratio(pairs: list[Pair]) -> Ratio:
    return ratio_of([pair.hammered / pair.alone for pair in pairs])


def _table(pairs: dict[str, list[Pair]]) -> str:
    rows = [
        [
            "The check is answered by",
            "p99 alone",
            "p99 hammered",
            "times (lowest to highest)",
        ]
    ]
    titles = {"gate": "the gate process", "web": "the web process itself"}
    for name, measured in pairs.items():
        alone = ratio_of([pair.alone for pair in measured]).median
        hammered = ratio_of([pair.hammered for pair in measured]).median
        rows.append([titles[name], f"{alone:.2f} ms", f"{hammered:.2f} ms", str(_ratio(measured))])
    return align(rows)
