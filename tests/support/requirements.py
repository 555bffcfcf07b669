"""The ids of docs/requirements.md: where the page answers them, and where tests name them."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

_NUMBERS = r"\d+\.\d+\.\d+"
_ASVS = re.compile(rf"\bASVS ({_NUMBERS}(?:(?:, and |, | and | to ){_NUMBERS})*)")
_WEBAUTHN = re.compile(r"\bWA-([RAX])(\d+)(?: to WA-\1(\d+))?")
_VERBATIM = re.compile(r"\b(?:NI-\d+|CS-\d+|DB-\d+|OA-\d+|OC-\d+|CVE-[\w-]*\w|GHSA-[\w-]*\w)")
_PLAN = re.compile(r"(?<![\w-])[FA]\d{1,2}(?![\w-])")
_CITED = re.compile(r"`([\w/]+\.py)(?:::(\w+))?`")
_ROW = re.compile(r"\| (?P<ids>[^|]+) \| (?P<claim>[^|]+[.]) \| (?P<cited>[^|]+) \|")


@dataclass(frozen=True)
class Answer:
    """A row of the page: requirements, and the tests (file, function or none) that show them."""

    ids: tuple[str, ...]
    cited: tuple[tuple[str, str | None], ...]


def read_answers(page: str) -> Iterator[Answer]:
    """Read the rows below each heading "Shown by"; a row that cannot be read is a ValueError."""
    for table in re.findall(r"^\|.*Shown by \|\n\|[-|]+\|\n((?:\|.*\n)*)", page, re.MULTILINE):
        for line in table.splitlines():
            row = _ROW.fullmatch(line)
            if row is None:
                raise ValueError(f"a row is not ids, a sentence and tests: {line}")
            ids = tuple(row["ids"].split(", "))
            tests = row["cited"].split(", ")
            cited = [match for test in tests if (match := _CITED.fullmatch(test))]
            if len(cited) != len(tests) or any({one} != ids_in(f'"""{one}"""') for one in ids):
                raise ValueError(f"an id or a test cannot be read: {line}")
            yield Answer(ids, tuple((match[1], match[2]) for match in cited))


@cache
def ids_in(source: str) -> frozenset[str]:
    """Give the ids that a Python module names, ranges such as "WA-R5 to WA-R11" in full.

    Faults and abuses count in docstrings alone: `A9` in a test's id is short for WA-A9.
    """
    text = " ".join(source.split())
    found = {match[0] for match in _VERBATIM.finditer(text)}
    for kind, first, last in _WEBAUTHN.findall(text):
        found |= {f"WA-{kind}{at}" for at in range(int(first), int(last or first) + 1)}
    for match in _ASVS.finditer(text):
        found |= {f"ASVS {number}" for number in _in_full(match[1])}
    for docstring in _docstrings(source):
        found |= set(_PLAN.findall(docstring))
    return frozenset(found)


def _in_full(numbers: str) -> Iterator[str]:
    for part in re.split(r", and |, | and ", numbers):
        first, _, last = part.partition(" to ")
        section, _, begin = first.rpartition(".")
        for at in range(int(begin), int(last.rpartition(".")[2] or begin) + 1):
            yield f"{section}.{at}"


def _docstrings(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef):
            yield ast.get_docstring(node) or ""


@cache
def functions_in(source: str) -> frozenset[str]:
    """Name the functions that a module defines."""
    nodes = ast.walk(ast.parse(source))
    return frozenset(node.name for node in nodes if isinstance(node, ast.FunctionDef))
