"""`flask users` and `flask welcome`: what they print, what they refuse, and what follows."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from click.testing import Result
from flask import Flask

from app import create_app
from app.config import load_settings
from app.models import User, UserSession
from tests.support.clients import Browser
from tests.support.databases import ScratchDatabases
from tests.support.people import Person, is_signed_in, json_of, sign_in, sign_up
from tests.support.tables import change, contents, count
from tests.support.units import application_on
from tests.support.variables import ORIGIN

INVITATION = r"[A-Za-z0-9_-]{43}"
CODE = r"([0-9A-Z]{5}-){4}[0-9A-Z]{5}"
TAKEN = "root@example.org has an account already."
NO_ADDRESS = "That is not a valid e-mail address."
NOBODY = "Nobody here has the address eve@example.org."
NO_ID = "Nobody here has the id {}: `flask users list` prints ids and addresses."
STRANGE_ID = "00000000-0000-7000-8000-000000000000"
LAST = "This is the last administrator. Make somebody else an administrator first."
NAMED = "its id as `flask users list` prints it"
COLUMNS = "id, role, state, standing of the address, address, name"
DISABLED = "That account is disabled, so a link would not open it."


@pytest.fixture
def flask(app: Flask) -> Callable[..., Result]:
    """Run a command as an operator does."""
    return lambda *arguments: app.test_cli_runner().invoke(args=arguments)


@pytest.fixture
def administrator(client: Browser, flask: Callable[..., Result]) -> Person:
    token = flask("welcome").stdout.strip().split("=")[-1]
    return sign_up(client, email="Root@example.org", name="Root", invitation=token)


def test_invite_prints_the_link_and_says_how_long_it_is_good(flask: Callable[..., Result]) -> None:
    """ASVS 14.2.1: what is secret stands behind the number sign, which browsers do not send."""
    done = flask("users", "invite", "Zoë@Bücher.example")

    assert done.exit_code == 0
    address = "Zo%C3%AB%40b%C3%BCcher.example"
    assert re.fullmatch(
        rf"{re.escape(ORIGIN)}/sign-up#invitation={INVITATION}&email={address}\n", done.stdout
    )
    assert done.stderr == "Good for one account and 24 hours.\n"


def test_recover_prints_the_link_and_says_how_long_it_is_good(
    flask: Callable[..., Result], administrator: Person
) -> None:
    done = flask("users", "recover", "ROOT@example.org")

    assert done.exit_code == 0
    assert re.fullmatch(rf"{re.escape(ORIGIN)}/recovery#code={CODE}\n", done.stdout)
    assert done.stderr.startswith(f"For {administrator.user['id']}, Root@example.org")
    assert done.stderr.endswith("\nGood once, for 60 minutes.\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("invite", "root@EXAMPLE.org"), TAKEN),
        (("invite", "root"), NO_ADDRESS),
        (("invite", "a@example.org,b@example.org"), NO_ADDRESS),
        (("recover", "eve@example.org"), NOBODY),
        (("recover", "eve@"), NO_ADDRESS),
        (("recover", "eve"), NO_ID.format("eve")),
        (("recover", STRANGE_ID), NO_ID.format(STRANGE_ID)),
        (("recover", "\udcff"), NO_ID.format("\\udcff")),
        (("role", "eve@example.org", "admin"), NOBODY),
        (("role", "eve", "admin"), NO_ID.format("eve")),
        (("role", STRANGE_ID, "admin"), NO_ID.format(STRANGE_ID)),
        (("role", "root@example.org", "user"), LAST),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_command_that_cannot_be_done_says_why_and_changes_nothing(
    app: Flask,
    flask: Callable[..., Result],
    administrator: Person,
    arguments: tuple[str, ...],
    sentence: str,
) -> None:
    before = contents(app)

    done = flask("users", *arguments)

    assert (done.exit_code, done.stdout, done.stderr) == (1, "", f"Error: {sentence}\n")
    assert contents(app) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("users", "invite"),
        ("users", "recover"),
        ("users", "role", "root@example.org"),
        ("users", "role", "root@example.org", "owner"),
        ("users", "list", "--limit", "0"),
        ("users", "remove", "root@example.org"),
        ("welcome", "home"),
    ],
    ids=" ".join,
)
def test_command_that_is_not_understood_shows_its_usage(
    app: Flask, flask: Callable[..., Result], arguments: tuple[str, ...]
) -> None:
    before = contents(app)

    done = flask(*arguments)

    assert done.exit_code == 2
    assert done.stderr.startswith("Usage: ")
    assert contents(app) == before


def test_link_is_not_made_for_a_disabled_account(
    app: Flask, flask: Callable[..., Result], administrator: Person
) -> None:
    change(app, User, disabled_at=datetime.now(UTC))
    before = contents(app)

    done = flask("users", "recover", "root@example.org")

    assert (done.exit_code, done.stderr) == (1, f"Error: {DISABLED}\n")
    assert contents(app) == before


def test_role_changes_and_sessions_end_at_once(
    app: Flask,
    flask: Callable[..., Result],
    administrator: Person,
    new_client: Callable[[], Browser],
) -> None:
    """ASVS 8.3.2: the next request has the new role, or none."""
    ada = sign_up(new_client(), email="Ada@example.org")
    assert sign_in(new_client(), ada.phone).status_code == 200

    done = flask("users", "role", "ada@example.org", "admin")

    whom = f"{ada.user['id']}, Ada@example.org (not proved), Ada"
    sentence = f"{whom}, has the role admin now; 2 of their sessions ended.\n"
    assert (done.exit_code, done.stdout) == (0, sentence)
    assert not is_signed_in(ada.client)
    assert is_signed_in(administrator.client)
    assert json_of(sign_in(ada.client, ada.phone))["user"]["role"] == "admin"


def test_role_that_somebody_has_already_ends_no_session(
    app: Flask, flask: Callable[..., Result], administrator: Person
) -> None:
    before = count(app, UserSession)

    done = flask("users", "role", "root@example.org", "admin")

    assert done.stdout.endswith("has the role admin now; 0 of their sessions ended.\n")
    assert count(app, UserSession) == before
    assert is_signed_in(administrator.client)


def test_administrator_may_go_once_there_is_another(
    flask: Callable[..., Result], administrator: Person, new_client: Callable[[], Browser]
) -> None:
    sign_up(new_client(), email="ada@example.org")
    assert flask("users", "role", "ada@example.org", "admin").exit_code == 0

    assert flask("users", "role", "root@example.org", "user").exit_code == 0
    assert flask("users", "role", "ada@example.org", "user").exit_code == 1


def test_list_shows_everybody_in_the_order_in_which_they_came(
    app: Flask,
    flask: Callable[..., Result],
    administrator: Person,
    new_client: Callable[[], Browser],
) -> None:
    ada = sign_up(new_client(), email="ada@example.org", name="Ada Lovelace")
    root = f"{administrator.user['id']}  admin  enabled   unproved  Root@example.org  Root\n"
    last = f"{ada.user['id']}  user   enabled   unproved  ada@example.org  Ada Lovelace\n"

    assert flask("users", "list").stdout == root + last
    assert flask("users", "list", "--limit", "1").stdout == root
    assert flask("users", "list", "--after", administrator.user["id"]).stdout == last
    change(app, User, disabled_at=datetime.now(UTC), email=None)
    assert flask("users", "list", "--limit", "1").stdout == root.replace(
        "enabled ", "disabled"
    ).replace("unproved  Root@example.org", "-         -")


def test_list_goes_on_past_one_page(
    monkeypatch: pytest.MonkeyPatch, flask: Callable[..., Result], new_client: Callable[[], Browser]
) -> None:
    monkeypatch.setattr("app.cli.users._PAGE", 2)
    for number in range(5):
        sign_up(new_client(), email=f"ada{number}@example.org")

    assert len(flask("users", "list").stdout.splitlines()) == 5
    assert len(flask("users", "list", "--limit", "3").stdout.splitlines()) == 3


def test_list_of_nobody_says_so(flask: Callable[..., Result]) -> None:
    done = flask("users", "list")

    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "Nobody.\n")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("users",), ("invite", "recover", "role", "list", "help them back in")),
        (("users", "invite"), ("good for a day", "voids the first", "--admin", "Nothing is sent")),
        (("users", "recover"), ("lost every passkey", "make sure", "an hour", "voids the first")),
        (("users", "recover"), ("recover [OPTIONS] ADDRESS_OR_ID", NAMED, "the link alone")),
        (("users", "role"), ("{user|admin}", "sessions end at once", "last administrator stays")),
        (("users", "role"), ("role [OPTIONS] ADDRESS_OR_ID", NAMED)),
        (("users", "list"), ("--limit", "--after", COLUMNS, "anybody could have signed up")),
        (("welcome",), ("link for the first administrator", "voids")),
    ],
    ids=" ".join,
)
def test_help_teaches(
    flask: Callable[..., Result], command: tuple[str, ...], words: tuple[str, ...]
) -> None:
    done = flask(*command, "--help")

    text = " ".join(done.stdout.split())
    assert done.exit_code == 0
    assert [word for word in words if word not in text] == []


def test_nobody_is_invited_where_no_link_could_create_an_account(
    make_app: Callable[..., Flask],
) -> None:
    command = ("users", "invite", "a@example.org")
    done = make_app(REGISTRATION="closed").test_cli_runner().invoke(args=command)
    control = make_app(REGISTRATION="invite").test_cli_runner().invoke(args=command)

    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: REGISTRATION is closed")
    assert (control.exit_code, "#invitation=" in control.stdout) == (0, True)


def test_command_on_a_database_without_the_schema_says_what_to_run(
    scratch_database: ScratchDatabases,
) -> None:
    with application_on(scratch_database()) as app:
        done = app.test_cli_runner().invoke(args=("users", "list"))

    sentence = "The database lacks a migration of this release: run `flask db upgrade` first."
    assert (done.exit_code, done.stdout, done.stderr) == (1, "", f"Error: {sentence}\n")


@pytest.mark.parametrize(
    "command", [("users", "invite", "a@example.org"), ("users", "recover", "x"), ("welcome",)]
)
def test_command_that_prints_a_link_says_which_setting_it_lacks(
    scratch_database: ScratchDatabases, command: tuple[str, ...]
) -> None:
    app = create_app(load_settings(scratch_database()))

    done = app.test_cli_runner().invoke(args=command)

    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: PUBLIC_ORIGIN ")
    assert done.stderr.count("\n") == 1
