"""People: what is told of them, and what they may change."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app import clock
from app.errors import AddressTaken, NotFound
from app.identifiers import ID_PATTERN
from app.models import Role, User
from app.services.addresses import Address, parse_address
from app.services.conflicts import conflicts


@dataclass(frozen=True, kw_only=True)
class Person:
    """A person as every route tells of them."""

    id: str
    email: str | None
    email_verified: bool
    address_lost_at: datetime | None
    """When somebody else proved the address that this account had never proved."""
    name: str
    role: Role
    locale: str | None
    created_at: datetime


def describe(user: User) -> Person:
    """Tell of a person what may be told."""
    return Person(
        id=user.id,
        email=user.email,
        email_verified=user.email_verified_at is not None,
        address_lost_at=user.address_lost_at,
        name=user.name,
        role=user.role,
        locale=user.locale,
        created_at=user.created_at,
    )


def add_user(
    session: Session,
    *,
    address: Address | None,
    name: str,
    webauthn_id: bytes,
    role: Role,
    groups: list[str],
    is_proved: bool = False,
) -> User:
    """Create the account, its address proved or not. Raises ``AddressTaken``."""
    user = User(
        email=address.written if address else None,
        email_canonical=address.canonical if address else None,
        email_verified_at=clock.now() if address and is_proved else None,
        name=name,
        webauthn_id=webauthn_id,
        role=role,
        groups=groups,
    )
    with conflicts(session, {"uq_users_email_canonical": AddressTaken}):
        session.add(user)
    return user


def require_free_address(session: Session, address: Address, sentence: str | None = None) -> None:
    """Raise ``AddressTaken``, in these words or the usual ones, where an account has it."""
    query = select(User.id).where(User.email_canonical == address.canonical)
    if session.scalar(query) is not None:
        raise AddressTaken(sentence)


def get_user(session: Session, user_id: str) -> User:
    """Find a person by id. Raises ``NotFound``."""
    user = session.get(User, user_id)
    if user is None:
        raise NotFound
    return user


def get_user_by_address_or_id(session: Session, text: str) -> User:
    """Find the person whom an operator names. Raises ``InvalidAddress`` and ``NotFound``."""
    if "@" in text:
        return get_user_by_address(session, text)
    user_id = text.lower()
    # What is no id is not asked for: a command line may hold bytes that no database takes.
    user = session.get(User, user_id) if re.fullmatch(ID_PATTERN, user_id) else None
    if user is None:
        sentence = f"Nobody here has the id {text}: `flask users list` prints ids and addresses."
        raise NotFound(sentence)
    return user


def get_user_by_address(session: Session, text: str) -> User:
    """Find the person with an address. Raises ``InvalidAddress`` and ``NotFound``."""
    address = parse_address(text)
    user = session.scalar(select(User).where(User.email_canonical == address.canonical))
    if user is None:
        sentence = f"Nobody here has the address {address.written}."
        raise NotFound(sentence)
    return user


def update_profile(session: Session, *, user_id: str, changes: dict[str, str | None]) -> User:
    """Change what a person may change about themselves: ``name`` and ``locale``.

    Raises ``NotFound``.
    """
    values: dict[str, object] = {"updated_at": clock.now()}
    if (name := changes.get("name")) is not None:
        values["name"] = name
    if "locale" in changes:
        values["locale"] = changes["locale"]
    statement = update(User).where(User.id == user_id).values(values).returning(User)
    user: User | None = session.scalar(statement)
    if user is None:
        raise NotFound
    return user


def list_users(session: Session, *, after: str | None, limit: int) -> Sequence[User]:
    """List people in the order in which they came, those past the id ``after``."""
    query = select(User).order_by(User.id).limit(limit)
    return session.scalars(query if after is None else query.where(User.id > after)).all()
