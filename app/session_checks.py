"""What the session gate asks the database: one lookup a check, and what follows from it.

A last-seen that is due is noted and written later, in batches. A session whose time is over is
ended on the spot, so that it stays refused whatever becomes of the clock.
"""

from collections import namedtuple
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import structlog
from sqlalchemy import bindparam, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app import clock
from app.config import Settings
from app.database import IMPATIENT, WRITES, unpooled_engine
from app.held_connections import HeldConnections, loader
from app.last_seen import LastSeen
from app.models import Application, User, UserSession
from app.services.identity_headers import header_list, header_names
from app.services.session_ends import end_expired_sessions
from app.services.session_lookup import session_lookup
from app.services.sessions import LAST_SEEN_EVERY
from app.services.tokens import hash_secret

_log = structlog.get_logger(__name__)


Row = Any
"""One of the shapes below: its fields are those of the lookup, as the driver gives them."""


def _row(name: str, *fields: str) -> Row:
    return namedtuple(name, fields)  # noqa: PYI024 - the fields are the lookup's


_STATE = ("is_in_time", "ends_now", "is_enabled", "is_due")
_SESSION = ("id", "root_id", "application_id", "purpose")
_PERSON = ("user_id", "email", "is_proved", "name", "role")
_METHOD = ("authenticated_at", "authenticated_with")
_CHECKED = (*_STATE, *_SESSION, *_PERSON, *_METHOD, "groups")
Checked = _row("Checked", *_CHECKED)
"""What a proxy is told."""
CheckedFor = _row("CheckedFor", *_CHECKED, "asked_id", "origins", "allowed_groups", "header_map")
"""The same, and the application that was asked for; ``asked_id`` is None where it is unknown."""
Described = _row(
    "Described",
    *_STATE,
    *_SESSION,
    *_PERSON,
    *_METHOD,
    "created_at",
    "expires_at",
    "idle_expires_at",
    "locale",
    "user_created_at",
)
"""What a page is told."""


class SessionChecks:
    """Asks on connections of its own, so that nobody else's work can keep a check waiting."""

    def __init__(self, settings: Settings) -> None:
        """Take the settings. Nothing is opened yet, so that the process may fork."""
        engine = unpooled_engine(settings.database)
        shapes = (Checked, CheckedFor, Described)
        origins = select(Application.origins)
        self._held = HeldConnections(
            engine,
            {
                **{shape.__name__: session_lookup(shape._fields) for shape in shapes},
                "origins": origins.where(Application.id == bindparam("application_id")),
            },
            most=settings.service.threads,
            wait_seconds=settings.database.connect_timeout_seconds,
            keep_seconds=settings.database.pool_idle_seconds,
        )
        self._writing = engine.execution_options(**{WRITES: True, IMPATIENT: True})
        self._last_seen = LastSeen(self._writing)
        dialect = engine.dialect
        self.moment = loader(UserSession.created_at.type, dialect)
        self.list_of = _remembering(loader(User.groups.type, dialect), dialect.name)
        self.groups_header = _remembering(
            lambda stored: header_list(self.list_of(stored)), dialect.name
        )
        load_map = loader(Application.header_map.type, dialect)
        self.names_of = _remembering(lambda stored: header_names(load_map(stored)), dialect.name)

    def find(self, shape: Row, token: str, application_id: str | None = None) -> Row:
        """Give the row of this shape if its session is good now. Raises ``DatabaseUnavailable``."""
        now = clock.now()
        values = {
            "token_hash": hash_secret(token),
            "now": now,
            "seen_before": now - LAST_SEEN_EVERY,
        }
        if application_id is not None:
            values["application_id"] = application_id
        found = self._held.find(shape.__name__, values)
        if found is None:
            return None
        row = shape._make(found)
        if row.ends_now:
            self._end({row.id, row.root_id})
        if not (row.is_in_time and row.is_enabled):
            return None
        if row.is_due and row.purpose == "full":
            self._last_seen.note(row.root_id)
        return row

    def origins_of(self, application_id: str) -> list[str]:
        """Give an application's origins, none where it is unknown."""
        found = self._held.find("origins", {"application_id": application_id})
        return [] if found is None else list(self.list_of(found[0]))

    def close(self) -> None:
        """Give the connections up; another question opens new ones."""
        self._held.close()

    def _end(self, ids: set[str]) -> None:
        try:
            with Session(self._writing) as session, session.begin():
                end_expired_sessions(session, ids=ids)
        except DBAPIError as error:
            _log.warning("expired_session_not_ended", error=str(error.orig))


def _remembering(load: Callable[[Any], Any], dialect_name: str) -> Callable[[Any], Any]:
    # SQLite gives the same few texts again and again; psycopg gives lists, made already.
    return lru_cache(maxsize=1024)(load) if dialect_name == "sqlite" else load
