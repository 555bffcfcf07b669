"""`flask users groups`, and `--group` of `flask users invite`: who is in what, from when on."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial

import pytest
from click.testing import Result
from flask import Flask

from app.config import Settings
from app.models import Invitation, User
from app.services.groups import GroupChange, change_groups
from app.session_gate import SessionGate
from tests.support.clients import Browser
from tests.support.counts import trials
from tests.support.crowds import at_once
from tests.support.gate_checks import ask
from tests.support.people import Person, sign_up, token_of
from tests.support.tables import change, contents, count
from tests.support.units import run_unit

Command = Callable[..., Result]
ADDRESS = "ada@example.org"


@pytest.fixture
def flask(app: Flask) -> Command:
    """Run a command as an operator does."""
    return lambda *arguments: app.test_cli_runner().invoke(args=("users", *arguments))


@pytest.fixture
def ada(client: Browser) -> Person:
    return sign_up(client, email=ADDRESS)


@pytest.fixture
def gate(app: Flask, settings: Settings) -> Iterator[SessionGate]:
    gate = SessionGate(settings)
    yield gate
    gate.checks.close()


def test_groups_are_given_and_taken_and_printed(flask: Command, ada: Person) -> None:
    whom = f"For {ada.user['id']}, {ADDRESS} (not proved), Ada.\n"

    none = flask("groups", ADDRESS)
    given = flask("groups", ADDRESS, "--add", "staff", "--add", "editors")
    swapped = flask("groups", ada.user["id"], "--remove", "staff", "--add", "guests")

    assert (none.stdout, none.stderr) == ("", f"{whom}In no group.\n")
    assert given.stdout == "editors\nstaff\n"
    assert given.stderr.startswith(f"Warning: nobody has proved the address {ADDRESS}")
    assert swapped.stdout == "editors\nguests\n"
    printed = flask("groups", ADDRESS)
    assert (printed.exit_code, printed.stdout, printed.stderr) == (0, "editors\nguests\n", whom)


def test_what_changes_nothing_says_so(app: Flask, flask: Command, ada: Person) -> None:
    flask("groups", ADDRESS, "--add", "staff")
    before = contents(app)

    done = flask("groups", ADDRESS, "--add", "staff", "--remove", "guests")

    assert (done.exit_code, done.stdout) == (0, "staff\n")
    assert "They were in staff already.\nThey were not in guests.\n" in done.stderr
    assert contents(app) == before


def test_change_binds_on_the_very_next_check(
    flask: Command, gate: SessionGate, ada: Person
) -> None:
    """ASVS 8.3.2: nobody has to sign in again, and nobody stays in who was taken out."""
    token = token_of(ada.client)

    before = ask(gate, token, "group=staff")
    flask("groups", ADDRESS, "--add", "staff", "--add", "editors")
    inside = ask(gate, token, "group=staff")
    flask("groups", ADDRESS, "--remove", "staff")
    after = ask(gate, token, "group=staff")

    assert [before.status_code, inside.status_code, after.status_code] == [403, 204, 403]
    assert inside.headers["X-Auth-Groups"] == "editors,staff"
    assert ask(gate, token, "group=editors").status_code == 204


def test_disabled_person_can_be_taken_out(app: Flask, flask: Command, ada: Person) -> None:
    flask("groups", ADDRESS, "--add", "staff")
    change(app, User, disabled_at=datetime.now(UTC))

    assert flask("groups", ADDRESS, "--remove", "staff").exit_code == 0
    assert flask("groups", ADDRESS).stdout == ""


def test_of_changes_at_once_none_undoes_another(app: Flask, ada: Person) -> None:
    """Each reads what the one before it wrote: the person's row is locked meanwhile."""

    def change_them(*, add: tuple[str, ...] = (), remove: tuple[str, ...] = ()) -> GroupChange:
        user_id: str = ada.user["id"]
        return run_unit(
            app, lambda session: change_groups(session, user_id=user_id, add=add, remove=remove)
        )

    for number in range(trials(100)):
        change_them(add=("leaving",))
        names = tuple(f"g{number}-{part}" for part in range(3))

        at_once(
            [partial(change_them, add=(name,)) for name in names]
            + [partial(change_them, remove=("leaving",))]
        )

        assert change_them(remove=names) == GroupChange(groups=())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("groups", "eve@example.org"), "Nobody here has the address eve@example.org."),
        (("groups", "eve", "--add", "staff"), "Nobody here has the id eve: "),
        (("groups", ADDRESS, "--add", "Staff"), "The group 'Staff' cannot be: "),
        (("groups", ADDRESS, "--add", "new", "--add", ""), "The group '' cannot be: "),
        (("groups", ADDRESS, "--add", "a,b"), "The group 'a,b' cannot be: "),
        (("groups", ADDRESS, "--add", ".a"), "The group '.a' cannot be: "),
        (("groups", ADDRESS, "--add", "a" * 64), "a name has up to 63 lower-case ASCII"),
        (("groups", ADDRESS, "--remove", "staff\n"), "The group 'staff\\n' cannot be: "),
        (("groups", ADDRESS, "--add", "é"), "The group 'é' cannot be: "),
        (
            ("groups", ADDRESS, "--add", "new", "--add", "x", "--remove", "x"),
            "The group x cannot be added and removed at once.",
        ),
        (
            ("groups", ADDRESS, *(f"--add=g{number}" for number in range(32))),
            "33 groups are too many: 32 fit into a header.",
        ),
        (("invite", "eve@example.org", "--group", "Staff"), "The group 'Staff' cannot be: "),
    ],
)
def test_command_that_cannot_be_done_says_why_and_changes_nothing(
    app: Flask, flask: Command, ada: Person, arguments: tuple[str, ...], sentence: str
) -> None:
    flask("groups", ADDRESS, "--add", "staff")
    before = contents(app)

    done = flask(*arguments)

    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: ")
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
    assert contents(app) == before


@pytest.mark.parametrize("group", ["a", "0", "a.b-c_d", "a" * 63])
def test_every_name_of_the_grammar_is_taken(flask: Command, ada: Person, group: str) -> None:
    assert flask("groups", ADDRESS, "--add", group).stdout == f"{group}\n"


def test_as_many_groups_as_a_person_can_have_fit_into_one_header(
    flask: Command, gate: SessionGate, ada: Person
) -> None:
    names = [f"{number:063}" for number in range(32)]
    done = flask("groups", ADDRESS, *(f"--add={name}" for name in names))

    told = ask(gate, token_of(ada.client)).headers["X-Auth-Groups"]
    assert done.exit_code == 0
    assert told == ",".join(names)
    assert len(told) < 2_048


def test_invited_person_is_in_the_groups_of_the_invitation(
    app: Flask, flask: Command, gate: SessionGate, new_client: Callable[[], Browser]
) -> None:
    invited = flask("invite", ADDRESS, "--group", "staff", "--group", "editors")
    link = invited.stdout.strip()
    token = link.partition("#invitation=")[2].partition("&")[0]
    ada, eve = new_client(), new_client()

    sign_up(ada, email=ADDRESS, invitation=token)
    sign_up(eve, email="eve@example.org")

    assert invited.exit_code == 0
    assert count(app, Invitation) == 0
    assert flask("groups", ADDRESS).stdout == "editors\nstaff\n"
    assert ask(gate, token_of(ada), "group=staff").status_code == 204
    assert ask(gate, token_of(eve), "group=staff").status_code == 403


def test_help_teaches(flask: Command) -> None:
    text = " ".join(flask("groups", "--help").stdout.split())

    words = ("ADDRESS_OR_ID", "next request", "--add", "--remove", "Example: flask users groups")
    assert [word for word in words if word not in text] == []
