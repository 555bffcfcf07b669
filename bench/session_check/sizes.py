"""The same check over a small table and a large one."""

from contextlib import ExitStack
from dataclasses import replace

from bench.session_check.catalogue import SQLITE
from bench.session_check.goals import Verdict, judge_cost
from bench.session_check.ratios import ratio_of
from bench.session_check.rounds import run_rounds
from bench.session_check.servers import started
from bench.session_check.stores import Stores
from bench.session_check.tables import align

_SIZES = (1_000, 1_000_000, 10_000_000)


def measure_sizes(*, rounds: int, seconds: int) -> tuple[str, list[Verdict]]:
    """Ask gates over tables of three sizes in turn. Raises ``Unavailable``."""
    gate = next(one for one in SQLITE if one.key == "gate")
    with ExitStack() as stack:
        servers = []
        for size in _SIZES:
            store = Stores(sessions=size, server_url=None).get("service")
            one = replace(gate, key=f"gate-{size}", title=f"the gate over {size:,} sessions")
            servers.append(stack.enter_context(started(one, store)))
        measured = run_rounds(servers, rounds=rounds, seconds=seconds, name="sizes")
    rows = [["Sessions", "requests/s", "CPU µs", "times (lowest to highest)"]]
    base = measured[f"gate-{_SIZES[0]}"]
    ratios = []
    for size in _SIZES:
        figures = measured[f"gate-{size}"]
        pairs = zip(figures, base, strict=True)
        ratio = ratio_of([one.processor / small.processor for one, small in pairs])
        speed = ratio_of([one.requests_per_second for one in figures]).median
        cost = ratio_of([one.processor for one in figures]).median
        rows.append([f"{size:,}", f"{speed:,.0f}", f"{cost:.0f}", str(ratio)])
        ratios.append(ratio)
    measure = f"cost at {_SIZES[-1]:,} sessions against {_SIZES[0]:,}"
    return align(rows), [judge_cost(measure, ratios[-1], most=2)]
