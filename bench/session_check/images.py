"""The plots of a report, for docs/performance.md."""

from collections.abc import Sequence
from pathlib import Path
from statistics import median

from bench.session_check.candidates import Candidate
from bench.session_check.catalogue import POSTGRESQL, SQLITE
from bench.session_check.folders import IMAGES
from bench.session_check.plots import Bar, draw_bars
from bench.session_check.proxy import PROXIED
from bench.session_check.ratios import Ratio, ratio_of, speed_ratio
from bench.session_check.rounds import Rounds

_PLOTS = (
    ("session-check-sqlite", "Session checks on SQLite", SQLITE, "better-auth"),
    ("session-check-postgresql", "Session checks on PostgreSQL", POSTGRESQL, "better-auth-pg"),
    ("session-check-nginx", "Checks through nginx's auth_request", PROXIED, "proxy-better-auth"),
)


def draw_images(measured: Rounds) -> list[Path]:
    """Draw what was measured into docs/images; give the files."""
    drawn = []
    for name, title, candidates, reference in _PLOTS:
        if reference in measured:
            speed = _speed_bars(candidates, measured, reference)
            words = "times as many as Better Auth's HTTP handler; one worker on one core"
            drawn.append(_write(f"{name}.svg", draw_bars(title, words, speed)))
            if name == "session-check-sqlite":
                late = "milliseconds within which 99 of 100 answers came, eight asked at a time"
                bars = _late_bars(candidates, measured)
                drawn.append(
                    _write("session-check-p99.svg", draw_bars("The slow ones", late, bars))
                )
    return drawn


def _speed_bars(candidates: Sequence[Candidate], measured: Rounds, reference: str) -> list[Bar]:
    bars = []
    for one in candidates:
        if one.key in measured:
            figures = measured[one.key]
            ratio = speed_ratio(figures, measured[reference])
            speed = median(figure.requests_per_second for figure in figures)
            number = f"{ratio.median:.1f} times ({speed:,.0f}/s)"
            bars.append(_bar(one, number, ratio=ratio))
    return sorted(bars, key=lambda bar: -bar.length.median)


def _late_bars(candidates: Sequence[Candidate], measured: Rounds) -> list[Bar]:
    bars = []
    for one in candidates:
        if one.key in measured:
            late = ratio_of([figure.p99 for figure in measured[one.key]])
            bars.append(_bar(one, f"{late.median:.1f} ms", ratio=late))
    return sorted(bars, key=lambda bar: bar.length.median)


def _bar(candidate: Candidate, number: str, *, ratio: Ratio) -> Bar:
    is_ours = candidate.program in {"web", "gate"}
    return Bar(label=candidate.title, length=ratio, number=number, is_ours=is_ours)


def _write(name: str, text: str) -> Path:
    file = IMAGES / name
    file.write_text(text)
    return file
