"""Migrations of a test's own, behind the real ones, in a copy of the folder."""

import shutil
from pathlib import Path
from textwrap import dedent, indent

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import inspect, text

from app.cli.db import MIGRATIONS
from app.cli.db import migrate as flask_migrate
from tests.support.units import engine_of

HEAD = "002_oauth"
"""The newest of the real ones."""


def with_migration(folder: Path, body: str, *, revision: str = "003_extra") -> Path:
    """Copy the migrations and add one whose upgrade is ``body``; give the copy's path."""
    copy = folder / "migrations"
    if not copy.exists():
        shutil.copytree(MIGRATIONS, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "versions" / f"{revision}.py").write_text(
        f"import sqlalchemy as sa\nfrom alembic import op\n\n"
        f'revision = "{revision}"\ndown_revision = "{HEAD}"\n\n\n'
        f"def upgrade():\n{indent(dedent(body).strip(), '    ')}\n\n\n"
        f'def downgrade():\n    op.drop_table("extra")\n'
    )
    return copy


def migrate(app: Flask, directory: Path) -> None:
    """Bring the database to the newest revision in the folder."""
    flask_migrate.init_app(app)
    with app.app_context():
        upgrade(directory=str(directory))


def version(app: Flask) -> str | None:
    """Tell which revision the database says it has."""
    if "alembic_version" not in tables(app):
        return None
    with engine_of(app).connect() as connection:
        found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return found


def tables(app: Flask) -> set[str]:
    return set(inspect(engine_of(app)).get_table_names())
