"""Whom `flask users` acts on: named by address or by id, and told whose address is not proved."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import update

from app.models import User
from app.services.address_proofs import free_address
from app.services.addresses import parse_address
from app.services.people import add_user
from tests.conftest import Transaction
from tests.support.clients import Browser
from tests.support.people import ADDRESS, Person, enrol, json_of, new_phone, sign_in, sign_up

CREATED = datetime(2031, 2, 3, 4, 5, 6, tzinfo=UTC)
WARNING = (
    f"Warning: nobody has proved the address {ADDRESS}, and anybody could have signed up with it "
    "when the account was created, on 2031-02-03 at 04:05 UTC: make sure that the account is "
    "theirs."
)
GOOD = "Good once, for 60 minutes."
ENDED = "has the role admin now; 0 of their sessions ended.\n"


@pytest.fixture
def flask(app: Flask) -> Callable[..., Result]:
    """Run a command as an operator does."""
    return lambda *arguments: app.test_cli_runner().invoke(args=arguments)


Arrive = Callable[..., str]


@pytest.fixture
def arrive(transaction: Transaction) -> Arrive:
    """Let somebody have an account, as an identity provider opens it; gives the id."""

    def arrive(address: str | None, *, name: str, is_proved: bool) -> str:
        with transaction() as session:
            parsed = parse_address(address) if address else None
            if parsed:
                free_address(session, parsed)
            return add_user(
                session,
                address=parsed,
                name=name,
                webauthn_id=name.encode(),
                role="user",
                groups=[],
                is_proved=is_proved,
            ).id

    return arrive


@pytest.fixture
def unproved(client: Browser, transaction: Transaction) -> Person:
    """Sign up with an address, which proves nothing."""
    person = sign_up(client)
    with transaction() as session:
        session.execute(update(User).values(created_at=CREATED))
    return person


def roles(flask: Callable[..., Result]) -> dict[str, str]:
    rows = [row.split() for row in flask("users", "list").stdout.splitlines()]
    return {row[0]: row[1] for row in rows}


@pytest.mark.parametrize("spelled", [str, str.upper])
def test_link_for_an_id_opens_an_account_without_an_address(
    flask: Callable[..., Result],
    arrive: Arrive,
    new_client: Callable[[], Browser],
    spelled: Callable[[str], str],
) -> None:
    _other, wanted = (arrive(None, name=name, is_proved=False) for name in ("Eve", "Ada"))
    browser, phone = new_client(), new_phone()

    done = flask("users", "recover", spelled(wanted))

    assert (done.exit_code, done.stdout.count("\n")) == (0, 1)
    assert done.stderr == f"For {wanted}, no address, Ada.\n{GOOD}\n"
    code = done.stdout.strip().split("#code=")[1]
    assert browser.post("/api/auth/recovery", json={"code": code}).status_code == 200
    assert enrol(browser, phone).status_code == 201
    assert json_of(sign_in(new_client(), phone))["user"]["id"] == wanted


def test_role_goes_to_the_account_with_the_id_alone(
    flask: Callable[..., Result], arrive: Arrive
) -> None:
    other, wanted = (arrive(None, name=name, is_proved=False) for name in ("Eve", "Ada"))

    done = flask("users", "role", wanted, "admin")

    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == f"{wanted}, no address, Ada, {ENDED}"
    assert roles(flask) == {wanted: "admin", other: "user"}


@pytest.mark.parametrize("by", ["address", "id"])
def test_link_for_an_unproved_address_comes_with_a_warning(
    flask: Callable[..., Result], unproved: Person, by: str
) -> None:
    """What a script reads is the link alone."""
    user_id = unproved.user["id"]

    done = flask("users", "recover", ADDRESS if by == "address" else user_id)

    assert (done.exit_code, done.stdout.count("\n")) == (0, 1)
    assert "/recovery#code=" in done.stdout
    assert done.stderr == f"For {user_id}, {ADDRESS} (not proved), Ada.\n{WARNING}\n{GOOD}\n"


@pytest.mark.parametrize("by", ["address", "id"])
def test_role_for_an_unproved_address_comes_with_a_warning(
    flask: Callable[..., Result], unproved: Person, by: str
) -> None:
    user_id = unproved.user["id"]

    done = flask("users", "role", ADDRESS if by == "address" else user_id, "admin")

    whom = f"{user_id}, {ADDRESS} (not proved), Ada"
    assert done.exit_code == 0
    assert done.stdout == f"{whom}, has the role admin now; 1 of their sessions ended.\n"
    assert done.stderr == f"{WARNING}\n"
    assert roles(flask) == {user_id: "admin"}


def test_proved_address_comes_without_a_warning(
    flask: Callable[..., Result], arrive: Arrive
) -> None:
    user_id = arrive(ADDRESS, name="Ada", is_proved=True)

    recovered, promoted = (
        flask("users", "recover", ADDRESS),
        flask("users", "role", ADDRESS, "admin"),
    )

    assert recovered.stderr == f"For {user_id}, {ADDRESS}, Ada.\n{GOOD}\n"
    assert (promoted.stdout, promoted.stderr) == (f"{user_id}, {ADDRESS}, Ada, {ENDED}", "")


def test_address_that_moved_names_the_account_that_proved_it(
    flask: Callable[..., Result], unproved: Person, arrive: Arrive
) -> None:
    """The account that lost it is reached by its id, which the list still prints."""
    loser, owner = unproved.user["id"], arrive(ADDRESS, name="Grace", is_proved=True)

    by_address, by_id = flask("users", "recover", ADDRESS), flask("users", "recover", loser)

    assert by_address.stderr == f"For {owner}, {ADDRESS}, Grace.\n{GOOD}\n"
    assert by_id.stderr == f"For {loser}, no address, Ada.\n{GOOD}\n"


def test_list_tells_which_addresses_are_proved(
    flask: Callable[..., Result], new_client: Callable[[], Browser], arrive: Arrive
) -> None:
    lost = sign_up(new_client()).user["id"]
    proved = arrive(ADDRESS, name="Grace", is_proved=True)
    unproved = sign_up(new_client(), email="joan@example.org").user["id"]
    without = arrive(None, name="Eve", is_proved=False)

    lines = flask("users", "list").stdout.splitlines()

    assert sorted(lines) == sorted(
        [
            f"{lost}  user   enabled   lost      -  Ada",
            f"{proved}  user   enabled   proved    {ADDRESS}  Grace",
            f"{unproved}  user   enabled   unproved  joan@example.org  Ada",
            f"{without}  user   enabled   -         -  Eve",
        ]
    )
