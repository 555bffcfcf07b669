"""The data layer is typed: mypy accepts the good program and rejects the bad ones, line by line.

A line of `typing_programs/` that must be rejected says why: `# expect: part of mypy's message`.

DB-1, DB-2.
"""

import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.servers import ROOT

PROGRAMS = Path(__file__).parent / "typing_programs"
BAD = sorted(path.name for path in PROGRAMS.glob("*.py") if path.name != "good.py")
COMPLAINT = re.compile(r"^(?P<path>[^:]+):(?P<line>\d+): error: (?P<message>.*)$", re.MULTILINE)

Complaints = Mapping[str, Mapping[int, list[str]]]


@pytest.fixture(scope="module")
def complaints() -> Complaints:
    command = [sys.executable, "-m", "mypy", "--strict", *map(str, sorted(PROGRAMS.glob("*.py")))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr

    found: dict[str, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for match in COMPLAINT.finditer(done.stdout):
        found[Path(match["path"]).name][int(match["line"])].append(match["message"])
    return found


def expectations(program: str) -> dict[int, str]:
    lines = (PROGRAMS / program).read_text().splitlines()
    marked = ((number, line.partition("# expect: ")[2]) for number, line in enumerate(lines, 1))
    return {number: reason for number, reason in marked if reason}


def test_the_good_program_is_accepted(complaints: Complaints) -> None:
    assert "good.py" not in complaints


@pytest.mark.parametrize("program", BAD)
def test_the_bad_program_is_rejected_where_it_is_wrong(
    complaints: Complaints, program: str
) -> None:
    expected = expectations(program)

    assert expected
    assert set(complaints[program]) == set(expected)
    for line, reason in expected.items():
        assert any(reason in message for message in complaints[program][line]), line
