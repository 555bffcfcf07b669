"""The deliberate defects can still be put in, and name tests that exist."""

import shutil
from pathlib import Path

import pytest

from tests.mutations import MUTATIONS
from tests.mutations.mutation import DoesNotApplyError, Mutation

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: one.name)
def test_each_defect_can_be_put_in(mutation: Mutation, tmp_path: Path) -> None:
    copy = tmp_path / mutation.file
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / mutation.file, copy)

    mutation.apply(tmp_path)

    assert copy.read_text() != (ROOT / mutation.file).read_text()
    compile(copy.read_text(), mutation.file, "exec")
    for test in mutation.caught_by:
        file, _, name = test.partition("::")
        assert name.partition("[")[0] in (ROOT / file).read_text()


def test_defect_whose_code_has_moved_on_is_told(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text("a = 1\n")
    stale = Mutation(name="stale", file="code.py", old="b = 1", new="b = 2", caught_by=())

    with pytest.raises(DoesNotApplyError, match="0 times"):
        stale.apply(tmp_path)


def test_page_lists_them_all() -> None:
    page = (ROOT / "docs" / "reliability.md").read_text()
    listed = [line for line in page.splitlines() if line.count(" | ") == 2 and "`" in line]

    for mutation in MUTATIONS:
        assert any(line.startswith(f"| {mutation.name} |") for line in listed), mutation.name


def test_there_are_many_and_each_has_a_name_of_its_own() -> None:
    names = [mutation.name for mutation in MUTATIONS]

    assert len(set(names)) == len(names) >= 20
