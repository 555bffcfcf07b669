"""docs/requirements.md tells the truth: its tests exist and name its ids, and none is missing."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import pytest

from tests.support.requirements import Answer, functions_in, ids_in, read_answers

TESTS = Path(__file__).parents[1]
PAGE = (TESTS.parent / "docs" / "requirements.md").read_text()
OPEN = PAGE.partition("\n## Not shown yet\n")[2]
"""What the page says has no test."""


@cache
def sources() -> Mapping[str, str]:
    """Give every module of the tests by its path, this one aside: its ids are made up."""
    files = {path for path in TESTS.rglob("*.py") if path != Path(__file__)}
    return {path.relative_to(TESTS).as_posix(): path.read_text() for path in files}


@cache
def answers() -> Sequence[Answer]:
    return list(read_answers(PAGE))


def faults(answers: Sequence[Answer], sources: Mapping[str, str]) -> Iterator[str]:
    """Tell in what a page and the tests differ."""
    for answer in answers:
        named: set[str] = set()
        for path, function in answer.cited:
            source = sources.get(path, "")
            named |= ids_in(source)
            if not source:
                yield f"{path} does not exist"
            elif function is not None and function not in functions_in(source):
                yield f"{path}::{function} does not exist"
        yield from (
            f"{one} is named by no test cited for it" for one in answer.ids if one not in named
        )
    ids = Counter(one for answer in answers for one in answer.ids)
    yield from (f"{one} is answered twice" for one, times in ids.items() if times > 1)
    for path, source in sources.items():
        yield from (
            f"{one}, named in {path}, is not answered" for one in ids_in(source) - ids.keys()
        )


def test_page_and_tests_agree() -> None:
    assert list(faults(answers(), sources())) == []


def test_nothing_is_both_shown_and_open() -> None:
    shown = {one for answer in answers() for one in answer.ids}
    said_to_be_open = ids_in(f'"""{OPEN}"""')
    assert said_to_be_open
    assert said_to_be_open & shown == set()


HEADING = "| Id | What must hold here | Shown by |\n|---|---|---|\n"
HONEST = "| WA-R98, ASVS 99.1.2 | It holds. | `a.py::test_it`, `b.py` |\n| F98 | So. | `b.py` |\n"
MODULES = {
    "a.py": 'def test_it():\n    """ASVS 99.1.1 to\n    99.1.3."""\n',
    "b.py": '"""WA-R97 to WA-R98, F98; `R9-A12`."""\n\nIDS = ["A9 not JSON"]\n',
}
ALSO = "| WA-R97, ASVS 99.1.1, ASVS 99.1.3 | It holds as well. | `a.py`, `b.py` |\n"


def faults_of(rows: str, **modules: str) -> list[str]:
    return sorted(faults(list(read_answers(HEADING + rows)), {**MODULES, **modules}))


def test_honest_page_has_no_fault() -> None:
    assert faults_of(HONEST + ALSO) == []


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        (HONEST.replace("`b.py` |\n| F", "`c.py` |\n| F") + ALSO, "c.py does not exist"),
        (HONEST.replace("test_it", "test_that") + ALSO, "a.py::test_that does not exist"),
        (
            HONEST.replace("R98,", "R98, CVE-1-2,") + ALSO,
            "CVE-1-2 is named by no test cited for it",
        ),
        (HONEST + ALSO.replace(", `b.py`", ""), "WA-R97 is named by no test cited for it"),
        (HONEST + ALSO + ALSO, "WA-R97 is answered twice"),
        (HONEST, "ASVS 99.1.3, named in a.py, is not answered"),
        (HONEST.partition("\n")[0] + "\n" + ALSO, "F98, named in b.py, is not answered"),
    ],
    ids=["file", "function", "unnamed", "unnamed there", "twice", "missing", "missing fault"],
)
def test_fault_of_the_page_is_found(rows: str, fault: str) -> None:
    assert fault in faults_of(rows)


@pytest.mark.parametrize(
    "named",
    ["WA-X99", "ASVS 99.9.9", "NI-99", "CS-99", "DB-99", "CVE-2099-12345", "GHSA-zzzz-zzzz-zzzz"],
)
def test_id_that_a_test_names_and_the_page_does_not_is_found(named: str) -> None:
    source = f'CASES = {{"{named} broken": 1}}\n'
    with_one_more = {**sources(), "unit/test_new.py": source}
    fault = f"{named}, named in unit/test_new.py, is not answered"
    assert fault in list(faults(answers(), with_one_more))


@pytest.mark.parametrize(
    "row",
    [
        "| WA-R98 | It holds. | by hand |",
        "| WA-R98 | It holds. | |",
        "| WA-R98; WA-R97 | It holds. | `b.py` |",
        "| WA-R98 | `b.py` |",
        "| V16 | It holds. | `b.py` |",
    ],
)
def test_row_that_cannot_be_read_is_refused(row: str) -> None:
    with pytest.raises(ValueError, match=r"cannot be read|is not ids"):
        list(read_answers(f"{HEADING}{row}\n"))


def test_every_table_of_tests_is_read() -> None:
    told = [line for line in PAGE.splitlines() if line.startswith("| ") and ".py" in line]
    assert len(answers()) == len(told) > 100
