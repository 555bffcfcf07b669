"""Health, the reference, the host name, and what must fit before the service serves."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import make_url, text

from app import create_app, create_service
from app.cli.db import run_migrations
from app.config import load_settings
from app.database import WRITES
from app.errors import SettingsError
from app.extensions import db
from tests.support.clients import Browser, InProcessBrowser
from tests.support.databases import ScratchDatabases
from tests.support.markup import Page
from tests.support.outages import database_away
from tests.support.people import json_of, refusal, sign_up
from tests.support.production import SECURE_ORIGIN, secure_browser, services
from tests.support.variables import DEVELOPMENT, ORIGIN


def test_healthz_asks_nothing_of_the_database(app: Flask, client: Browser) -> None:
    with database_away(app):
        answer = client.get("/healthz")

    assert (answer.status_code, json_of(answer)) == (200, {"status": "ok"})


def test_readyz_is_ready_with_every_migration(client: Browser) -> None:
    answer = client.get("/readyz")

    assert (answer.status_code, json_of(answer)) == (200, {"status": "ready"})


def test_readyz_follows_the_database(app: Flask, client: Browser) -> None:
    with database_away(app):
        answer = client.get("/readyz")

    assert refusal(answer) == (503, "database_unavailable")
    assert answer.headers["Retry-After"] == "2"
    assert client.get("/readyz").status_code == 200


@pytest.mark.parametrize(
    ("variables", "status"),
    [
        ({}, 404),
        ({"PUBLIC_DOCS": "1"}, 200),
        ({"PUBLIC_DOCS": "0"}, 404),
    ],
    ids=["unless asked", "by choice", "by refusal"],
)
@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
def test_reference_is_public_by_choice(
    scratch_database: ScratchDatabases, variables: Mapping[str, str], path: str, status: int
) -> None:
    """ASVS 13.4.5."""
    with services(scratch_database) as make:
        answer = secure_browser(make(**variables)).get(path)

    assert answer.status_code == status
    problem = answer.mimetype == "application/problem+json"
    assert problem is (status == 404 and path == "/openapi.json")


def test_reference_of_development_shows_every_path(client: Browser) -> None:
    document, page = json_of(client.get("/openapi.json")), client.get("/docs")

    assert page.mimetype == "text/html"
    for path in document["paths"]:
        assert path in page.text


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:8000",
        "localhost:9000",
        "localhost",
        "evil.example:8000",
        "localhost:8000.evil.example",
        "localhost:8000@evil.example",
        "localhost.:8000",
        "",
    ],
)
def test_other_host_names_are_misdirected(client: Browser, host: str) -> None:
    for path in ("/sign-in", "/api/auth/session", "/nothing"):
        answer = client.get(path, headers={"Host": host})
        assert answer.status_code == 421
        assert f"This service is at {ORIGIN}/ and nowhere else." in answer.text
    for path in ("/healthz", "/readyz", "/static/mark.svg"):
        with client.get(path, headers={"Host": host}) as allowed:
            assert allowed.status_code == 200


def test_page_under_another_host_name_leads_to_ours(client: Browser) -> None:
    page = Page(client.get("/sign-in", headers={"Host": "127.0.0.1:8000"}))

    assert f"{ORIGIN}/account" in page.values("href")


@pytest.mark.parametrize("host", ["id.example.org", "ID.Example.ORG", "id.example.org:443"])
def test_own_host_name_is_answered_however_it_is_written(
    scratch_database: ScratchDatabases, host: str
) -> None:
    with services(scratch_database) as make:
        browser = secure_browser(make())

        assert browser.get("/sign-in", headers={"Host": host}).status_code == 200
        assert browser.get("/sign-in", headers={"Host": "example.org"}).status_code == 421


FORGED = {
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Port": "666",
    "X-Forwarded-Prefix": "/evil",
    "Forwarded": "host=evil.example;proto=http",
    "X-Original-URL": "/evil",
    "X-Host": "evil.example",
}


@pytest.mark.parametrize("proxies", ["0", "1"])
def test_no_address_is_made_of_request_headers(
    scratch_database: ScratchDatabases, proxies: str
) -> None:
    """A4, ASVS 4.1.3, GHSA-2wmj-46rj-qm2w."""
    with services(scratch_database) as make:
        browser = secure_browser(make(TRUSTED_PROXIES=proxies, PUBLIC_DOCS="1"))

        for path in ("/", "/account", "/sign-in", "/openapi.json", "/static", "/nothing"):
            answer = browser.get(path, headers=FORGED)
            assert "evil" not in answer.text + str(answer.location)
            assert str(answer.location or "/").startswith("/")
        servers = json_of(browser.get("/openapi.json", headers=FORGED))["servers"]

    assert servers == [{"url": SECURE_ORIGIN}]


@contextmanager
def migrated(variables: Mapping[str, str]) -> Iterator[Flask]:
    app = create_app(load_settings(variables))
    run_migrations(app)
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def variables(scratch_database: ScratchDatabases) -> Mapping[str, str]:
    return {**DEVELOPMENT, **scratch_database()}


def named(variables: Mapping[str, str]) -> str:
    """Name the variable that says where the database is."""
    return "DATABASE_URL" if "DATABASE_URL" in variables else "SQLITE_FILE"


def test_boot_refuses_a_file_that_is_no_database(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("Not a database, and long enough to be seen not to be one. " * 20)

    with pytest.raises(SettingsError, match=r"^SQLITE_FILE .*\(file is not a database\).*\.$"):
        create_service(load_settings({**DEVELOPMENT, "SQLITE_FILE": str(file)}))


def test_boot_refuses_a_role_that_may_not_read(
    engine_name: str, variables: Mapping[str, str]
) -> None:
    if engine_name == "sqlite":
        # It knows no roles; the honest control is the same boot by the file's owner.
        with migrated(variables):
            assert create_service(load_settings(variables)).name == "app"
        return
    with migrated(variables) as app:
        with (
            app.app_context(),
            db.engine.execution_options(**{WRITES: True}).begin() as connection,
        ):
            connection.execute(text("CREATE ROLE stranger LOGIN"))
        try:
            stranger = make_url(variables["DATABASE_URL"]).set(username="stranger")
            address = stranger.render_as_string(hide_password=False)
            with pytest.raises(SettingsError, match=r"^DATABASE_URL .*permission denied.*\.$"):
                create_service(load_settings({**variables, "DATABASE_URL": address}))
        finally:
            with (
                app.app_context(),
                db.engine.execution_options(**{WRITES: True}).begin() as connection,
            ):
                connection.execute(text("DROP ROLE stranger"))


def test_boot_refuses_a_database_that_is_away(variables: Mapping[str, str]) -> None:
    with migrated(variables) as app:
        settings = load_settings(variables)
        with (
            database_away(app),
            pytest.raises(SettingsError, match=rf"^{named(variables)} .* does not answer .*\.$"),
        ):
            create_service(settings)

        assert create_service(load_settings(variables)).name == "app"


def test_boot_refuses_another_rp_id_than_the_passkeys_have(variables: Mapping[str, str]) -> None:
    moved = {**variables, "PUBLIC_ORIGIN": "https://id.example.org"}
    with migrated(variables) as app:
        assert create_service(load_settings(moved)).name == "app"
        sign_up(InProcessBrowser(app))

        sentence = r"^RP_ID is id\.example\.org, but passkeys were made for localhost .*\.$"
        with pytest.raises(SettingsError, match=sentence):
            create_service(load_settings(moved))

        assert create_service(load_settings(variables)).name == "app"


def test_boot_keeps_no_connection_for_forked_workers_to_inherit(
    variables: Mapping[str, str],
) -> None:
    with migrated(variables):
        service = create_service(load_settings(variables))

        with service.app_context():
            assert "Connections in pool: 0 " in db.engine.pool.status()
