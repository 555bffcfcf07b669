"""One run: its parts one after the other, then the report."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager

from bench.session_check.candidates import Candidate
from bench.session_check.catalogue import POSTGRESQL, SQLITE
from bench.session_check.errors import Unavailable
from bench.session_check.goals import Verdict, judge_speed
from bench.session_check.neighbours import measure_neighbours
from bench.session_check.options import Options
from bench.session_check.postgresql import running_postgresql
from bench.session_check.progress import say
from bench.session_check.proxy import PROXIED, behind_nginx
from bench.session_check.report import Report
from bench.session_check.rounds import run_rounds
from bench.session_check.servers import Server, started
from bench.session_check.sizes import measure_sizes
from bench.session_check.stores import Stores
from bench.session_check.tables import checks_table

Start = Callable[[Candidate], AbstractContextManager[Server]]


def run(options: Options) -> Report:
    """Measure what the options ask for.

    Raises ``WrongAnswer`` where a candidate answers wrongly; one that cannot be had is left out,
    and the report says so.
    """
    report = Report(options=options)
    stores = Stores(sessions=options.sessions, server_url=None)
    parts: dict[str, Callable[[], None]] = {
        "sqlite": lambda: _compare("On SQLite", SQLITE, _direct(stores), report, "better-auth"),
        "postgresql": lambda: _compare_on_postgresql(report),
        "proxy": lambda: _compare(
            "Through nginx's auth_request, all on one core",
            PROXIED,
            lambda one: behind_nginx(one, stores),
            report,
            "proxy-better-auth",
        ),
        "neighbours": lambda: _add(
            "With a busy web process beside it",
            lambda: measure_neighbours(stores, rounds=options.rounds, seconds=options.seconds),
            report,
        ),
        "sizes": lambda: _add(
            "Over tables of different size",
            lambda: measure_sizes(rounds=options.rounds, seconds=options.seconds),
            report,
        ),
    }
    for part in options.parts:
        parts[part]()
    report.verdicts[:0] = judge_speed(report.measured)
    return report


def _direct(stores: Stores) -> Start:
    @contextmanager
    def start(candidate: Candidate) -> Iterator[Server]:
        with started(candidate, stores.get(candidate.store)) as server:
            yield server

    return start


def _compare_on_postgresql(report: Report) -> None:
    title = "On PostgreSQL"
    with ExitStack() as stack:
        try:
            url = stack.enter_context(running_postgresql())
        except Unavailable as error:
            report.add_section(title, f"left out: {error}")
            return
        stores = Stores(sessions=report.options.sessions, server_url=url)
        _compare(title, POSTGRESQL, _direct(stores), report, "better-auth-pg")


def _compare(
    title: str,
    candidates: Sequence[Candidate],
    start: Start,
    report: Report,
    reference: str,
) -> None:
    options = report.options
    chosen = options.chosen(candidates)
    with ExitStack() as stack:
        servers = []
        for one in chosen:
            say(f"starting {one.title}")
            try:
                servers.append(stack.enter_context(start(one)))
            except Unavailable as error:
                report.left_out[one.key] = str(error)
        rounds = run_rounds(servers, rounds=options.rounds, seconds=options.seconds, name=title)
    report.measured.update(rounds)
    table = checks_table(chosen, report.measured, report.left_out, reference=reference)
    report.add_section(title, table)


def _add(title: str, measure: Callable[[], tuple[str, list[Verdict]]], report: Report) -> None:
    try:
        table, verdicts = measure()
    except Unavailable as error:
        report.add_section(title, f"left out: {error}")
        return
    report.add_section(title, table)
    report.verdicts += verdicts
