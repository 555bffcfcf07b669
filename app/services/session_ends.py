"""Ends of sessions: one, the others, or all of a person's; each binds at the very next request."""

from collections.abc import Collection
from datetime import UTC, datetime

from sqlalchemy import delete, or_, update
from sqlalchemy.orm import Session

from app import clock
from app.errors import NotFound
from app.models import UserSession
from app.services.tokens import hash_secret

_LONG_OVER = datetime(1970, 1, 1, tzinfo=UTC)


def end_session(session: Session, *, user_id: str, session_id: str) -> None:
    """End one session of this person. Raises ``NotFound``, also where it is somebody else's."""
    ended = session.scalar(
        delete(UserSession)
        .where(UserSession.id == session_id, UserSession.user_id == user_id)
        .returning(UserSession.id)
    )
    if ended is None:
        raise NotFound


def end_session_by_token(session: Session, *, token: str) -> UserSession | None:
    """Sign out whoever holds the token; nobody is as well. Returns the session that ended.

    An application's session is ended at the application (``app.services.child_sessions``).
    """
    ended: UserSession | None = session.scalar(
        delete(UserSession)
        .where(
            UserSession.token_hash == hash_secret(token),
            UserSession.parent_id.is_(None),
        )
        .returning(UserSession)
    )
    return ended


def end_expired_sessions(session: Session, *, ids: Collection[str]) -> None:
    """Let those whose time is over have been over for ever, so that no clock revives them.

    The rows stay for the clean-up: the session gate's role may not delete.
    """
    now = clock.now()
    session.execute(
        update(UserSession)
        .where(
            UserSession.id.in_(ids),
            or_(UserSession.idle_expires_at <= now, UserSession.expires_at <= now),
        )
        .values(idle_expires_at=_LONG_OVER),
        execution_options={"synchronize_session": False},
    )


def end_other_sessions(session: Session, *, user_id: str, keep: str) -> int:
    """End all sessions of this person but one. Returns how many."""
    ended = session.scalars(
        delete(UserSession)
        .where(
            UserSession.user_id == user_id,
            UserSession.id != keep,
            UserSession.parent_id.is_(None),
        )
        .returning(UserSession.id)
    )
    return len(ended.all())


def end_all_sessions(session: Session, *, user_id: str) -> int:
    """End every session of this person. Returns how many."""
    ended = session.scalars(
        delete(UserSession).where(UserSession.user_id == user_id).returning(UserSession.id)
    )
    return len(ended.all())


def end_recovery_sessions(session: Session, *, user_id: str) -> None:
    """End the sessions that recovery codes opened and that have enrolled nothing yet."""
    session.execute(
        delete(UserSession).where(UserSession.user_id == user_id, UserSession.purpose == "enrol")
    )


def end_sessions_opened_by(
    session: Session, *, authenticator_id: str, keep: str | None = None
) -> None:
    """End every session that this credential or identity opened or renewed, but one to keep."""
    session.execute(
        delete(UserSession).where(
            UserSession.authenticator_id == authenticator_id,
            UserSession.id.is_distinct_from(keep),
            # What was handed over goes with its root, whatever that was renewed with since.
            UserSession.parent_id.is_(None),
        )
    )


def move_ends_of_children(session: Session, *, root: UserSession) -> None:
    """Let what was handed over last as long as its root does after a step-up."""
    session.execute(
        update(UserSession)
        .where(UserSession.parent_id == root.id)
        .values(expires_at=root.expires_at, idle_expires_at=root.expires_at),
        execution_options={"synchronize_session": False},
    )
