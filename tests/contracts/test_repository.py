"""What the repository promises to whoever clones it: pinned packages and a short Makefile."""

import re
import tomllib
from collections.abc import Iterator

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.servers import ROOT

LISTS = ("requirements.txt", "requirements-dev.txt")
PIN = re.compile(
    r"^(?P<name>[a-z0-9-]+)(?:\[[a-z]+\])?==(?P<version>[^ ;]+)(?P<rest>.*(?:\n    --hash=.*)*)",
    re.MULTILINE,
)


def pins(name: str) -> dict[str, str]:
    return {match["name"]: match["version"] for match in PIN.finditer((ROOT / name).read_text())}


def declared() -> Iterator[tuple[str, Requirement]]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for text in project["project"]["dependencies"]:
        yield LISTS[0], Requirement(text)
    for text in project["dependency-groups"]["dev"]:
        yield LISTS[1], Requirement(text)


@pytest.mark.parametrize("name", LISTS)
def test_every_package_is_pinned_with_hashes(name: str) -> None:
    text = (ROOT / name).read_text()
    packages = [line for line in text.splitlines() if re.match(r"[^\s#]", line)]

    assert len(packages) == len(pins(name))
    assert all("--hash=sha256:" in match["rest"] for match in PIN.finditer(text))


@pytest.mark.parametrize("name", LISTS)
def test_no_list_names_an_index_or_a_path_of_one_machine(name: str) -> None:
    assert not re.search(r"://|--(extra-)?index|--find-links|[ =]/", (ROOT / name).read_text())


def test_every_declared_package_is_pinned_within_its_bounds() -> None:
    """WA-X6: which are bounds that webauthn and cbor2 must not fall below."""
    for name, requirement in declared():
        pinned = pins(name).get(canonicalize_name(requirement.name))

        assert pinned is not None, requirement
        assert requirement.specifier.contains(pinned), requirement


def test_the_tests_run_with_the_versions_that_the_service_runs_with() -> None:
    assert pins(LISTS[0]).items() <= pins(LISTS[1]).items()


def test_the_makefile_has_at_most_ten_targets_and_explains_each() -> None:
    text = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    explained = re.findall(r"^([a-z-]+):.* ## .", text, re.MULTILINE)

    assert phony is not None
    assert sorted(explained) == sorted(phony[1].split())
    assert len(explained) <= 10
