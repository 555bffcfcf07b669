"""The schema's version: what the database has, and what this release needs."""

from sqlalchemy import inspect, text
from sqlalchemy.orm import Session

REVISIONS = ("001_initial", "002_oauth")
"""The migrations of this release, oldest first.

Written down so that the running service needs neither Alembic nor the folder; a test holds them
to migrations/versions.
"""


def is_behind(session: Session) -> bool:
    """Tell whether the database still lacks a migration that this release needs.

    A version that this release does not know is a later one's: each migration fits the release
    before it, so that the old one serves on while the new one is rolled out.
    """
    if not inspect(session.connection()).has_table("alembic_version"):
        return True
    has = session.scalar(text("SELECT version_num FROM alembic_version"))
    return has is None or has in REVISIONS[:-1]
