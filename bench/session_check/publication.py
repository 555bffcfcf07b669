"""The tables and plots of a run, written into the documentation."""

from pathlib import Path

from bench.session_check.folders import PAGE
from bench.session_check.images import draw_images
from bench.session_check.report import Report

_BEGIN = "<!-- make bench BENCH_ARGS=--publish writes from here -->\n"
_END = "<!-- to here -->\n"


def publish(report: Report) -> list[Path]:
    """Draw the plots and put the tables between the marks of the page; give the files."""
    before, _, rest = PAGE.read_text().partition(_BEGIN)
    _, _, after = rest.partition(_END)
    if not after:
        message = f"{PAGE.name} has lost the marks between which the tables stand"
        raise ValueError(message)
    tables = report.text().partition("\n")[2].strip().replace("\n## ", "\n#### ")
    PAGE.write_text(f"{before}{_BEGIN}\n{tables}\n\n{_END}{after}")
    return [PAGE, *draw_images(report.measured)]
