"""The command line."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from bench.session_check.candidates import Candidate
from bench.session_check.catalogue import POSTGRESQL, SQLITE

_DESCRIPTION = """\
What one session check costs: this service and the alternatives, asked in turn in one run.

All servers run on core 0, the load generator (wrk, 8 connections, each with tokens of its own) on
core 1. Every database holds the same sessions; 100,000 tokens are asked in random order, one in ten
of them ended or unknown, and every answer is checked: one wrong answer ends the run. The table
gives medians of the rounds; a ratio is the median of the rounds' own ratios, with the lowest and
the highest. The first run installs the peers (bench/peers) and seeds their databases (bench/.data,
about 3 GB), which takes some minutes; later runs keep both.
"""

_EXAMPLES = """\
make bench                                       everything but --sizes: about 20 minutes
make bench BENCH_ARGS=--quick                    six candidates, a small table: about a minute
make bench BENCH_ARGS="--only gate,node,bun"     some of them
make bench BENCH_ARGS="--parts sqlite,proxy"     some of the parts
make bench BENCH_ARGS="--parts sizes"            1,000 sessions against 10,000,000 (4 GB more)
make bench BENCH_ARGS=--publish                  as above, into docs/performance.md and docs/images
make bench BENCH=startup                         what a start of the service costs
"""

PARTS = ("sqlite", "postgresql", "proxy", "neighbours", "sizes")
_PARTS_HELP = """\
sqlite, postgresql: the checks; proxy: through nginx's auth_request, all on one core; neighbours:
the gate's p99 while the web process is hammered; sizes: 1,000 sessions against 10,000,000
(all but sizes)"""


@dataclass(frozen=True, kw_only=True)
class Options:
    """``only`` holds keys of candidates; empty means all of them."""

    sessions: int
    rounds: int
    seconds: int
    parts: tuple[str, ...]
    only: tuple[str, ...]
    is_quick: bool
    publishes: bool

    def chosen(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Give the candidates to ask."""
        if self.only:
            return [one for one in candidates if one.key in self.only]
        return [one for one in candidates if one.is_quick or not self.is_quick]


def read_options(arguments: list[str] | None = None) -> Options:
    """Read the command line; ends the program on a wrong one."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.session_check",
        description=_DESCRIPTION,
        epilog=f"examples:\n{_EXAMPLES}\ncandidates:\n{_list_candidates()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="about a minute; figures are rough")
    parser.add_argument("--only", metavar="KEYS", help="candidates, separated by commas (all)")
    parser.add_argument("--parts", metavar="PARTS", help=_PARTS_HELP)
    parser.add_argument("--rounds", type=int, help="rounds that count (7, quick 5)")
    parser.add_argument(
        "--seconds", type=int, help="how long each is asked in a round (4, quick 1)"
    )
    parser.add_argument("--sessions", type=int, help="rows of each table (1000000, quick 50000)")
    parser.add_argument("--publish", action="store_true", help="write plots and tables into docs/")
    given = parser.parse_args(arguments)
    parts = _split(given.parts) or (PARTS[:1] if given.quick else PARTS[:-1])
    known = [one.key for one in (*SQLITE, *POSTGRESQL)]
    for word, words in ((parts, PARTS), (_split(given.only), known)):
        if unknown := [one for one in word if one not in words]:
            parser.error(f"unknown: {', '.join(unknown)}; there are: {', '.join(words)}")
    return Options(
        sessions=given.sessions or (50_000 if given.quick else 1_000_000),
        rounds=given.rounds or (5 if given.quick else 7),
        seconds=given.seconds or (1 if given.quick else 4),
        parts=parts,
        only=_split(given.only),
        is_quick=given.quick,
        publishes=given.publish,
    )


def _split(text: str | None) -> tuple[str, ...]:
    return tuple(word for word in (text or "").split(",") if word)


def _list_candidates() -> str:
    return "\n".join(f"  {one.key:26}{one.title}" for one in (*SQLITE, *POSTGRESQL))
