"""The result of a select, treated as what it is not."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import User


def right(session: Session) -> str:
    return session.scalars(select(User.name)).one()


def not_a_number(session: Session) -> int:
    return session.scalars(select(User.name)).one()  # expect: Incompatible return value type (got "str", expected "int")


def not_always_there(session: Session) -> User:
    return session.scalars(select(User)).one_or_none()  # expect: Incompatible return value type (got "User | None", expected "User")


def not_a_user(session: Session) -> None:
    for name in session.scalars(select(User.name)):
        print(name.email)  # expect: "str" has no attribute "email"


def not_that_order(session: Session) -> None:
    for name, handle in session.execute(select(User.name, User.webauthn_id)):
        print(name + handle)  # expect: Unsupported operand types for + ("str" and "bytes")


def may_be_none(session: Session) -> str:
    return session.scalars(select(User.email)).one().upper()  # expect: Item "None" of "str | None" has no attribute "upper"
