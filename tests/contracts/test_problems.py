"""Every refusal has a status, a code of its own and a sentence fit to show anybody."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from app import statuses
from app.errors import AssertionRejected, CloneSuspected, ServiceError
from app.statuses import status_of

APP = Path(__file__).parents[2] / "app"
CODE = r"`([a-z]+(?:_[a-z]+)+)`"


def children(of: type[ServiceError] = ServiceError) -> Iterator[type[ServiceError]]:
    for child in of.__subclasses__():
        yield child
        yield from children(child)


REFUSALS = sorted(children(), key=lambda refusal: refusal.__name__)
EACH = pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.__name__)


@EACH
def test_refusal_has_a_status(refusal: type[ServiceError]) -> None:
    assert 400 <= status_of(refusal) < 600


@EACH
def test_refusal_has_a_code_and_a_sentence(refusal: type[ServiceError]) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", refusal.code)
    assert re.fullmatch(r"[A-Z][^\n<>{}]{15,120}[.]", refusal.sentence)


def test_no_two_refusals_share_a_code_or_a_sentence() -> None:
    # A suspected clone is answered as any rejected assertion: only the log tells them apart.
    apart = [refusal for refusal in REFUSALS if refusal is not CloneSuspected]

    assert CloneSuspected.code == AssertionRejected.code
    assert len({refusal.code for refusal in apart}) == len(apart)
    assert len({refusal.sentence for refusal in apart}) == len(apart)


def test_status_table_names_refusals_alone() -> None:
    assert set(statuses._STATUS) == set(REFUSALS)


@cache
def raised() -> set[str]:
    """Name everything that the code raises, or hands on to be raised."""
    names = set()
    for file in APP.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Raise) and node.exc is not None:
                target = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
                names |= {target.id} if isinstance(target, ast.Name) else set()
            if isinstance(node, ast.Dict):  # constraint -> outcome
                names |= {value.id for value in node.values if isinstance(value, ast.Name)}
    return names


@EACH
def test_refusal_is_raised_somewhere(refusal: type[ServiceError]) -> None:
    assert refusal.__name__ in raised()


def test_documentation_lists_every_code_under_its_status() -> None:
    table = (APP.parent / "docs" / "api.md").read_text().partition("| Status | Codes |")[2]
    rows = re.findall(r"^\| (\d{3}) \| (.*) \|$", table, re.MULTILINE)
    listed = {(int(status), code) for status, codes in rows for code in re.findall(CODE, codes)}

    owed = {(status_of(refusal), refusal.code) for refusal in REFUSALS}
    owed |= {(405, "method_not_allowed"), (413, "too_large"), (500, "internal_error")}
    assert listed == owed
