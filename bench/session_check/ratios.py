"""Ratios between candidates: of each round, since a round's candidates share its weather."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from bench.session_check.rounds import Figures


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """The median of the rounds' ratios, the lowest and the highest."""

    median: float
    lowest: float
    highest: float

    def __str__(self) -> str:
        return f"{_short(self.median)} ({_short(self.lowest)} to {_short(self.highest)})"


def speed_ratio(of: Sequence[Figures], against: Sequence[Figures]) -> Ratio:
    """Tell how many times as many requests the one answers, round by round."""
    pairs = zip(of, against, strict=True)
    return ratio_of([one.requests_per_second / other.requests_per_second for one, other in pairs])


def ratio_of(values: Sequence[float]) -> Ratio:
    return Ratio(median=median(values), lowest=min(values), highest=max(values))


def _short(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"  # noqa: PLR2004 - two digits are enough
