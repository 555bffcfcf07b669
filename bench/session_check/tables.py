"""The tables that a run prints, as Markdown that also reads well in a terminal."""

from collections.abc import Callable, Mapping, Sequence
from statistics import median

from bench.session_check.candidates import Candidate
from bench.session_check.ratios import speed_ratio
from bench.session_check.rounds import Figures, Rounds

_HEAD = (
    "Candidate",
    "requests/s",
    "times the reference (lowest to highest)",
    "p50 ms",
    "p99 ms",
    "CPU µs",
    "MB",
    "bytes",
)


def checks_table(
    candidates: Sequence[Candidate],
    measured: Rounds,
    left_out: Mapping[str, str],
    *,
    reference: str,
) -> str:
    """Give a row for each candidate, also for those that could not be had, with the reason."""
    rows = [list(_HEAD)]
    for one in candidates:
        if one.key in measured:
            rows.append(_row(one, measured, reference))
        elif one.key in left_out:
            rows.append([one.title, "left out", *["-"] * 6])
    missing = [one for one in candidates if one.key in left_out]
    reasons = [f"- left out: {one.title}: {left_out[one.key]}" for one in missing]
    lists = [lines for lines in (reasons, _what_they_look_up(candidates)) if lines]
    return "\n\n".join([align(rows), *("\n".join(lines) for lines in lists)])


def _what_they_look_up(candidates: Sequence[Candidate]) -> list[str]:
    lines = ["What a check looks up:", ""]
    for looked_up in dict.fromkeys(one.looks_up for one in candidates):
        titles = [one.title for one in candidates if one.looks_up == looked_up]
        lines.append(f"- {looked_up}: {'; '.join(titles)}")
    return lines


def _row(candidate: Candidate, measured: Rounds, reference: str) -> list[str]:
    figures = measured[candidate.key]

    def middle(read: Callable[[Figures], float]) -> float:
        return median(read(one) for one in figures)

    against = measured.get(reference)
    return [
        candidate.title,
        f"{middle(lambda one: one.requests_per_second):,.0f}",
        str(speed_ratio(figures, against)) if against else "-",
        f"{middle(lambda one: one.p50):.2f}",
        f"{middle(lambda one: one.p99):.2f}",
        f"{middle(lambda one: one.processor):,.0f}",
        f"{middle(lambda one: one.megabytes):.0f}",
        f"{middle(lambda one: one.body_bytes):.0f}",
    ]


def align(rows: Sequence[Sequence[str]]) -> str:
    """Lay rows out as a Markdown table, the first of them its head; numbers to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [_line(rows[0], widths), _line(["-" * width for width in widths], widths)]
    lines += [_line(row, widths) for row in rows[1:]]
    return "\n".join(lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first = cells[0].ljust(widths[0])
    rest = [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
    return "| " + " | ".join([first, *rest]) + " |"
