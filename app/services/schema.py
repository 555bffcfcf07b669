"""The schema's version: what the database has, and what this release needs."""

from functools import cache
from pathlib import Path

from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text
from sqlalchemy.orm import Session

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


def is_behind(session: Session) -> bool:
    """Tell whether the database still lacks a migration that this release needs.

    A version that this release does not know is a later one's: each migration fits the release
    before it, so that the old one serves on while the new one is rolled out.
    """
    if not inspect(session.connection()).has_table("alembic_version"):
        return True
    has = session.scalar(text("SELECT version_num FROM alembic_version"))
    head, earlier = _versions()
    return has is None or (has != head and has in earlier)


@cache
def _versions() -> tuple[str | None, frozenset[str]]:
    scripts = ScriptDirectory(str(MIGRATIONS))
    known = frozenset(script.revision for script in scripts.walk_revisions())
    return scripts.get_current_head(), known
