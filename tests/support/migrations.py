"""Migrations of a test's own, behind the real ones, in a copy of the folder."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import dedent, indent

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import MetaData, Table, inspect, text

from app.cli.db import MIGRATIONS
from app.cli.db import migrate as flask_migrate
from app.database import WRITES
from tests.support.units import engine_of

HEAD = "005_applications"
"""The newest of the real ones."""


def with_migration(
    folder: Path,
    body: str,
    *,
    revision: str = "099_extra",
    down: str = 'op.drop_table("extra")',
) -> Path:
    """Copy the migrations and add one whose upgrade is ``body``; give the copy's path."""
    copy = folder / "migrations"
    if not copy.exists():
        shutil.copytree(MIGRATIONS, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "versions" / f"{revision}.py").write_text(
        f"import sqlalchemy as sa\nfrom alembic import op\n\n"
        f'revision = "{revision}"\ndown_revision = "{HEAD}"\n\n\n'
        f"def upgrade():\n{_indented(body)}\n\n\n"
        f"def downgrade():\n{_indented(down)}\n"
    )
    return copy


def _indented(body: str) -> str:
    return indent(dedent(body).strip(), "    ")


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


def set_version(app: Flask, *versions: str) -> None:
    """Say of the database that it has another version of the schema, or several, or none."""
    _replace(app, "alembic_version", [{"version_num": one} for one in versions])


def set_floor(app: Flask, *floors: str) -> None:
    """Say of the database that another release is the oldest that it serves, or none."""
    _replace(app, "schema_floor", [{"id": 1, "revision": one} for one in floors])


def _replace(app: Flask, name: str, rows: Sequence[Mapping[str, object]]) -> None:
    with engine_of(app).execution_options(**{WRITES: True}).begin() as connection:
        of_the_schema = Table(name, MetaData(), autoload_with=connection)
        connection.execute(of_the_schema.delete())
        if rows:
            connection.execute(of_the_schema.insert(), rows)
