"""Migrations from code: the same as ``flask db upgrade``."""

from flask import Flask
from flask_migrate import upgrade

from app.services.schema import MIGRATIONS


def run_migrations(app: Flask, revision: str = "head") -> None:
    """Bring the database to ``revision``; a line for each migration goes to standard output.

    Safe when two start at once: the second waits, and finds nothing to do. Raises
    ``SystemExit`` once migrations/env.py has said which statement failed; what was completed
    before stays on PostgreSQL, and nothing of it on SQLite.
    """
    with app.app_context():
        upgrade(directory=str(MIGRATIONS), revision=revision)
