"""One run of wrk against one server, every answer checked."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.session_check.candidates import Candidate
from bench.session_check.errors import WrongAnswer
from bench.session_check.folders import LOAD_CORE
from bench.session_check.installs import find_program

CONNECTIONS = 8
_SCRIPT = Path(__file__).with_name("check.lua")
_MICROSECONDS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Load:
    """What wrk saw. Times are in milliseconds; ``body_bytes`` is the mean of good answers."""

    answers: int
    requests_per_second: float
    p50: float
    p99: float
    body_bytes: float
    generator_busy: float
    """The part of its core that wrk itself used: near 1, the figure is wrk's."""


def ask(
    candidate: Candidate,
    *,
    port: int,
    questions: Path,
    seconds: int,
    first: int,
    core: int = LOAD_CORE,
) -> Load:
    """Ask for so long, beginning at the ``first`` question. Raises ``WrongAnswer``."""
    command = ["taskset", "-c", str(core), find_program("wrk")]
    command += ["--threads", str(CONNECTIONS), "--connections", str(CONNECTIONS)]
    command += ["--duration", f"{seconds}s", "--timeout", "30s", "--script", str(_SCRIPT)]
    command += [f"http://127.0.0.1:{port}", "--", str(questions), str(CONNECTIONS), str(first)]
    answers = candidate.answers
    command += [candidate.path, candidate.host, candidate.header_lines, str(answers.accepted)]
    command += [str(answers.refused), answers.refusal, answers.person]
    ended = subprocess.run(  # noqa: S603 - the arguments are ours
        command, capture_output=True, text=True, check=False
    )
    return read_result(ended.stderr)


def read_result(text: str) -> Load:
    """Read what ``check.lua`` says. Raises ``WrongAnswer`` unless every answer was right."""
    lines = [line.partition(" ") for line in text.splitlines()]
    said = {word: rest for word, _, rest in lines if word in {"result", "example"}}
    if "result" not in said:
        raise WrongAnswer(f"wrk gave no result: {text.strip()[-300:]}")
    numbers = [int(float(one)) for one in said["result"].split()]
    answered, wrong, good, body_bytes, microseconds, p50, p99, busy, errors, late = numbers
    if wrong or errors or late or not answered or not good:
        counts = f"{wrong} of {answered} answers wrong, {errors} broken, {late} late"
        raise WrongAnswer(f"{counts}. {said.get('example', '')}".strip())
    return Load(
        answers=answered,
        requests_per_second=answered / microseconds * _MICROSECONDS,
        p50=p50 / 1000,
        p99=p99 / 1000,
        body_bytes=body_bytes / good,
        generator_busy=busy / microseconds,
    )
