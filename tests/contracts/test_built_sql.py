"""No SQL is put together from strings; whatever is so is refused (DB-21, ASVS 1.2.4)."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.built_sql import ALLOWED, complaints, modules, offences
from tests.support.servers import ROOT

IMPORTS = """
import sqlalchemy
from sqlalchemy import DDL, literal_column, text
"""

REFUSED = {
    "f_string_in_text": 'connection.execute(text(f"SELECT {column} FROM users"))',
    "concatenation_in_text": 'text("SELECT * FROM users WHERE name = \'" + name + "\'")',
    "percent_in_text": 'sqlalchemy.text("SELECT %s" % column)',
    "format_in_text": 'text("SELECT {}".format(column))',
    "join_in_text": 'text(" ".join(parts))',
    "argument_in_text": "def find(where):\n    return text(where)",
    "augmented_name_in_text": 'query = "SELECT 1"\nquery += suffix\ntext(query)',
    "keyword_in_text": 'text(text=f"SELECT {column}")',
    "f_string_in_literal_column": 'select(literal_column(f"{column}"))',
    "f_string_in_ddl": 'DDL(f"DROP TABLE {table}")',
    "f_string_in_execute": 'cursor.execute(f"SELECT {column}")',
    "concatenation_in_execute": 'cursor.execute("SELECT " + column)',
    "format_in_execute": 'op.execute("DROP TABLE {}".format(table))',
    "built_name_in_execute": 'query = f"SELECT {column}"\ncursor.execute(query)',
    "renamed_text": 'from sqlalchemy import text as sql\nsql(f"SELECT {column}")',
    "past_sqlalchemy": 'connection.exec_driver_sql("SELECT 1")',
}

ACCEPTED = {
    "literal_text": 'text("SELECT 1")',
    "adjacent_literals": 'text("SELECT 1"\n     " FROM users")',
    "named_literal": 'QUERY = "SELECT 1"\ntext(QUERY)',
    "literal_with_bound_values": 'text("SELECT :n").bindparams(n=n)',
    "select": "session.execute(select(User).where(User.name == first + last))",
    "literal_in_driver": 'cursor.execute("PRAGMA foreign_keys=ON")',
    "text_of_another_module": 'variables.text(f"{prefix}_FILE")',
    "f_string_elsewhere": 'log.info(f"{count} rows")',
}


@pytest.mark.parametrize("program", REFUSED.values(), ids=REFUSED.keys())
def test_sql_put_together_from_strings_is_refused(program: str) -> None:
    assert list(offences(IMPORTS + program))


@pytest.mark.parametrize("program", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_sql_with_bound_values_is_accepted(program: str) -> None:
    assert not list(offences(IMPORTS + program))


def test_the_service_and_its_migrations_build_no_sql(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    paths = [Path("app"), Path("migrations"), Path("wsgi.py")]

    assert len(list(modules(paths))) > len(paths)
    assert not list(complaints(paths))


def test_every_allowed_place_still_needs_to_be_allowed() -> None:
    for path, function in ALLOWED:
        source = (ROOT / path).read_text()

        assert function in {found.function for found in offences(source)}


def test_the_lint_fails_on_a_bad_program(tmp_path: Path) -> None:
    bad = tmp_path / "bad.py"
    bad.write_text(IMPORTS + REFUSED["percent_in_text"])
    command = [sys.executable, "-m", "tests.support.built_sql", str(bad)]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert done.stderr == f"{bad}:4: text() takes a literal\n"


def test_ruff_fails_on_sql_put_together_outside_a_call(tmp_path: Path) -> None:
    bad = tmp_path / "bad.py"
    bad.write_text('query = f"SELECT name FROM users WHERE name = {name}"\n')
    command = [sys.executable, "-m", "ruff", "check", "--config", "pyproject.toml", str(bad)]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert "S608" in done.stdout
