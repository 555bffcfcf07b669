"""`flask welcome`: where the service is, and how its first administrator gets in."""

import re
from collections.abc import Callable

import pytest
from click.testing import Result
from flask import Flask

from app.models import Invitation
from tests.support.clients import Browser
from tests.support.people import Person, begin_sign_up, json_of, sign_up
from tests.support.tables import count
from tests.support.variables import ORIGIN

INVITATION = r"[A-Za-z0-9_-]{43}"


@pytest.fixture
def flask(app: Flask) -> Callable[..., Result]:
    """Run a command as an operator does."""
    return lambda *arguments: app.test_cli_runner().invoke(args=arguments)


@pytest.fixture
def administrator(client: Browser, flask: Callable[..., Result]) -> Person:
    token = flask("welcome").stdout.strip().split("=")[-1]
    return sign_up(client, email="Root@example.org", name="Root", invitation=token)


def test_welcome_gives_a_link_while_there_is_no_administrator(
    app: Flask, flask: Callable[..., Result], client: Browser
) -> None:
    sign_up(client)

    first, second = flask("welcome"), flask("welcome")

    assert first.exit_code == 0
    assert re.fullmatch(
        rf"openbadges-system: {re.escape(ORIGIN)}/\n"
        r"There is no administrator yet\. This link, good once and for a day, makes you one:\n"
        rf"  {re.escape(ORIGIN)}/sign-up#invitation={INVITATION}\n",
        first.stdout,
    )
    assert first.stdout != second.stdout
    assert count(app, Invitation) == 1


def test_welcome_gives_no_link_once_there_is_an_administrator(
    app: Flask, flask: Callable[..., Result], administrator: Person
) -> None:
    done = flask("welcome")

    assert (done.exit_code, done.stdout) == (0, f"openbadges-system: {ORIGIN}/\n")
    assert count(app, Invitation) == 0


@pytest.mark.parametrize("how", ["by invitation", "by role"])
def test_link_is_void_once_somebody_else_is_administrator(
    client: Browser,
    new_client: Callable[[], Browser],
    flask: Callable[..., Result],
    how: str,
) -> None:
    token = flask("welcome").stdout.strip().split("=")[-1]
    usable = begin_sign_up(new_client(), email="eve@example.org", invitation=token)
    if how == "by role":
        sign_up(client, email="root@example.org")
        flask("users", "role", "root@example.org", "admin")
    else:
        link = flask("users", "invite", "root@example.org", "--admin").stdout
        invitation = re.findall(INVITATION, link)[0]
        sign_up(client, email="root@example.org", invitation=invitation)

    refused = begin_sign_up(new_client(), email="eve@example.org", invitation=token)

    assert usable.status_code == 200
    assert (refused.status_code, json_of(refused)["code"]) == (403, "invitation_unusable")


def test_welcome_says_why_there_is_no_link_and_lets_the_service_start(
    make_app: Callable[..., Flask],
) -> None:
    done = make_app(REGISTRATION="closed").test_cli_runner().invoke(args=("welcome",))

    assert (done.exit_code, "#invitation=" in done.stdout) == (0, False)
    assert "There is no administrator yet. REGISTRATION is closed" in done.stdout
