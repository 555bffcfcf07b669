"""The one clock of the service: the application's, never the database's."""

from datetime import UTC, datetime


def now() -> datetime:
    """Tell the time in UTC, timezone-aware."""
    return datetime.now(UTC)
