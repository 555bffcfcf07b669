"""Times as the pages write them; the script puts them into the reader's zone and language."""

from datetime import datetime


def rfc3339(moment: datetime) -> str:
    """Write a UTC time for a ``datetime`` attribute."""
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def utc_words(moment: datetime) -> str:
    """Write a UTC time for people, as ``3 March 2026, 10:05 UTC``."""
    return f"{utc_day(moment)}, {moment:%H:%M} UTC"


def utc_day(moment: datetime) -> str:
    """Write the day of a UTC time for people, as ``3 March 2026``."""
    return f"{moment.day} {moment:%B %Y}"
