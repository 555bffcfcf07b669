"""`flask config` shows what is in effect, and no secret."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import flask
import pytest
from click.testing import Result

from app.cli.config import config_command
from app.config import load_settings
from tests.support.boots import DEVELOPMENT, PASSWORD, POSTGRESQL, PRODUCTION, SECRETS


def run(environ: Mapping[str, str], folder: Path, *arguments: str) -> Result:
    app = flask.Flask("config")
    app.extensions["openbadges"] = load_settings(environ, folder=folder)
    app.cli.add_command(config_command)
    return app.test_cli_runner().invoke(args=["config", *arguments])


def rows(result: Result) -> dict[str, tuple[str, str]]:
    """Map each variable to value and origin; two blanks separate the columns."""
    lines = [line.split("  ") for line in result.stdout.splitlines()]
    cells = [[cell.strip() for cell in line if cell.strip()] for line in lines]
    return {name: (value, origin) for name, value, origin in cells}


def test_table_says_where_each_value_came_from(tmp_path: Path) -> None:
    (tmp_path / "url").write_text(POSTGRESQL)
    (tmp_path / "url").chmod(0o600)

    environ = {**DEVELOPMENT, "THREADS": "8", "LOG_QUERIES": "1", "DATABASE_URL_FILE": "url"}

    result = run(environ, tmp_path)

    assert result.exit_code == 0, result.output
    table = rows(result)
    assert table["Variable"] == ("Value", "From")
    assert table["THREADS"] == ("8", "environment")
    assert table["PORT"] == ("8000", "default")
    assert table["APP_ENV"] == ("development", "environment")
    assert table["LOG_QUERIES"] == ("on", "environment")
    assert table["DB_PREPARE"] == ("on", "default")
    assert table["DB_TYPE"] == ("postgresql", "DATABASE_URL")
    assert table["DATABASE_URL"] == (
        "postgresql+psycopg://user:***@db.example.org/badges",
        f"file {tmp_path}/url",
    )
    assert table["SECRET_KEYS"] == ("*** (1 of 32 bytes)", "generated in instance/secret_keys")


def test_table_holds_no_secret(tmp_path: Path) -> None:
    environ = {
        **PRODUCTION,
        "DATABASE_URL": POSTGRESQL,
        "MIGRATION_DATABASE_URL": f"postgresql://owner@db/badges?sslpassword={PASSWORD}",
    }

    result = run(environ, tmp_path)

    assert result.exit_code == 0, result.output
    assert {"SECRET_KEYS", "DATABASE_URL", "MIGRATION_DATABASE_URL"} <= rows(result).keys()
    assert not any(secret in result.output for secret in SECRETS)


def test_incomplete_service_is_shown_with_the_problem(tmp_path: Path) -> None:
    result = run({"DATABASE_URL": POSTGRESQL, "THREADS": "8"}, tmp_path)

    assert result.exit_code == 1
    assert result.stderr.strip().startswith("PUBLIC_ORIGIN is missing or empty: ")
    table = rows(result)
    assert table["THREADS"] == ("8", "environment")
    assert "PUBLIC_ORIGIN" not in table


def test_identity_providers_are_shown_without_their_secrets(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(PASSWORD)
    (tmp_path / "secret").chmod(0o600)
    environ = {
        **PRODUCTION,
        "OAUTH_GITHUB_CLIENT_ID": "badges",
        "OAUTH_GITHUB_CLIENT_SECRET_FILE": "secret",
        "OAUTH_SCHOOL_CLIENT_ID": "badges",
        "OAUTH_SCHOOL_CLIENT_SECRET": PASSWORD,
        "OAUTH_SCHOOL_ISSUER": "https://login.school.example/",
    }

    result = run(environ, tmp_path)

    assert result.exit_code == 0, result.output
    assert PASSWORD not in result.output
    table = rows(result)
    assert table["OAUTH_PROVIDERS"] == ("github, school", "client ids")
    assert table["OAUTH_GITHUB_CLIENT_SECRET"] == ("***", f"file {tmp_path}/secret")
    assert table["OAUTH_SCHOOL_CLIENT_SECRET"] == ("***", "environment")
    assert table["OAUTH_SCHOOL_ISSUER"] == ("https://login.school.example/", "environment")
    assert table["OAUTH_GITHUB_ISSUER"] == ("https://github.com", "default")
    assert table["OAUTH_SCHOOL_TOKEN_ENDPOINT"] == ("as in the provider's metadata", "default")


@pytest.mark.parametrize(
    ("suffix", "value"),
    [
        ("KIND", PASSWORD),
        ("ICON", PASSWORD),
        ("LABEL", PASSWORD * 4),
        ("SCOPES", PASSWORD),
        ("ISSUER", f"https://user:{PASSWORD}@login.school.example"),
        ("TOKEN_ENDPOINT", f"https://user:{PASSWORD}@login.school.example"),
        ("ALLOW_PRIVATE", PASSWORD),
        ("CA_FILE", PASSWORD),
    ],
)
def test_refused_value_of_a_provider_is_not_shown(tmp_path: Path, suffix: str, value: str) -> None:
    provider = {"CLIENT_ID": "badges", "CLIENT_SECRET": "x", "ISSUER": "https://a.example"}
    environ = {f"OAUTH_SCHOOL_{name}": set_to for name, set_to in provider.items()}

    result = run({**PRODUCTION, **environ, f"OAUTH_SCHOOL_{suffix}": value}, tmp_path)

    assert result.exit_code == 1
    assert result.stderr.strip().startswith(f"OAUTH_SCHOOL_{suffix} ")
    assert PASSWORD not in result.output
    assert rows(result)["OAUTH_SCHOOL_CLIENT_ID"] == ("badges", "environment")


@pytest.mark.parametrize(
    "words", ["Secrets are masked", "exit status is 1", "\n    flask config\n"]
)
def test_help_teaches(tmp_path: Path, words: str) -> None:
    assert words in run(PRODUCTION, tmp_path, "--help").output
