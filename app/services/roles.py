"""Roles: who administers the service."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.models import Role, User
from app.services.invitations import void_first_administrator_link
from app.services.session_ends import end_all_sessions
from app.services.ways_in import require_another_administrator


def has_administrator(session: Session) -> bool:
    """Tell whether any enabled administrator exists."""
    query = select(User.id).where(User.role == "admin", User.disabled_at.is_(None)).limit(1)
    return session.scalar(query) is not None


def change_role(session: Session, *, user: User, role: Role) -> int:
    """Give a person a role and end their sessions, whose lifetimes were the old role's.

    Returns how many sessions ended. Raises ``LastAdministrator``.
    """
    if user.role == role:
        return 0
    if role == "admin":
        void_first_administrator_link(session)
    else:
        require_another_administrator(session, user_id=user.id)
    user.role = role
    user.updated_at = clock.now()
    return end_all_sessions(session, user_id=user.id)
