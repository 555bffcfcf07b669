"""The running service loads nothing that only commands need (docs/performance.md)."""

import subprocess
import sys

from tests.support.servers import ROOT

COMMANDS_ALONE = ("alembic", "flask_migrate", "mako")


def loaded_by(statement: str) -> set[str]:
    program = f"import sys; {statement}; print(*sys.modules)"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_service_starts_without_what_only_commands_need() -> None:
    assert loaded_by("import app").isdisjoint(COMMANDS_ALONE)
    assert loaded_by("import app.cli.db").issuperset(COMMANDS_ALONE)
