"""Which schemas a release serves on: its own, and later ones that say that they still serve it.

F20, P6, DB-18.
"""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import text

from app import create_service
from app.cli.db import migrate, run_migrations
from app.database import WRITES
from app.errors import SettingsError
from app.services.schema import REVISIONS
from tests.support.clients import InProcessBrowser
from tests.support.databases import ScratchDatabases
from tests.support.migrations import HEAD, set_floor, set_version, version
from tests.support.people import json_of
from tests.support.schemas import state_of
from tests.support.units import application_on, engine_of

NEWER, NEWEST = "999_of_a_later_release", "999_of_the_latest"
OLD, NEW, READY = "schema_too_old", "schema_too_new", "ready"

# name: versions, floors, outcome
CASES = {
    "its own": ((HEAD,), ("002_oauth",), READY),
    "its own, serving no release before": ((HEAD,), (HEAD,), READY),
    "its own, with a floor that it need not know": ((HEAD,), (NEWER,), READY),
    "the one before": (("002_oauth",), ("002_oauth",), OLD),
    "the oldest": (("001_initial",), ("001_initial",), OLD),
    "none": ((), ("002_oauth",), OLD),
    "two at once, both known": (("002_oauth", HEAD), ("002_oauth",), OLD),
    **{f"a later one that serves {one}": ((NEWER,), (one,), READY) for one in REVISIONS},
    "a later one that serves only itself": ((NEWER,), (NEWER,), NEW),
    "a later one that serves another later one": ((NEWEST,), (NEWER,), NEW),
    "a later one that does not say": ((NEWER,), (), NEW),
    "nonsense": (("'; --",), ("\N{SKULL}",), NEW),
    "its own and a later one": ((HEAD, NEWER), ("002_oauth",), NEW),
    "two later ones": ((NEWER, NEWEST), ("002_oauth",), NEW),
}
SENTENCES = {
    OLD: "lacks a migration of this release: run `flask db upgrade` first.",
    NEW: "was upgraded beyond what this release can serve: run a newer release.",
}


def readyz_of(app: Flask) -> str:
    answer = InProcessBrowser(app).get("/readyz")
    if answer.status_code == 200:
        status: str = json_of(answer)["status"]
        return status
    code: str = json_of(answer)["code"]
    assert answer.status_code == 503
    assert json_of(answer)["detail"] == f"The database {SENTENCES[code]}"
    return code


def boot_of(app: Flask) -> str:
    settings = app.extensions["openbadges"]
    try:
        create_service(settings)
    except SettingsError as refusal:
        told = str(refusal)
        assert told.startswith(f"{settings.database.named_by} names a database that ")
        return next(code for code, sentence in SENTENCES.items() if told.endswith(sentence))
    return READY


def command_of(app: Flask) -> str:
    done = app.test_cli_runner().invoke(args=["users", "list"])
    if done.exit_code == 0:
        return READY
    return next(code for code, sentence in SENTENCES.items() if sentence in done.output)


def test_readiness_boot_and_commands_agree_on_what_fits(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    seen = {}
    for name, (versions, floors, _) in CASES.items():
        set_version(app, *versions)
        set_floor(app, *floors)
        seen[name] = {readyz_of(app), boot_of(app), command_of(app)}

    assert seen == {name: {outcome} for name, (_, _, outcome) in CASES.items()}


def test_schema_without_a_floor_serves_the_releases_that_made_it_alone(
    make_app: Callable[..., Flask],
) -> None:
    app = make_app()
    with engine_of(app).execution_options(**{WRITES: True}).begin() as connection:
        connection.execute(text("DROP TABLE schema_floor"))

    seen = {}
    for one in (HEAD, "002_oauth", NEWER):
        set_version(app, one)
        seen[one] = {readyz_of(app), boot_of(app), command_of(app)}

    assert seen == {HEAD: {READY}, "002_oauth": {OLD}, NEWER: {NEW}}


def test_empty_database_lacks_every_migration(scratch_database: ScratchDatabases) -> None:
    with application_on(scratch_database()) as app:
        assert {readyz_of(app), boot_of(app), command_of(app)} == {OLD}

        run_migrations(app)
        assert {readyz_of(app), boot_of(app), command_of(app)} == {READY}


def test_upgrade_by_a_release_that_is_rolled_back_to_has_nothing_to_do(
    make_app: Callable[..., Flask], capsys: pytest.CaptureFixture[str]
) -> None:
    app = make_app()
    set_version(app, NEWER)
    before = state_of(app)
    capsys.readouterr()

    run_migrations(app)

    assert capsys.readouterr().out == (
        f"the database has {NEWER} of a later release, which still serves this one: nothing to do\n"
    )
    assert state_of(app) == before


def test_upgrade_by_a_release_that_is_no_longer_served_says_so(
    make_app: Callable[..., Flask], capsys: pytest.CaptureFixture[str]
) -> None:
    app = make_app()
    set_version(app, NEWER)
    set_floor(app, NEWER)
    before = state_of(app)

    with pytest.raises(SystemExit) as end:
        run_migrations(app)

    assert end.value.code == 1
    assert capsys.readouterr().err == (
        f"the database has {NEWER} of a later release, beyond what this one can serve: "
        "nothing was changed\n"
    )
    assert state_of(app) == before


@pytest.mark.parametrize("command", ["downgrade", "check", "current"])
def test_other_commands_of_an_older_release_refuse_a_later_schema(
    make_app: Callable[..., Flask], command: str
) -> None:
    app = make_app()
    set_version(app, NEWER)
    migrate.init_app(app)

    done = app.test_cli_runner().invoke(args=["db", command])

    assert done.exit_code == 1
    assert version(app) == NEWER
