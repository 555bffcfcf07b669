"""Migrations: Flask-Migrate's ``flask db``, and the same from code.

Flask-Migrate brings Alembic, which only the command line needs: nothing that the running service
imports may import this module.
"""

from collections.abc import Mapping
from pathlib import Path

from flask import Flask
from flask_migrate import Migrate, upgrade

from app.extensions import db

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


def _is_modelled(name: str | None, kind: str, _parents: Mapping[str, str | None]) -> bool:
    # Like Alembic's own table, it is the schema's bookkeeping and no model's.
    return (kind, name) != ("table", "schema_floor")


migrate = Migrate(
    db=db,
    directory="migrations",
    compare_type=True,
    render_as_batch=True,
    include_name=_is_modelled,
)


def run_migrations(app: Flask, revision: str = "head") -> None:
    """Bring the database to ``revision``; a line for each migration goes to standard output.

    Safe when two start at once: the second waits, and finds nothing to do. Raises
    ``SystemExit`` once migrations/env.py has said which statement failed; what was completed
    before stays on PostgreSQL, and nothing of it on SQLite.
    """
    migrate.init_app(app)
    with app.app_context():
        upgrade(directory=str(MIGRATIONS), revision=revision)
