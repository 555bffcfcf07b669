"""Sessions of applications on hosts of their own: children of the session at the identity host.

A child is good for its application and for nothing else, and for as long as its root: every check
looks at both (``app.services.session_lookup``).
"""

from dataclasses import dataclass, field

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app import clock
from app.models import UserSession
from app.services.devices import Device
from app.services.session_lookup import SessionRow
from app.services.sessions import find_session
from app.services.tokens import hash_secret, new_session_token

_MOST_CHILDREN = 8
"""Of one root at one application: its browser needs one, and may have lost some."""


@dataclass(frozen=True, kw_only=True)
class OpenedChild:
    session_id: str
    token: str = field(repr=False)


def open_child(
    session: Session, *, root: UserSession, application_id: str, device: Device
) -> OpenedChild:
    """Open a session at an application; past eight of this root's there, the oldest end.

    The root is held by the caller.
    """
    now, token = clock.now(), new_session_token()
    child = UserSession(
        user_id=root.user_id,
        token_hash=hash_secret(token),
        parent_id=root.id,
        application_id=application_id,
        authenticated_at=root.authenticated_at,
        authenticated_with=root.authenticated_with,
        authenticator_id=root.authenticator_id,
        auth_time=root.auth_time,
        created_at=now,
        last_seen_at=now,
        idle_seconds=root.idle_seconds,
        # Rest is counted at the root, which every use of a child puts off.
        idle_expires_at=root.expires_at,
        expires_at=root.expires_at,
        device=device.label,
        address=device.network,
    )
    session.add(child)
    session.flush()
    too_many = (
        select(UserSession.id)
        .where(UserSession.parent_id == root.id, UserSession.application_id == application_id)
        .order_by(UserSession.id.desc())
        .offset(_MOST_CHILDREN)
    )
    session.execute(
        delete(UserSession).where(UserSession.id.in_(too_many)),
        execution_options={"synchronize_session": False},
    )
    return OpenedChild(session_id=child.id, token=token)


def find_child(session: Session, *, token: str, application_id: str) -> SessionRow | None:
    """Find the session with this token, if it is good for this application at this moment."""
    found = find_session(session, token=token)
    if found is None or found.application_id != application_id:
        return None
    return found if found.is_in_time and found.is_enabled else None


def end_child(session: Session, *, token: str, application_id: str) -> UserSession | None:
    """Sign out of one application whoever holds the token; nobody is as well.

    Returns the session that ended.
    """
    ended: UserSession | None = session.scalar(
        delete(UserSession)
        .where(
            UserSession.token_hash == hash_secret(token),
            UserSession.application_id == application_id,
        )
        .returning(UserSession)
    )
    return ended


def end_root(session: Session, *, token: str, application_id: str) -> UserSession | None:
    """Sign out of everything: end the session that this application's was handed over from.

    Returns it.
    """
    root_id = select(UserSession.parent_id).where(
        UserSession.token_hash == hash_secret(token), UserSession.application_id == application_id
    )
    ended: UserSession | None = session.scalar(
        delete(UserSession)
        .where(UserSession.id == root_id.scalar_subquery())
        .returning(UserSession)
    )
    return ended
