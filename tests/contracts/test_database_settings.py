"""Where the database is: addresses in the forms that hosts hand out, and one SQLite file.

DB-3, DB-5.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from app.config import load_settings
from app.errors import SettingsError
from tests.support.boots import PASSWORD, POSTGRESQL

SEVERAL_HOSTS = "host=one:5432&host=two:5433&target_session_attrs=read-write"


def database_url(folder: Path, value: str) -> str:
    return load_settings({"DATABASE_URL": value}, folder=folder).database.url


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_spelling_of_postgresql_means_psycopg_3(tmp_path: Path, scheme: str) -> None:
    url = database_url(tmp_path, f"{scheme}://user:p%40ss%2Fword@db:5433/badges?sslmode=require")

    assert url == "postgresql+psycopg://user:p%40ss%2Fword@db:5433/badges?sslmode=require"


@pytest.mark.parametrize(
    "value",
    [
        f"postgresql://user:{PASSWORD}@one:5432,two:5433/badges?target_session_attrs=read-write",
        f"postgres://user:{PASSWORD}@/badges?{SEVERAL_HOSTS}",
    ],
    ids=["as_libpq_writes_them", "as_sqlalchemy_writes_them"],
)
def test_several_hosts_reach_the_driver(tmp_path: Path, value: str) -> None:
    url = make_url(database_url(tmp_path, value))

    _, arguments = url.get_dialect()().create_connect_args(url)

    assert arguments == {
        "host": "one,two",
        "port": "5432,5433",
        "user": "user",
        "password": PASSWORD,
        "dbname": "badges",
        "target_session_attrs": "read-write",
    }


def test_several_hosts_may_share_the_default_port(tmp_path: Path) -> None:
    url = make_url(database_url(tmp_path, "postgresql://one,two/badges"))

    assert url.get_dialect()().create_connect_args(url)[1] == {
        "host": "one,two",
        "port": ",",
        "dbname": "badges",
    }


def test_migrations_use_the_same_database_unless_said(tmp_path: Path) -> None:
    environ = {"DATABASE_URL": POSTGRESQL}
    shared = load_settings(environ, folder=tmp_path).database
    environ["MIGRATION_DATABASE_URL"] = "postgres://owner@direct/badges"
    own = load_settings(environ, folder=tmp_path).database

    assert shared.migration_url == shared.url
    assert own.migration_url == "postgresql+psycopg://owner@direct/badges"
    assert own.url == shared.url


@pytest.mark.parametrize("name", ["b.db", "with blank?#%41é.db", "@host:1.db"])
def test_sqlite_file_is_named_exactly(tmp_path: Path, name: str) -> None:
    url = load_settings({"SQLITE_FILE": name}, folder=tmp_path).database.url

    assert make_url(url).database == str(tmp_path / name)


@pytest.mark.parametrize(
    ("value", "expected"), [("sqlite:///b.db", "{0}/b.db"), ("sqlite:////{0}/c.db", "{0}/c.db")]
)
def test_sqlite_address_is_relative_or_absolute(tmp_path: Path, value: str, expected: str) -> None:
    url = database_url(tmp_path, value.format(str(tmp_path).lstrip("/")))

    assert make_url(url).database == "/" + expected.format(str(tmp_path).lstrip("/")).lstrip("/")


@pytest.mark.parametrize(
    ("environ", "file_origin", "url_origin"),
    [
        ({}, "default", "default"),
        ({"SQLITE_FILE": "b.db"}, "environment", "default"),
        ({"DATABASE_URL": "sqlite:///b.db"}, "DATABASE_URL", "environment"),
    ],
    ids=["default", "file", "url"],
)
def test_sqlite_file_tells_where_it_came_from(
    tmp_path: Path, environ: dict[str, str], file_origin: str, url_origin: str
) -> None:
    settings = load_settings(environ, folder=tmp_path)

    file, origin = settings.origins_of_values["SQLITE_FILE"]
    assert (f"sqlite:///{file}", origin) == (settings.database.url, file_origin)
    url, origin = settings.origins_of_values["DATABASE_URL"]
    assert origin == url_origin
    assert url == ("unset" if url_origin == "default" else settings.database.url)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, ("sqlite", "default")),
        ({"DATABASE_URL": POSTGRESQL}, ("postgresql", "DATABASE_URL")),
        ({"DATABASE_URL": POSTGRESQL, "DB_TYPE": "postgresql"}, ("postgresql", "environment")),
    ],
    ids=["default", "told", "said"],
)
def test_type_tells_where_it_came_from(
    tmp_path: Path, environ: dict[str, str], expected: tuple[str, str]
) -> None:
    assert load_settings(environ, folder=tmp_path).origins_of_values["DB_TYPE"] == expected


def test_file_that_exists_is_kept(tmp_path: Path) -> None:
    (tmp_path / "b.db").write_bytes(b"kept")

    assert load_settings({"SQLITE_FILE": "b.db"}, folder=tmp_path).database.kind == "sqlite"
    assert (tmp_path / "b.db").read_bytes() == b"kept"


def test_default_folder_is_created_for_its_owner_alone(tmp_path: Path) -> None:
    load_settings({}, folder=tmp_path)

    assert (tmp_path / "instance").stat().st_mode & 0o777 == 0o700


def test_default_folder_that_cannot_be_created_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"SQLITE_FILE is unset .* instance/ cannot be created"):
        load_settings({}, folder=tmp_path / "missing")


def test_place_that_cannot_be_written_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Root may write everywhere, so the answer of the system is replaced.
    monkeypatch.setattr(os, "access", lambda path, _mode: path != tmp_path)

    with pytest.raises(SettingsError, match="SQLITE_FILE is in a place that the service cannot"):
        load_settings({"SQLITE_FILE": "badges.db"}, folder=tmp_path)


@pytest.mark.parametrize("parameter", ["password", "sslpassword"])
def test_passwords_among_the_parameters_are_masked(tmp_path: Path, parameter: str) -> None:
    environ = {"DATABASE_URL": f"postgresql://db/badges?{parameter}={PASSWORD}"}
    settings = load_settings(environ, folder=tmp_path)

    assert PASSWORD in settings.database.url
    assert settings.origins_of_values["DATABASE_URL"] == (
        f"postgresql+psycopg://db/badges?{parameter}=masked",
        "environment",
    )
