"""Whose token is this? One indexed lookup, joined to the person, for whoever asks.

The routes ask it through the ORM's session, the session gate on a connection that it holds; what
decides is written here once, in terms of the models, and each takes the columns that it needs.

A session that was handed over to an application's host lives as long as its root: the same lookup
checks the root, and tells how and until when the person is signed in there.
"""

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, or_, select
from sqlalchemy.orm import aliased

from app.database import UTCDateTime
from app.models import Application, Role, SessionPurpose, User, UserSession

_Root = aliased(UserSession, name="root")
_NOW: ColumnElement[Any] = bindparam("now", type_=UTCDateTime())
_SEEN_BEFORE: ColumnElement[Any] = bindparam("seen_before", type_=UTCDateTime())


def _lasts(session: type[UserSession]) -> ColumnElement[bool]:
    return and_(session.idle_expires_at > _NOW, session.expires_at > _NOW)


def _ends_now(session: type[UserSession]) -> ColumnElement[bool]:
    # One that was ended has been over since before it was opened.
    is_over = or_(session.idle_expires_at <= _NOW, session.expires_at <= _NOW)
    return and_(is_over, session.idle_expires_at >= session.created_at)


def _of_root(name: str) -> ColumnElement[Any]:
    own, roots = getattr(UserSession, name), getattr(_Root, name)
    # Where a null has a meaning, coalesce would give the child's for the root's.
    return case((UserSession.parent_id.is_(None), own), else_=roots)


_COLUMNS: dict[str, Any] = {
    "is_in_time": and_(
        _lasts(UserSession),
        or_(UserSession.parent_id.is_(None), and_(_lasts(_Root), _Root.purpose == "full")),
    ),
    "ends_now": or_(_ends_now(UserSession), _ends_now(_Root)),
    "is_enabled": User.disabled_at.is_(None),
    "is_due": _of_root("last_seen_at") <= _SEEN_BEFORE,
    "id": UserSession.id,
    "root_id": _of_root("id"),
    "application_id": UserSession.application_id,
    "purpose": UserSession.purpose,
    "authenticated_at": _of_root("authenticated_at"),
    "authenticated_with": _of_root("authenticated_with"),
    "authenticator_id": _of_root("authenticator_id"),
    "auth_time": _of_root("auth_time"),
    "created_at": UserSession.created_at,
    "expires_at": _of_root("expires_at"),
    "idle_expires_at": _of_root("idle_expires_at"),
    "last_seen_at": _of_root("last_seen_at"),
    "idle_seconds": _of_root("idle_seconds"),
    "user_id": User.id,
    "email": User.email,
    "is_proved": User.email_verified_at.is_not(None),
    "address_lost_at": User.address_lost_at,
    "name": User.name,
    "role": User.role,
    "groups": User.groups,
    "locale": User.locale,
    "user_created_at": User.created_at,
}
_OF_APPLICATION: dict[str, Any] = {
    "asked_id": Application.id,
    "origins": Application.origins,
    "allowed_groups": Application.allowed_groups,
    "header_map": Application.header_map,
}


class SessionRow(NamedTuple):
    """All that a route may want to know."""

    is_in_time: bool
    """Neither the session nor its root is over."""
    ends_now: bool
    """One of them is over, and was not ended yet."""
    is_enabled: bool
    """The person is not disabled."""
    id: str
    root_id: str
    """The same, or the id of the session that it was handed over from."""
    application_id: str | None
    """Set where the session is good for one application alone."""
    purpose: SessionPurpose
    authenticated_at: Any
    authenticated_with: str
    authenticator_id: str | None
    auth_time: Any
    created_at: Any
    expires_at: Any
    idle_expires_at: Any
    last_seen_at: Any
    idle_seconds: int
    user_id: str
    email: str | None
    is_proved: bool
    address_lost_at: Any
    name: str
    role: Role
    locale: str | None
    user_created_at: Any


def session_lookup(fields: tuple[str, ...]) -> Select[Any]:
    """Give the statement that tells these fields of the session with a ``token_hash``.

    It takes ``now`` as well, ``seen_before`` for ``is_due``, and ``application_id`` for the fields
    of an application, which are all null where there is none.
    """
    told = {**_COLUMNS, **_OF_APPLICATION}
    query = (
        select(*(told[name].label(name) for name in fields))
        .select_from(UserSession)
        .join(User, User.id == UserSession.user_id)
        .outerjoin(_Root, _Root.id == UserSession.parent_id)
        .where(UserSession.token_hash == bindparam("token_hash"))
    )
    if _OF_APPLICATION.keys().isdisjoint(fields):
        return query
    return query.outerjoin(Application, Application.id == bindparam("application_id"))
