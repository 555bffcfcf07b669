"""A column that no table has."""

from sqlalchemy import select

from app.models import User

right = select(User).where(User.email == "ada@example.org")
wrong = select(User).where(User.e_mail == "ada@example.org")  # expect: "type[User]" has no attribute "e_mail"
order = select(User).order_by(User.surname)  # expect: "type[User]" has no attribute "surname"


def greet(user: User) -> str:
    return user.nickname  # expect: "User" has no attribute "nickname"
