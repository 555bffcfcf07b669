"""The schema's version: what the database has, and whether this release can serve on it."""

from sqlalchemy import Connection, inspect, text
from sqlalchemy.orm import Session

from app.errors import SchemaTooNew, SchemaTooOld

REVISIONS = (
    "001_initial",
    "002_oauth",
    "003_schema_floor",
    "004_outside_accounts",
    "005_applications",
)
"""The migrations of this release, oldest first.

Written down so that the running service needs neither Alembic nor the folder; a test holds them
to migrations/versions.
"""


def require_fitting_schema(session: Session) -> None:
    """Let this release serve on its own schema, or on a later one that still serves it.

    Each migration fits the release before it, so that the old one serves on while the new one is
    rolled out; one that does not raises the floor. Raises ``SchemaTooOld``, ``SchemaTooNew``.
    """
    connection = session.connection()
    has = _versions(connection)
    if has == {REVISIONS[-1]}:
        return
    if has <= set(REVISIONS):
        raise SchemaTooOld
    # A version that this release does not know is a later one's.
    if len(has) > 1 or not is_above_floor(connection):
        raise SchemaTooNew


def is_above_floor(connection: Connection) -> bool:
    """Tell whether a schema later than this release's says that it still serves this release."""
    if not inspect(connection).has_table("schema_floor"):
        return False
    return connection.scalar(text("SELECT revision FROM schema_floor")) in REVISIONS


def _versions(connection: Connection) -> set[str]:
    if not inspect(connection).has_table("alembic_version"):
        return set()
    return set(connection.scalars(text("SELECT version_num FROM alembic_version")))
