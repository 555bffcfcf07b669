"""The benchmark: its ratios, and that a wrong answer ends it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from xml.etree import ElementTree as ET

import pytest

from bench.session_check.candidates import Candidate
from bench.session_check.errors import Unavailable, WrongAnswer
from bench.session_check.installs import find_program
from bench.session_check.load import ask, read_result
from bench.session_check.plots import Bar, draw_bars
from bench.session_check.population import new_population
from bench.session_check.ratios import Ratio, speed_ratio
from bench.session_check.rounds import Figures

QUESTIONS = "".join(
    f"who=person{number}\t{f'person{number}@example.org' if number % 10 else ''}\n"
    for number in range(40)
)
CANDIDATE = Candidate(key="fake", title="fake", program="fake", store="fake", looks_up="nothing")


def figures(requests_per_second: float) -> Figures:
    return Figures(
        requests_per_second=requests_per_second,
        p50=1,
        p99=1,
        processor=1,
        megabytes=1,
        body_bytes=1,
        generator_busy=0,
    )


def test_a_ratio_is_the_median_of_the_rounds_own_ratios() -> None:
    # The second round was slow for both: medians taken first would say 3.
    ours = [figures(speed) for speed in (400, 30, 300)]
    theirs = [figures(speed) for speed in (200, 10, 100)]

    assert speed_ratio(ours, theirs) == Ratio(median=3, lowest=2, highest=3)
    assert speed_ratio(ours[:2], theirs[:2]).median == pytest.approx(2.5)


@pytest.mark.parametrize(
    "result",
    [
        pytest.param("100 1 90 900 1000000 1 1 1 0 0", id="one wrong answer"),
        pytest.param("100 0 90 900 1000000 1 1 1 1 0", id="one broken connection"),
        pytest.param("100 0 90 900 1000000 1 1 1 0 1", id="one late answer"),
        pytest.param("100 0 0 0 1000000 1 1 1 0 0", id="nobody let in"),
        pytest.param("0 0 0 0 1000000 0 0 0 0 0", id="no answer"),
    ],
)
def test_a_run_with_anything_wrong_in_it_fails(result: str) -> None:
    assert read_result("result 100 0 90 900 2000000 1 1 1 0 0").requests_per_second == 50

    with pytest.raises(WrongAnswer):
        read_result(f"result {result}")


def test_a_run_without_a_result_fails() -> None:
    with pytest.raises(WrongAnswer, match="unable to connect"):
        read_result("unable to connect to 127.0.0.1:1")


def honest(number: int) -> tuple[int, str]:
    return (200, f'{{"email":"person{number}@example.org"}}') if number % 10 else (401, "")


def lets_everybody_in(number: int) -> tuple[int, str]:
    return 200, f'{{"email":"person{number}@example.org"}}'


def names_another(number: int) -> tuple[int, str]:
    return honest(number + 1 if number == 7 else number)


def locks_one_out(number: int) -> tuple[int, str]:
    return honest(0 if number == 7 else number)


@contextmanager
def server_that(answers: object) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            status, body = answers(int(self.headers["Cookie"].removeprefix("who=person")))  # type: ignore[operator]
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_words: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        # All eight connect at once.
        request_queue_size = 64

    with Server(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    try:
        find_program("wrk")
    except Unavailable as error:
        # Nothing but the benchmark needs it.
        leave_out = pytest.fail if os.environ.get("CI") else pytest.skip
        leave_out(str(error))
    file = tmp_path / "questions"
    file.write_text(QUESTIONS)
    return file


def test_a_server_that_answers_rightly_is_measured(questions: Path) -> None:
    with server_that(honest) as port:
        load = ask(CANDIDATE, port=port, questions=questions, seconds=1, first=3)

    assert load.answers > len(QUESTIONS.splitlines())
    assert load.body_bytes == pytest.approx(len(honest(11)[1]), abs=2)


@pytest.mark.parametrize("liar", [lets_everybody_in, names_another, locks_one_out])
def test_a_server_that_answers_one_question_wrongly_is_found_out(
    liar: object, questions: Path
) -> None:
    with (
        server_that(liar) as port,
        pytest.raises(WrongAnswer, match=r"answers wrong, 0 broken, 0 late"),
    ):
        ask(CANDIDATE, port=port, questions=questions, seconds=1, first=3)


def test_one_asked_in_ten_is_refused_and_has_no_row() -> None:
    population = new_population(sessions=5_000)
    tokens = {session.token for session in population.list_sessions()}
    asked = list(population.list_asked())

    refused = [session for session, is_good in asked if not is_good]

    assert len(refused) * 10 == len(asked) == len({session.token for session, _ in asked})
    assert tokens.isdisjoint(session.token for session in refused)
    assert tokens.issuperset(session.token for session, is_good in asked if is_good)


def test_plot_is_well_formed_and_names_every_candidate() -> None:
    ratio = Ratio(median=3, lowest=2, highest=5)
    bars = [Bar(label=f"<{number}>", length=ratio, number="3", is_ours=True) for number in range(3)]

    drawn = ET.fromstring(draw_bars("A & B", "of each", bars))  # noqa: S314 - our own

    texts = [one.text for one in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert {"<0>", "<1>", "<2>", "A & B"} <= set(texts)
