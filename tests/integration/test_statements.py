"""The statements that services are made of do the same on both engines (DB-14, DB-21, DB-23)."""

import pytest
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.orm import Session

from app.models import Credential, RecoveryCode, User
from tests.support.rows import NOON, a_credential, a_hash, a_recovery_code, a_user


@pytest.fixture
def ada(session: Session) -> User:
    user = a_user(name="Ada")
    session.add_all([user, a_user(name="Grace")])
    session.flush()
    session.add_all([a_credential(user), a_credential(user)])
    session.flush()
    return user


def test_select_with_a_join(session: Session, ada: User) -> None:
    query = (
        select(User.name, func.count(Credential.id))
        .outerjoin(Credential, Credential.user_id == User.id)
        .group_by(User.name)
        .order_by(User.name)
    )

    assert session.execute(query).all() == [("Ada", 2), ("Grace", 0)]


def test_insert_returning(session: Session, ada: User) -> None:
    rows = [{"code_hash": a_hash(), "user_id": ada.id, "created_at": NOON} for _ in range(10)]
    query = insert(RecoveryCode).returning(RecoveryCode.code_hash, RecoveryCode.created_at)

    returned = session.execute(query, rows).all()

    assert sorted(returned) == sorted((row["code_hash"], NOON) for row in rows)


def test_update_returning_says_which_rows_it_changed(session: Session, ada: User) -> None:
    code = a_recovery_code(ada)
    session.add(code)
    session.flush()
    use = (
        update(RecoveryCode)
        .where(RecoveryCode.code_hash == code.code_hash, RecoveryCode.used_at.is_(None))
        .values(used_at=NOON)
        .returning(RecoveryCode.user_id)
    )

    assert session.scalars(use).all() == [ada.id]
    assert session.scalars(use).all() == []


def test_delete_returning_says_which_rows_are_gone(session: Session, ada: User) -> None:
    end = delete(Credential).where(Credential.user_id == ada.id).returning(Credential.user_id)

    assert session.scalars(end).all() == [ada.id, ada.id]
    assert session.scalars(end).all() == []


HOSTILE = [
    "'; DROP TABLE users; --",
    '"quoted" and \\escaped\\',
    "100% of :names and ?marks $1",
    "' OR '1'='1",
]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_is_never_read_as_sql(session: Session, value: str) -> None:
    """ASVS 1.2.4."""
    session.add_all([a_user(name=value), a_user(name="Ada")])
    session.flush()

    assert session.scalars(select(User.name).where(User.name == value)).all() == [value]
    written_by_hand = text("SELECT name FROM users WHERE name = :value").bindparams(value=value)
    assert session.scalars(written_by_hand).all() == [value]
    assert session.scalars(select(func.count()).select_from(User)).one() == 2
