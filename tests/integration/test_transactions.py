"""Units of work: all of it or nothing, nested as savepoints, the connection given back.

DB-16, ASVS 2.3.3.
"""

from collections.abc import Callable
from typing import Any, NoReturn

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import AddressTaken, CloneSuspected, DatabaseUnavailable, ServiceError
from app.models import User
from app.transaction import with_transaction
from tests.conftest import Transaction
from tests.support.rows import a_session, a_user
from tests.support.units import application, engine_of, pool_of, run_unit

Names = Callable[[], list[str]]


@pytest.fixture
def names(transaction: Transaction) -> Names:
    def committed() -> list[str]:
        with transaction() as session:
            return list(session.scalars(select(User.name).order_by(User.name)))

    return committed


def add(session: Session, name: str) -> None:
    session.add(a_user(name=name))
    session.flush()


def test_a_unit_is_committed_and_gives_what_its_callback_gave(app: Flask, names: Names) -> None:
    def unit(session: Session) -> str:
        add(session, "Ada")
        return "done"

    assert run_unit(app, unit) == "done"
    assert names() == ["Ada"]


def test_a_person_and_their_first_session_are_created_together(app: Flask, names: Names) -> None:
    def unit(session: Session, *, token_hash: bytes | None) -> None:
        user = a_user(name="Ada")
        session.add(user)
        session.flush()
        opened = a_session(user)
        opened.token_hash = token_hash  # type: ignore[assignment] # what the test is about
        session.add(opened)

    with pytest.raises(Exception, match="token_hash"):
        run_unit(app, lambda session: unit(session, token_hash=None))
    assert names() == []

    run_unit(app, lambda session: unit(session, token_hash=b"hash"))
    assert names() == ["Ada"]


@pytest.mark.parametrize("error", [AddressTaken(), ValueError(), KeyboardInterrupt()], ids=repr)
def test_a_raise_rolls_all_of_it_back(app: Flask, names: Names, error: BaseException) -> None:
    def unit(session: Session) -> NoReturn:
        add(session, "Ada")
        add(session, "Grace")
        raise error

    with pytest.raises(type(error)):
        run_unit(app, unit)
    assert names() == []


def test_a_refusal_that_is_to_be_remembered_commits(app: Flask, names: Names) -> None:
    def unit(session: Session) -> NoReturn:
        add(session, "Ada")
        raise CloneSuspected

    with pytest.raises(CloneSuspected):
        run_unit(app, unit)
    assert names() == ["Ada"]


@pytest.mark.parametrize(
    ("refusal", "kept"),
    [(AddressTaken, ["after", "before"]), (CloneSuspected, ["after", "before", "inner"])],
)
def test_a_failing_inner_unit_leaves_the_outer_ones_work(
    app: Flask, names: Names, refusal: type[ServiceError], kept: list[str]
) -> None:
    def inner(session: Session) -> NoReturn:
        add(session, "inner")
        raise refusal

    def outer(session: Session) -> None:
        add(session, "before")
        with pytest.raises(refusal):
            with_transaction(inner)
        add(session, "after")

    run_unit(app, outer)
    assert names() == kept


def test_a_successful_inner_unit_goes_with_the_outer_one(app: Flask, names: Names) -> None:
    def outer(session: Session, *, fails: bool) -> None:
        add(session, "outer")
        with_transaction(lambda session: add(session, "inner"))
        if fails:
            raise AddressTaken

    with pytest.raises(AddressTaken):
        run_unit(app, lambda session: outer(session, fails=True))
    assert names() == []

    run_unit(app, lambda session: outer(session, fails=False))
    assert names() == ["inner", "outer"]


def test_a_refusal_to_be_remembered_is_so_from_an_inner_unit_too(app: Flask, names: Names) -> None:
    def inner(session: Session) -> NoReturn:
        add(session, "inner")
        raise CloneSuspected

    with pytest.raises(CloneSuspected):
        run_unit(app, lambda _session: with_transaction(inner))
    assert names() == ["inner"]


def test_an_inner_unit_that_reads_sees_the_outer_ones_work(app: Flask) -> None:
    def outer(session: Session) -> list[str]:
        add(session, "Ada")
        return with_transaction(
            lambda session: list(session.scalars(select(User.name))), writes=False
        )

    assert run_unit(app, outer) == ["Ada"]


def test_a_unit_that_reads_cannot_hold_one_that_writes(app: Flask, names: Names) -> None:
    def outer(_session: Session) -> None:
        with_transaction(lambda session: add(session, "inner"))

    with pytest.raises(RuntimeError, match="cannot hold one that writes"):
        run_unit(app, outer, writes=False)
    assert names() == []

    run_unit(app, outer)
    assert names() == ["inner"]


def test_a_unit_that_reads_cannot_write(app: Flask, names: Names) -> None:
    with pytest.raises(DatabaseUnavailable) as refusal:
        run_unit(app, lambda session: add(session, "Ada"), writes=False)
    assert "read" in str(refusal.value.__cause__)
    assert names() == []

    # On the same pooled connection: the ban is the transaction's, not the connection's.
    run_unit(app, lambda session: add(session, "Ada"))
    assert names() == ["Ada"]


def succeeds(session: Session) -> None:
    add(session, "Ada")


def is_refused(session: Session) -> NoReturn:
    add(session, "Ada")
    raise AddressTaken


def is_remembered(session: Session) -> NoReturn:
    add(session, "Ada")
    raise CloneSuspected


def breaks_a_constraint(session: Session) -> None:
    session.add_all([a_user(webauthn_id=b"same"), a_user(webauthn_id=b"same")])


def fails_within_an_inner_unit(_session: Session) -> None:
    with_transaction(is_refused)


@pytest.mark.parametrize(
    "unit",
    [succeeds, is_refused, is_remembered, breaks_a_constraint, fails_within_an_inner_unit],
    ids=lambda unit: unit.__name__,
)
def test_the_connection_is_given_back_after_one_run(
    app: Flask, names: Names, unit: Callable[[Session], None]
) -> None:
    in_use: list[int] = []

    def watched(session: Session) -> None:
        in_use.append(pool_of(app).checkedout())
        unit(session)

    # As within one request: the application context goes on after the unit.
    with app.app_context():
        try:
            with_transaction(watched)
        except Exception:  # noqa: BLE001 - how it ends is another test's business
            assert unit is not succeeds

        assert in_use == [1]
        assert pool_of(app).checkedout() == 0

        before = names()
        with_transaction(lambda session: add(session, "next"))
        assert names() == [*before, "next"]


def test_a_commit_that_fails_leaves_no_transaction_open(
    app: Flask, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On SQLite it would keep every writer out until its connection was used again."""
    engine = engine_of(app)
    driver: Any = engine.dialect.loaded_dbapi

    def fail(_connection: object) -> NoReturn:
        message = "disk full"
        raise driver.OperationalError(message)

    with monkeypatch.context() as patched:
        patched.setattr(engine.dialect, "do_commit", fail)
        with pytest.raises(DatabaseUnavailable):
            run_unit(app, lambda session: add(session, "lost"))

    with application(app.extensions["openbadges"]) as other:
        run_unit(other, lambda session: add(session, "elsewhere"))
    run_unit(app, lambda session: add(session, "here"))
    assert names() == ["elsewhere", "here"]
