"""Foreign keys: no orphans, and what goes with the row that it belonged to (DB-8)."""

import pytest
from sqlalchemy import ForeignKeyConstraint, delete, func, inspect, select, update
from sqlalchemy.exc import IntegrityError

from app.models import Application, Base, Invitation, User, UserSession
from tests.conftest import Transaction
from tests.support.databases import EngineName
from tests.support.rows import a_user, everything_of

FOREIGN_KEYS: dict[str, ForeignKeyConstraint] = {
    str(constraint.name): constraint
    for table in Base.metadata.tables.values()
    for constraint in table.foreign_key_constraints
}
OF_A_PERSON = {
    "fk_webauthn_credentials_user_id_users",
    "fk_user_sessions_user_id_users",
    "fk_webauthn_challenges_user_id_users",
    "fk_oauth_providers_user_id_users",
    "fk_oauth_sessions_user_id_users",
    "fk_recovery_codes_user_id_users",
}
OF_A_SESSION = {
    "fk_user_sessions_parent_id_user_sessions",
    "fk_webauthn_challenges_session_id_user_sessions",
    "fk_oauth_sessions_session_id_user_sessions",
    "fk_handover_codes_session_id_user_sessions",
}
OF_AN_APPLICATION = {
    "fk_handover_codes_application_id_applications",
}
CUT_LOOSE = {"fk_invitations_created_by_users"}


def counts(transaction: Transaction) -> dict[str, int]:
    with transaction() as session:
        return {
            name: session.scalars(select(func.count()).select_from(table)).one()
            for name, table in Base.metadata.tables.items()
        }


def store(transaction: Transaction) -> User:
    """Store two people with one row in each table for both, and give the first."""
    users = [a_user(), a_user()]
    for user in users:
        for row in everything_of(user):
            with transaction() as session:
                session.add(row)
    return users[0]


@pytest.mark.parametrize("name", sorted(FOREIGN_KEYS))
def test_an_orphan_is_refused_by_name(
    transaction: Transaction, engine_name: EngineName, name: str
) -> None:
    constraint = FOREIGN_KEYS[name]
    column = next(iter(constraint.columns))
    store(transaction)

    with pytest.raises(IntegrityError) as refusal, transaction() as session:
        session.execute(update(constraint.table).values({column: "nobody"}))

    if engine_name == "postgresql":
        assert f'foreign key constraint "{name}"' in str(refusal.value.orig)
    else:
        # SQLite does not say which; that it has this one is seen in its schema.
        assert str(refusal.value.orig) == "FOREIGN KEY constraint failed"
        with transaction() as session:
            known = inspect(session.connection()).get_foreign_keys(constraint.table.name)
        assert name in {one["name"] for one in known}


def test_a_persons_rows_go_with_them_and_nobody_elses(transaction: Transaction) -> None:
    user = store(transaction)
    before = counts(transaction)

    with transaction() as session:
        session.execute(delete(User).where(User.id == user.id))

    gone = {name for name, count in counts(transaction).items() if count < before[name]}
    halved = {name for name, count in counts(transaction).items() if 2 * count == before[name] > 0}
    owned = OF_A_PERSON | OF_A_SESSION
    assert gone == {FOREIGN_KEYS[name].table.name for name in owned} | {"users"}
    assert halved - {"invitations"} == gone


def test_what_hangs_on_a_session_goes_with_it(transaction: Transaction) -> None:
    user = store(transaction)
    before = counts(transaction)
    ended = select(UserSession.id).where(
        UserSession.user_id == user.id, UserSession.parent_id.is_(None)
    )

    with transaction() as session:
        session.execute(delete(UserSession).where(UserSession.id == ended.scalar_subquery()))

    lost = {
        name: before[name] - count
        for name, count in counts(transaction).items()
        if count < before[name]
    }
    assert lost == {
        "user_sessions": 2,
        "handover_codes": 1,
        "webauthn_challenges": 1,
        "oauth_sessions": 1,
    }


def test_what_hangs_on_an_application_goes_with_it(transaction: Transaction) -> None:
    """Its sessions are ended before; what is left of one is looked up in vain."""
    user = store(transaction)
    before = counts(transaction)
    handed_over = select(UserSession.application_id).where(
        UserSession.user_id == user.id, UserSession.application_id.is_not(None)
    )

    with transaction() as session:
        session.execute(delete(Application).where(Application.id == handed_over.scalar_subquery()))

    after = counts(transaction)
    lost = {name: before[name] - after[name] for name in before if after[name] < before[name]}
    assert lost == {"applications": 1, "handover_codes": 1}


def test_a_child_session_ends_alone(transaction: Transaction) -> None:
    user = store(transaction)
    before = counts(transaction)

    with transaction() as session:
        session.execute(
            delete(UserSession).where(
                UserSession.user_id == user.id, UserSession.parent_id.is_not(None)
            )
        )

    assert counts(transaction) == {**before, "user_sessions": before["user_sessions"] - 1}


def test_an_invitation_outlives_whoever_made_it(transaction: Transaction) -> None:
    user = store(transaction)

    with transaction() as session:
        session.execute(delete(User).where(User.id == user.id))

    with transaction() as session:
        creators = session.scalars(select(Invitation.created_by)).all()
    assert len(creators) == 2
    assert None in creators
    assert user.id not in creators


def test_every_foreign_key_is_one_of_these() -> None:
    assert FOREIGN_KEYS.keys() == OF_A_PERSON | OF_A_SESSION | OF_AN_APPLICATION | CUT_LOOSE
