"""Leave to create an account: REGISTRATION, invitations, and the first administrator's link."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from flask import Flask

from app.blueprints import current
from app.config import Registration, ServiceSettings
from app.models import Challenge, Invitation, User
from app.services import invitations
from app.services.addresses import parse_address
from tests.support.clients import Browser, InProcessBrowser
from tests.support.people import (
    ADDRESS,
    begin_sign_up,
    finish_sign_up,
    is_signed_in,
    json_of,
    new_phone,
    refusal,
    sign_up,
)
from tests.support.tables import contents, count
from tests.support.units import run_unit

UNUSABLE = (403, "invitation_unusable")


def fragment(app: Flask, *command: str) -> dict[str, str]:
    """Run a command that prints a link; gives what stands behind its number sign."""
    done = app.test_cli_runner().invoke(args=command)
    assert done.exit_code == 0, done.output
    link = next(line for line in done.stdout.splitlines() if "#" in line).strip()
    return {name: values[0] for name, values in parse_qs(urlsplit(link).fragment).items()}


def invite(app: Flask, address: str = ADDRESS, *options: str) -> str:
    return fragment(app, "users", "invite", address, *options)["invitation"]


def first_link(app: Flask) -> str:
    return fragment(app, "welcome")["invitation"]


def open_browser(app: Flask) -> Browser:
    return InProcessBrowser(app, app.response_class)


@pytest.fixture(params=["open", "invite"])
def service(request: pytest.FixtureRequest, app: Flask, make_app: Callable[..., Flask]) -> Flask:
    """Give a service that takes invitations, whether or not it takes others as well."""
    return app if request.param == "open" else make_app(REGISTRATION="invite")


def test_invitation_opens_an_account(service: Flask) -> None:
    token = invite(service)

    person = sign_up(open_browser(service), invitation=token)

    assert person.user["role"] == "user"
    assert person.user["email_verified"] is False
    assert count(service, Invitation) == 0


def test_invitation_of_an_administrator_opens_an_administrators_account(app: Flask) -> None:
    assert (
        sign_up(open_browser(app), invitation=invite(app, ADDRESS, "--admin")).user["role"]
        == "admin"
    )


def test_invitation_is_good_once(app: Flask, client: Browser) -> None:
    """CVE-2026-73431."""
    token = invite(app)
    slower = open_browser(app)
    options = json_of(begin_sign_up(slower, invitation=token))
    sign_up(client, invitation=token)
    before = contents(app)

    assert refusal(begin_sign_up(open_browser(app), invitation=token)) == UNUSABLE
    assert refusal(finish_sign_up(slower, new_phone(), options)) == UNUSABLE

    assert contents(app) == before
    assert not is_signed_in(slower)


@pytest.mark.parametrize("address", ["eve@example.org", "ada@example.com", "ada+x@example.org"])
def test_invitation_for_another_address_is_refused(
    app: Flask, client: Browser, address: str
) -> None:
    token = invite(app)
    before = contents(app, without=())

    assert refusal(begin_sign_up(client, email=address, invitation=token)) == UNUSABLE

    assert contents(app, without=()) == before
    sign_up(client, email="ADA@Example.ORG", invitation=token)


def test_invitation_expires_after_a_day(app: Flask, client: Browser) -> None:
    with time_machine.travel("2031-01-01T00:00:00Z", tick=False) as time:
        token = invite(app)
        time.shift(timedelta(hours=24, seconds=-1))
        options = json_of(begin_sign_up(client, invitation=token))
        time.shift(timedelta(seconds=1))
        before = contents(app)

        assert refusal(begin_sign_up(client, invitation=token)) == UNUSABLE
        assert refusal(finish_sign_up(client, new_phone(), options)) == UNUSABLE

        assert contents(app) == before
        sign_up(client, invitation=invite(app))


@pytest.mark.parametrize("token", ["x", "A" * 43, "é" * 43])
def test_invitation_that_was_never_made_is_refused(service: Flask, token: str) -> None:
    browser = open_browser(service)

    assert refusal(begin_sign_up(browser, invitation=token)) == UNUSABLE

    assert count(service, Challenge, User) == 0
    sign_up(browser, invitation=invite(service))


def test_second_invitation_voids_the_first(app: Flask, client: Browser) -> None:
    first, second = invite(app), invite(app, "Ada@EXAMPLE.org")

    assert refusal(begin_sign_up(client, invitation=first)) == UNUSABLE
    sign_up(client, invitation=second)


def test_nobody_gets_in_without_an_invitation_where_one_is_needed(
    make_app: Callable[..., Flask],
) -> None:
    app = make_app(REGISTRATION="invite")
    browser = open_browser(app)

    assert refusal(begin_sign_up(browser)) == (403, "registration_by_invitation")

    assert count(app, Challenge, User) == 0
    sign_up(browser, invitation=invite(app))


def test_nobody_gets_in_where_registration_is_closed(make_app: Callable[..., Flask]) -> None:
    app = make_app(REGISTRATION="closed")
    browser, closed = open_browser(app), (403, "registration_closed")
    address = parse_address(ADDRESS)
    token = run_unit(app, lambda session: invitations.invite(session, address=address, role="user"))

    assert refusal(begin_sign_up(browser)) == closed
    assert refusal(begin_sign_up(browser, invitation=token)) == closed

    assert count(app, Challenge, User) == 0


def test_closing_registration_stops_ceremonies_that_had_begun(
    app: Flask, client: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = json_of(begin_sign_up(client))
    service: ServiceSettings = app.extensions["openbadges"].service
    closed = replace(service, registration=Registration.CLOSED)
    monkeypatch.setattr(current, "settings", lambda: closed)

    refused = finish_sign_up(client, new_phone(), options)

    assert refusal(refused) == (403, "registration_closed")
    assert count(app, User) == 0
    monkeypatch.undo()
    sign_up(client)


def test_first_link_makes_the_first_administrator_once(app: Flask, client: Browser) -> None:
    """ASVS 6.3.2, 6.4.1: whatever address they choose."""
    token = first_link(app)

    assert sign_up(client, email="root@example.org", invitation=token).user["role"] == "admin"

    assert refusal(begin_sign_up(open_browser(app), invitation=token)) == UNUSABLE
    assert count(app, Invitation) == 0


def test_newest_first_link_alone_is_good(app: Flask, client: Browser) -> None:
    first, second = first_link(app), first_link(app)

    assert refusal(begin_sign_up(client, invitation=first)) == UNUSABLE
    assert sign_up(client, invitation=second).user["role"] == "admin"


def test_first_link_leaves_invitations_alone(app: Flask, client: Browser) -> None:
    token = invite(app)

    first_link(app)

    assert sign_up(client, invitation=token).user["role"] == "user"
