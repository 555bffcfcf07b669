"""A failure between any two writes of a sign-up leaves nothing behind."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest.mock import patch

from flask import Flask
from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.pool import PoolProxiedConnection

from app.extensions import db
from app.models import Invitation
from app.services.addresses import parse_address
from app.services.invitations import invite
from tests.conftest import Transaction
from tests.support.clients import Browser
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

WRITES = ("INSERT", "UPDATE", "DELETE", "SAVEPOINT", "RELEASE")


class InjectedFault(Exception):
    """What a test does to the database at one chosen moment."""


@contextmanager
def failing(app: Flask, at: int) -> Iterator[list[str]]:
    """Fail the ``at``-th write of all transactions, counted from one; gives the writes seen."""
    seen: list[str] = []

    def count_writes(_connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith(WRITES):
            note(statement)

    def note(statement: str) -> None:
        seen.append(statement)
        if len(seen) == at:
            raise InjectedFault

    with app.app_context():
        engine = db.engine
    commit = engine.dialect.do_commit

    def count_commit(connection: PoolProxiedConnection) -> None:
        try:
            note("COMMIT")
        except InjectedFault:
            # A database that cannot commit has rolled back.
            connection.rollback()
            raise
        commit(connection)

    event.listen(engine, "before_cursor_execute", count_writes)
    with patch.object(engine.dialect, "do_commit", count_commit):
        yield seen
    event.remove(engine, "before_cursor_execute", count_writes)


def test_failure_of_any_write_of_a_sign_up_leaves_nothing(
    app: Flask, client: Browser, new_client: Callable[[], Browser], transaction: Transaction
) -> None:
    """DB-17, ASVS 2.3.3, 16.5.3: each write fails in turn, up to the last commit."""
    writes = writes_of_a_sign_up(app, new_client())
    with transaction() as session:
        token = invite(session, address=parse_address(ADDRESS), role="admin")
    before = contents(app)

    # One more than without an invitation, which is used up.
    for at in range(1, len(writes) + 2):
        options = json_of(begin_sign_up(client, invitation=token))
        with failing(app, at=at) as seen:
            answer = finish_sign_up(client, new_phone(), options)

        assert refusal(answer) == (500, "internal_error"), seen
        assert contents(app) == before, seen
        assert not is_signed_in(client)

    sign_up(client, invitation=token)
    assert count(app, Invitation) == 0


def test_sign_up_has_two_commits(app: Flask, client: Browser) -> None:
    """One spends the challenge, the other does all the rest."""
    writes = writes_of_a_sign_up(app, client)

    spent = writes.index("COMMIT")
    inserts = [write.split()[2] for write in writes[spent:] if write.startswith("INSERT")]
    assert [write.split()[2] for write in writes[:spent]] == ["webauthn_challenges"]
    assert inserts == ["users", "webauthn_credentials", "user_sessions"]
    assert writes.count("COMMIT") == 2
    assert writes[-1] == "COMMIT"


def writes_of_a_sign_up(app: Flask, browser: Browser) -> list[str]:
    options = json_of(begin_sign_up(browser, email="bob@example.org"))
    with failing(app, at=0) as seen:
        assert finish_sign_up(browser, new_phone(), options).status_code == 201
    return seen
