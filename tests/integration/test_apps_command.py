"""`flask apps`: what it registers, what it refuses, and what a check answers from then on."""

import re
from collections.abc import Callable, Iterator

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from app.config import Settings
from app.models import Application, HandoverCode, UserSession
from app.services.tokens import hash_secret, new_session_token
from app.session_gate import SessionGate
from tests.conftest import Transaction
from tests.support.clients import Browser
from tests.support.gate_checks import ask
from tests.support.people import is_signed_in, sign_up, token_of
from tests.support.rows import a_handover_code, a_session, a_user
from tests.support.tables import contents, count
from tests.support.variables import ORIGIN

Command = Callable[..., Result]
WIKI = ("wiki", "--name", "The wiki", "--origin", "https://wiki.example.org")
DEFAULT_HEADERS = """\
  header   user_id: X-Auth-User-Id
  header   email: X-Auth-Email
  header   name: X-Auth-Name
  header   role: X-Auth-Role
  header   groups: X-Auth-Groups
  header   session_id: X-Auth-Session-Id
  header   method: X-Auth-Method
  header   time: X-Auth-Time
"""
SHOWN = f"""\
wiki
  name     The wiki
  origin   https://wiki.example.org
  group    -: everybody who is signed in may use it
{DEFAULT_HEADERS}"""
NO_SUCH = "There is no application 'wikis': `flask apps list` prints those there are."


@pytest.fixture
def flask(app: Flask) -> Command:
    """Run a command as an operator does."""
    return lambda *arguments: app.test_cli_runner().invoke(args=("apps", *arguments))


@pytest.fixture
def gate(app: Flask, settings: Settings) -> Iterator[SessionGate]:
    gate = SessionGate(settings)
    yield gate
    gate.checks.close()


def stored(transaction: Transaction) -> Application:
    with transaction() as session:
        return session.scalars(select(Application)).one()


def hand_over_to_wiki(transaction: Transaction, number: int = 3) -> None:
    """Let several sessions be handed over to the wiki, and one more hand-over be under way."""
    user = a_user()
    roots = [a_session(user) for _ in range(number)]
    with transaction() as session:
        wiki = session.scalars(select(Application).where(Application.id == "wiki")).one()
        session.add(user)
        session.flush()
        session.add_all(roots)
        session.flush()
        session.add_all([a_session(user, parent=one, application=wiki) for one in roots])
        session.add(a_handover_code(roots[0], wiki))


def test_add_registers_and_shows_what_it_registered(
    flask: Command, transaction: Transaction
) -> None:
    done = flask("add", *WIKI)

    assert (done.exit_code, done.stdout, done.stderr) == (0, SHOWN, "")
    wiki = stored(transaction)
    assert (wiki.id, wiki.name, wiki.origins) == ("wiki", "The wiki", ["https://wiki.example.org"])
    assert (wiki.allowed_groups, wiki.header_map, wiki.redirect_uris) == ([], {}, [])
    assert (wiki.audience, wiki.secret_hash) == (None, None)


def test_add_takes_several_of_each(flask: Command) -> None:
    done = flask(
        *("add", *WIKI, "--origin", "https://wiki.example.com:8443"),
        *("--group", "staff", "--group", "editors", "--group", "staff"),
        *("--header", "user_id=Remote-User", "--header", "groups=Remote-Groups"),
    )

    assert done.exit_code == 0, done.stderr
    assert flask("show", "wiki").stdout == done.stdout
    assert "  origin   https://wiki.example.org\n  origin   https://wiki.example.com:8443\n" in (
        done.stdout
    )
    assert re.findall("group    (.+)", done.stdout) == ["staff", "editors"]
    assert "  header   user_id: Remote-User\n  header   email: X-Auth-Email\n" in done.stdout


def test_list_has_a_line_for_each_in_the_order_of_their_ids(flask: Command) -> None:
    flask("add", *WIKI, "--group", "staff", "--group", "editors")
    flask("add", "admin", "--name", "Admin", "--origin", ORIGIN)

    assert flask("list").stdout == (
        f"admin  {ORIGIN}  -  Admin\nwiki  https://wiki.example.org  staff,editors  The wiki\n"
    )


def test_list_of_none_says_so(flask: Command) -> None:
    done = flask("list")

    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == "No application is registered.\n"


def test_change_replaces_what_is_named_and_nothing_else(
    flask: Command, transaction: Transaction
) -> None:
    flask("add", *WIKI, "--group", "staff", "--header", "name=Remote-Name")
    before = stored(transaction)

    named = flask("change", "wiki", "--name", "Wiki")
    grouped = flask("change", "wiki", "--group", "editors", "--group", "guests")
    headed = flask("change", "wiki", "--header", "email=Remote-Email")

    assert [named.exit_code, grouped.exit_code, headed.exit_code] == [0, 0, 0]
    after = stored(transaction)
    assert (after.name, after.origins) == ("Wiki", before.origins)
    assert after.allowed_groups == ["editors", "guests"]
    assert after.header_map == {"email": "Remote-Email"}
    assert after.created_at == before.created_at
    assert flask("change", "wiki", "--no-groups").exit_code == 0
    assert (stored(transaction).allowed_groups, len(stored(transaction).header_map)) == ([], 1)
    assert flask("change", "wiki", "--no-headers").exit_code == 0
    assert stored(transaction).header_map == {}


def test_change_that_gives_an_origin_up_ends_the_sessions_there(
    app: Flask, flask: Command, transaction: Transaction
) -> None:
    """Browsers go on sending their cookies to that host, whoever has it next."""
    other = ("--origin", "https://wiki.example.com")
    flask("add", *WIKI)
    hand_over_to_wiki(transaction)

    added = flask("change", "wiki", "--origin", "https://wiki.example.org", *other)
    left = count(app, UserSession), count(app, HandoverCode)
    given_up = flask("change", "wiki", *other)

    assert (added.exit_code, added.stderr, left) == (0, "", (6, 1))
    assert given_up.stderr == "An origin was given up: 3 sessions ended.\n"
    assert (count(app, UserSession), count(app, HandoverCode)) == (3, 0)


def test_remove_ends_the_sessions_and_says_how_many(
    app: Flask, flask: Command, transaction: Transaction, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.services.applications._ENDED_AT_ONCE", 2)
    flask("add", *WIKI)
    flask("add", "notes", "--name", "Notes", "--origin", "https://notes.example.org")
    hand_over_to_wiki(transaction, 5)

    done = flask("remove", "wiki")

    assert (done.exit_code, done.stdout) == (0, "wiki is removed; 5 sessions ended.\n")
    assert (count(app, UserSession), count(app, HandoverCode)) == (5, 0)
    assert flask("list").stdout.startswith("notes  ")
    assert flask("remove", "notes").stdout == "notes is removed; 0 sessions ended.\n"


REFUSED = {
    "id_in_capitals": (("add", "Wiki", *WIKI[1:]), "The id 'Wiki' cannot be"),
    "id_that_begins_with_a_digit": (("add", "4wiki", *WIKI[1:]), "The id '4wiki' cannot be"),
    "id_with_a_dot": (("add", "wi.ki", *WIKI[1:]), "The id 'wi.ki' cannot be"),
    "id_with_a_line_end": (("add", "notes\n", *WIKI[1:]), "The id 'notes\\n' cannot be"),
    "id_too_long": (("add", "a" * 41, *WIKI[1:]), "use up to 40 lower-case ASCII"),
    "id_is_empty": (("add", "", *WIKI[1:]), "The id '' cannot be"),
    "id_taken": (
        ("add", "wiki", "--name", "W", "--origin", "https://free.example.org"),
        "There is an application wiki already: `flask apps change wiki` changes it.",
    ),
    "host_taken": (
        ("add", "other", "--name", "N", "--origin", "https://wiki.example.org"),
        "belongs to the application wiki already: browsers keep cookies by host",
    ),
    "host_taken_at_another_port": (
        ("add", "other", "--name", "N", "--origin", "https://wiki.example.org:8443"),
        "The host of https://wiki.example.org:8443 belongs to the application wiki already",
    ),
    "host_taken_by_change": (
        ("change", "notes", "--origin", "https://wiki.example.org"),
        "belongs to the application wiki already",
    ),
    "name_is_blank": (("change", "wiki", "--name", " "), "A name has 1 to 100 characters."),
    "name_is_too_long": (("change", "wiki", "--name", "n" * 101), "A name has 1 to 100"),
    "name_with_a_control": (("change", "wiki", "--name", "Wi\x1bki"), "control or invisible"),
    "name_turns_the_writing": (("change", "wiki", "--name", "a\u202eb"), "control or invisible"),
    "name_is_no_text": (("change", "wiki", "--name", "\udcff"), "control or invisible"),
    "group_in_capitals": (("change", "wiki", "--group", "Staff"), "The group 'Staff' cannot be"),
    "header_without_a_name": (("change", "wiki", "--header", "email"), "has no equals sign"),
    "header_of_no_field": (("change", "wiki", "--header", "mail=X-Mail"), "no field 'mail'"),
    "unknown": (("change", "wikis", "--name", "W"), NO_SUCH),
    "unknown_to_show": (("show", "wikis"), NO_SUCH),
    "unknown_to_remove": (("remove", "wikis"), NO_SUCH),
    "no_id_at_all": (("show", "\udcff\x00"), "There is no application '\\udcff\\x00'"),
    "no_origin_on_change": (("change", "wiki", "--origin", ""), "must begin with https://"),
}


@pytest.mark.parametrize(("arguments", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_command_that_cannot_be_done_says_why_and_changes_nothing(
    app: Flask,
    flask: Command,
    transaction: Transaction,
    arguments: tuple[str, ...],
    words: str,
) -> None:
    flask("add", *WIKI)
    flask("add", "notes", "--name", "Notes", "--origin", "https://notes.example.org")
    hand_over_to_wiki(transaction)
    before = contents(app)

    done = flask(*arguments)

    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1
    assert done.stderr.endswith(".\n")
    assert words in done.stderr
    assert contents(app) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("add", "wiki", "--name", "Wiki"),
        ("add", "wiki", "--origin", "https://wiki.example.org"),
        ("change", "wiki"),
        ("change", "wiki", "--group", "staff", "--no-groups"),
        ("change", "wiki", "--header", "name=X-Name", "--no-headers"),
        ("remove",),
        ("show",),
    ],
    ids=" ".join,
)
def test_command_that_is_not_understood_shows_its_usage(
    app: Flask, flask: Command, arguments: tuple[str, ...]
) -> None:
    flask("add", *WIKI)
    before = contents(app)

    done = flask(*arguments)

    assert done.exit_code == 2
    assert done.stderr.startswith("Usage: ")
    assert contents(app) == before


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ((), ("add", "change", "list", "show", "remove", "whom they let in")),
        (("add",), ("Examples: flask apps add wiki", "exactly PUBLIC_ORIGIN", "up to five")),
        (("add",), ("--header user_id=Remote-User", "Fields: user_id, email, name, role")),
        (("change",), ("Example", "replaces all that was there", "--no-groups", "--no-headers")),
        (("list",), ("the id, the origins, the groups", "the name")),
        (("remove",), ("Its sessions end", "those of this service itself do not")),
    ],
    ids=str,
)
def test_help_teaches(flask: Command, command: tuple[str, ...], words: tuple[str, ...]) -> None:
    done = flask(*command, "--help")

    text = " ".join(done.stdout.split())
    assert done.exit_code == 0
    assert [word for word in words if word not in text] == []


def test_what_is_registered_decides_the_very_next_check(
    flask: Command, gate: SessionGate, client: Browser
) -> None:
    """For an application under a path of this host, which shares its session."""
    ada = sign_up(client)
    token = token_of(client)

    unknown = ask(gate, token, "app=files")
    flask("add", "files", "--name", "Files", "--origin", ORIGIN, "--header", "user_id=Remote-User")
    known = ask(gate, token, "app=files")
    flask("change", "files", "--group", "staff", "--no-headers")
    elsewhere = ask(gate, token, "app=files")
    flask("change", "files", "--no-groups")
    again = ask(gate, token, "app=files")
    flask("remove", "files")

    assert unknown.status_code == 403
    assert (known.status_code, known.headers["Remote-User"]) == (204, ada.user["id"])
    assert "X-Auth-User-Id" not in known.headers
    assert elsewhere.status_code == 403
    assert (again.status_code, again.headers["X-Auth-User-Id"]) == (204, ada.user["id"])
    assert ask(gate, token, "app=files").status_code == 403
    assert is_signed_in(client)


def test_session_at_an_application_ends_with_its_registration(
    app: Flask,
    flask: Command,
    gate: SessionGate,
    client: Browser,
    transaction: Transaction,
) -> None:
    """Registering the same id again revives nothing."""
    sign_up(client)
    flask("add", *WIKI)
    token = new_session_token()
    with transaction() as session:
        root = session.scalars(select(UserSession)).one()
        child = a_session(a_user(), token_hash=hash_secret(token))
        child.user_id, child.parent_id, child.application_id = root.user_id, root.id, "wiki"
        child.idle_expires_at = child.expires_at = root.expires_at
        session.add(child)

    before = ask(gate, token, "app=wiki")
    removed = flask("remove", "wiki")
    after = ask(gate, token, "app=wiki")
    flask("add", *WIKI)

    assert (before.status_code, after.status_code) == (204, 401)
    assert removed.stdout == "wiki is removed; 1 session ended.\n"
    assert ask(gate, token, "app=wiki").status_code == 401
    assert is_signed_in(client)
