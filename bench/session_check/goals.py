"""What the service must reach, and what the run says of it."""

from collections.abc import Iterator
from dataclasses import dataclass

from bench.session_check.ratios import Ratio, speed_ratio
from bench.session_check.rounds import Rounds
from bench.session_check.tables import align

_PYTHON_PEERS = ("flask-login", "django", "flask-security", "fastapi-users")


@dataclass(frozen=True, kw_only=True)
class Goal:
    """The one must answer at least so many times as many requests as the other."""

    of: str
    against: str
    least: float


GOALS = (
    Goal(of="web", against="hello", least=0.78),
    Goal(of="web", against="better-auth", least=8),
    Goal(of="web", against="better-auth-get-session", least=3.5),
    *(Goal(of="web", against=peer, least=5.5) for peer in _PYTHON_PEERS),
    Goal(of="gate", against="better-auth", least=38),
    Goal(of="gate", against="better-auth-get-session", least=15),
    Goal(of="gate", against="better-auth-cached", least=9),
    *(Goal(of="gate", against=peer, least=25) for peer in _PYTHON_PEERS),
    Goal(of="gate", against="hono-node", least=2.8),
    Goal(of="gate", against="hono-bun", least=1.9),
    Goal(of="gate", against="node", least=0.8),
    Goal(of="gate-pg", against="better-auth-pg", least=12),
    Goal(of="gate-pg", against="node-pg", least=0.6),
    Goal(of="proxy-gate", against="proxy-better-auth", least=22),
)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A measure in words, its ratio, what it must be, and whether it is."""

    measure: str
    ratio: Ratio
    goal: str
    is_reached: bool


def judge_speed(measured: Rounds) -> Iterator[Verdict]:
    """Judge the goals whose two candidates were measured."""
    for goal in GOALS:
        if goal.of in measured and goal.against in measured:
            ratio = speed_ratio(measured[goal.of], measured[goal.against])
            yield Verdict(
                measure=f"{goal.of} against {goal.against}",
                ratio=ratio,
                goal=f"≥ {goal.least:g}",
                is_reached=ratio.median >= goal.least,
            )


def judge_cost(measure: str, ratio: Ratio, *, most: float) -> Verdict:
    """Judge a ratio of costs, which must be small."""
    reached = ratio.median <= most
    return Verdict(measure=measure, ratio=ratio, goal=f"≤ {most:g}", is_reached=reached)


def verdicts_table(verdicts: list[Verdict]) -> str:
    """Lay the verdicts out; the missed ones say so."""
    rows = [["Measure", "times (lowest to highest)", "goal", ""]]
    for one in verdicts:
        word = "reached" if one.is_reached else "missed"
        rows.append([one.measure, str(one.ratio), one.goal, word])
    return align(rows)
