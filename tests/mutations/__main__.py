"""Put deliberate defects into copies of the project and see that the tests notice each.

    python -m tests.mutations              all of them
    python -m tests.mutations challenge    those whose name or file holds the word

Before the defects of a set of tests, the same tests run on an unchanged copy: tests that fail
anyway would catch everything. Prints a table; fails where a defect was not noticed.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from tests.mutations import MUTATIONS
from tests.mutations.mutation import Mutation

ROOT = Path(__file__).parents[2]
_PASSED, _FAILED = 0, 1
_FAILURE = re.compile(r"^(?:FAILED|ERROR) (\S+?)(?:\[[^\]]*\])?(?: - .*)?$", re.MULTILINE)


@contextmanager
def copied_tree() -> Iterator[Path]:
    """Give a copy of what git knows or would take in, without what tools have made."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    with tempfile.TemporaryDirectory(prefix="openbadges-mutation-") as folder:
        for name in filter(None, listed.stdout.split("\0")):
            if (ROOT / name).is_file():
                (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, Path(folder) / name)
        yield Path(folder)


def run_tests(tree: Path, tests: tuple[str, ...]) -> tuple[int, str]:
    """Run tests of the copy up to the first failure; give pytest's status and what it printed."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def try_unchanged(tests: tuple[str, ...]) -> None:
    """See that tests pass without a defect.

    Raises:
        SystemExit: they do not, so that what they say about defects is worth nothing.
    """
    with copied_tree() as tree:
        status, printed = run_tests(tree, tests)
    if status != _PASSED:
        sys.exit(f"{' '.join(tests)} fail without any defect:\n{printed}")


def try_mutation(mutation: Mutation) -> str | None:
    """Give the test that noticed the defect; None where none did.

    Raises:
        SystemExit: the tests could not be run at all.
    """
    with copied_tree() as tree:
        mutation.apply(tree)
        status, printed = run_tests(tree, mutation.caught_by)
    failed = _FAILURE.search(printed)
    if status == _PASSED:
        return None
    if status != _FAILED or failed is None:
        sys.exit(f"{mutation.name}: the tests did not run:\n{printed}")
    return failed[1]


def main() -> None:
    """Try what was asked for, one after the other."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutations", description=(__doc__ or "").split("\n\n", maxsplit=1)[0]
    )
    parser.add_argument("word", nargs="?", default="", help="only those with this in name or file")
    parser.add_argument("--no-control", action="store_true", help="leave the unchanged copy out")
    asked = parser.parse_args()
    chosen = [one for one in MUTATIONS if asked.word in f"{one.name} {one.file}"]
    if not chosen:
        parser.error(f"no mutation is called {asked.word!r}")
    if not asked.no_control:
        for tests in dict.fromkeys(one.caught_by for one in chosen):
            try_unchanged(tests)
    click.echo("| Defect | File | Noticed by | Seconds |\n|---|---|---|--:|")
    survived = 0
    for mutation in chosen:
        began_at = time.monotonic()
        noticed = try_mutation(mutation)
        survived += noticed is None
        seconds = time.monotonic() - began_at
        noticed_by = f"`{noticed}`" if noticed else "**nobody**"
        click.echo(f"| {mutation.name} | `{mutation.file}` | {noticed_by} | {seconds:.0f} |")
    click.echo(f"\n{len(chosen)} defects, {len(chosen) - survived} noticed.")
    sys.exit(1 if survived else 0)


if __name__ == "__main__":
    main()
