"""What the service writes every day; mypy has nothing to say about it."""

from collections.abc import Sequence

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from app.models import Credential, User


def add_user(session: Session, handle: bytes) -> str:
    user = User(email=None, email_canonical=None, name="Ada", webauthn_id=handle)
    session.add(user)
    return user.id


def names(session: Session) -> Sequence[str]:
    return session.scalars(select(User.name).where(User.disabled_at.is_(None))).all()


def find_user(session: Session, address: str) -> User | None:
    return session.scalars(select(User).where(User.email_canonical == address)).one_or_none()


def names_with_counts(session: Session) -> list[tuple[str, int]]:
    query = (
        select(User.name, func.count(Credential.id))
        .join(Credential, Credential.user_id == User.id)
        .group_by(User.name)
    )
    return [(name, count) for name, count in session.execute(query)]


def rename(session: Session, user_id: str, name: str) -> str | None:
    query = update(User).where(User.id == user_id).values(name=name).returning(User.name)
    return session.scalars(query).one_or_none()


def remove(session: Session, user_id: str) -> bytes | None:
    query = delete(User).where(User.id == user_id).returning(User.webauthn_id)
    return session.scalars(query).one_or_none()


def insert_user(session: Session, handle: bytes) -> User:
    query = insert(User).values(name="Ada", webauthn_id=handle).returning(User)
    return session.scalars(query).one()
