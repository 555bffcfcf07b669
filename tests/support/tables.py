"""What the database holds, for tests that must see it unchanged."""

from collections.abc import Container

from flask import Flask
from sqlalchemy import func, select, update

from app.database import WRITES
from app.extensions import db
from app.models import Base

Contents = dict[str, list[tuple[object, ...]]]

PASSING = ("webauthn_challenges",)
"""Tables that a ceremony changes whatever becomes of it."""


def contents(app: Flask, *, without: Container[str] = PASSING) -> Contents:
    """Give every row of every table but some, in the order of their keys."""
    with app.app_context(), db.engine.connect() as connection:
        return {
            table.name: [
                tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))
            ]
            for table in db.metadata.sorted_tables
            if table.name not in without
        }


def count(app: Flask, *models: type[Base]) -> int:
    """Count the rows of some tables together."""
    with app.app_context(), db.engine.connect() as connection:
        counts = [connection.scalar(select(func.count()).select_from(model)) for model in models]
    return sum(one or 0 for one in counts)


def change(app: Flask, model: type[Base], **values: object) -> None:
    """Change every row of a table behind the service's back."""
    with (
        app.app_context(),
        db.engine.execution_options(**{WRITES: True}).begin() as connection,
    ):
        connection.execute(update(model).values(**values))
