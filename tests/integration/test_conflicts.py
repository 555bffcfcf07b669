"""Expected conflicts come out as named errors, and earlier work of the unit survives."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.errors import AddressTaken, CredentialAlreadyRegistered, ServiceError
from app.models import Base, Credential, Identity, User
from app.services.conflicts import conflicts
from tests.conftest import Transaction
from tests.support.rows import a_credential, a_session, a_user, an_identity
from tests.support.units import run_unit


class Body(ServiceError):
    code = "taken"
    sentence = "Body."


ADDRESS = {"uq_users_email_canonical": AddressTaken}
EVERY_UNIQUE: list[tuple[str, Callable[[User], Base]]] = [
    ("uq_users_email_canonical", lambda _: a_user(email_canonical="ada@example.org")),
    ("uq_users_webauthn_id", lambda _: a_user(webauthn_id=b"handle")),
    ("uq_webauthn_credentials_credential_id", lambda user: a_credential(user, credential_id=b"id")),
    ("uq_user_sessions_token_hash", lambda user: a_session(user, token_hash=b"hash")),
    ("uq_oauth_providers_issuer_provider_id", lambda user: an_identity(user, subject="ada")),
]


@pytest.mark.parametrize(("constraint", "make"), EVERY_UNIQUE, ids=[one[0] for one in EVERY_UNIQUE])
def test_a_conflict_is_raised_as_the_error_named_for_it(
    session: Session, constraint: str, make: Callable[[User], Base]
) -> None:
    user = a_user()
    session.add(user)
    session.flush()
    with conflicts(session, {constraint: Body}):
        session.add(make(user))

    with pytest.raises(Body) as refusal, conflicts(session, {constraint: Body}):
        session.add(make(user))

    assert isinstance(refusal.value.__cause__, IntegrityError)


def test_earlier_and_later_work_of_the_unit_survives(app: Flask, transaction: Transaction) -> None:
    def unit(session: Session) -> None:
        session.add(a_user(name="before"))
        with conflicts(session, ADDRESS):
            session.add(a_user(email_canonical="ada@example.org", name="Ada"))
        with pytest.raises(AddressTaken), conflicts(session, ADDRESS):
            session.add_all(
                [a_user(name="with it"), a_user(email_canonical="ada@example.org", name="again")]
            )
        session.add(a_user(name="after"))

    run_unit(app, unit)

    with transaction() as session:
        assert set(session.scalars(select(User.name))) == {"before", "Ada", "after"}


def test_a_conflict_of_an_update_is_named_too(session: Session) -> None:
    session.add_all([a_user(email_canonical="ada@example.org"), a_user(name="Grace")])
    session.flush()

    with pytest.raises(AddressTaken), conflicts(session, ADDRESS):
        session.execute(
            update(User).where(User.name == "Grace").values(email_canonical="ada@example.org")
        )


ELSEWHERE: dict[str, Callable[[Session], object]] = {
    "another_unique_constraint": lambda session: session.add(a_user(webauthn_id=b"handle")),
    "a_foreign_key": lambda session: session.add(an_identity(a_user())),
    "a_check": lambda session: session.execute(update(User).values(role="owner")),
}


@pytest.mark.parametrize("refused", ELSEWHERE)
def test_another_constraints_refusal_passes_through(session: Session, refused: str) -> None:
    session.add(a_user(webauthn_id=b"handle"))
    session.flush()

    with pytest.raises(IntegrityError), conflicts(session, ADDRESS):
        ELSEWHERE[refused](session)

    assert session.scalars(select(User.role)).all() == ["user"]
    assert session.scalars(select(Identity)).all() == []


def test_what_is_free_is_no_conflict(session: Session) -> None:
    user = a_user()
    session.add(user)
    session.flush()

    with conflicts(session, {"uq_webauthn_credentials_credential_id": CredentialAlreadyRegistered}):
        session.add_all([a_credential(user), a_credential(user)])

    assert len(session.scalars(select(Credential)).all()) == 2
