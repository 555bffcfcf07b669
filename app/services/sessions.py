"""Sessions: opened by an authentication, renewed by the next one, ended at once."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import case, delete, select, update
from sqlalchemy.orm import Session

from app import clock
from app.config import ServiceSettings
from app.errors import NotSignedIn
from app.models import Role, SessionPurpose, User, UserSession
from app.services.devices import Device
from app.services.people import Person, describe
from app.services.session_ends import end_session_by_token, move_ends_of_children
from app.services.session_lookup import SessionRow, session_lookup
from app.services.tokens import hash_secret, new_session_token

OUTSIDE = "oauth:"
"""What a method begins with where an identity provider vouched; its name follows."""
LAST_SEEN_EVERY = timedelta(minutes=1)
ENROLMENT_TTL = timedelta(minutes=15)
_MOST_SESSIONS = 20


@dataclass(frozen=True, kw_only=True)
class Authentication:
    """How somebody has just shown who they are."""

    method: str
    """``passkey``, ``oauth:<provider>`` or ``recovery_code``."""
    authenticator_id: str | None = None
    auth_time: datetime | None = None
    """When an identity provider says that it last authenticated the person."""


@dataclass(frozen=True, kw_only=True)
class OpenedSession:
    """A session and the token that opens it, which exists nowhere else."""

    session: UserSession
    token: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class RenewedSession:
    """A session after a step-up, and its new token where this step-up made one."""

    session: UserSession
    token: str | None = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class ActiveSession:
    """A session that is good at this moment, and the person whose it is."""

    id: str
    person: Person
    purpose: SessionPurpose
    authenticated_at: datetime
    authenticated_with: str
    authenticator_id: str | None
    auth_time: datetime | None
    created_at: datetime
    expires_at: datetime
    idle_expires_at: datetime
    last_seen_at: datetime
    idle_seconds: int


def open_session(
    session: Session,
    *,
    user: User,
    authentication: Authentication,
    device: Device,
    settings: ServiceSettings,
    purpose: SessionPurpose = "full",
    replaces: str | None = None,
) -> OpenedSession:
    """Sign a person in. Past twenty sessions, the oldest end.

    The session whose token the browser held before, ``replaces``, ends: nobody comes out of a
    sign-in with the token they went in with.
    """
    if replaces is not None:
        end_session_by_token(session, token=replaces)
    now = clock.now()
    idle, absolute = _lifetimes(settings, role=user.role, purpose=purpose)
    token = new_session_token()
    opened = UserSession(
        user_id=user.id,
        token_hash=hash_secret(token),
        purpose=purpose,
        authenticated_at=now,
        authenticated_with=authentication.method,
        authenticator_id=authentication.authenticator_id,
        auth_time=authentication.auth_time,
        created_at=now,
        last_seen_at=now,
        idle_seconds=int(idle.total_seconds()),
        idle_expires_at=now + min(idle, absolute),
        expires_at=now + absolute,
        device=device.label,
        address=device.network,
    )
    session.add(opened)
    session.flush()
    _end_the_oldest(session, user.id)
    return OpenedSession(session=opened, token=token)


def renew_session(
    session: Session,
    *,
    session_id: str,
    user: User,
    authentication: Authentication,
    settings: ServiceSettings,
    replaces: str | None,
) -> RenewedSession:
    """Swap the token after the person authenticated again; the old one is dead, the id stays.

    Both lifetimes begin anew (NIST SP 800-63B-4 section 5.2). Of two step-ups that came with the
    same token, ``replaces``, only the first swaps it: the browser may hear of them in either
    order, and would else be left with a token that is dead. Raises ``NotSignedIn`` where the
    session ended meanwhile.
    """
    now = clock.now()
    idle, absolute = _lifetimes(settings, role=user.role, purpose="full")
    token = new_session_token()
    is_the_first = UserSession.token_hash == hash_secret(replaces or "")
    renewed = session.scalar(
        update(UserSession)
        .where(
            UserSession.id == session_id,
            UserSession.user_id == user.id,
            UserSession.purpose == "full",
        )
        .values(
            token_hash=case((is_the_first, hash_secret(token)), else_=UserSession.token_hash),
            authenticated_at=now,
            authenticated_with=authentication.method,
            authenticator_id=authentication.authenticator_id,
            auth_time=authentication.auth_time,
            last_seen_at=now,
            idle_seconds=int(idle.total_seconds()),
            idle_expires_at=now + min(idle, absolute),
            expires_at=now + absolute,
        )
        .returning(UserSession)
    )
    if renewed is None:
        raise NotSignedIn
    move_ends_of_children(session, root=renewed)
    swapped = renewed.token_hash == hash_secret(token)
    return RenewedSession(session=renewed, token=token if swapped else None)


def find_session(session: Session, *, token: str) -> SessionRow | None:
    """Find the session with this token, and the person whose it is, whatever became of them."""
    found = session.execute(
        session_lookup(SessionRow._fields),
        {"token_hash": hash_secret(token), "now": clock.now()},
    ).one_or_none()
    return None if found is None else SessionRow._make(found)


def hold_session(session: Session, *, session_id: str) -> None:
    """Make sure that a session is still good, and keep it from ending until the unit ends.

    Who it is was asked in a unit before this one. By id, since the token may have been swapped
    meanwhile, which signs nobody out. Raises ``NotSignedIn``.
    """
    now = clock.now()
    query = (
        select(UserSession.id)
        .join(User, User.id == UserSession.user_id)
        .where(
            UserSession.id == session_id,
            UserSession.idle_expires_at > now,
            UserSession.expires_at > now,
            User.disabled_at.is_(None),
        )
        .with_for_update(of=UserSession)
    )
    if session.scalar(query) is None:
        raise NotSignedIn


def describe_session(row: UserSession, user: User) -> ActiveSession:
    """Tell of a session what may be told."""
    return ActiveSession(
        id=row.id,
        person=describe(user),
        purpose=row.purpose,
        authenticated_at=row.authenticated_at,
        authenticated_with=row.authenticated_with,
        authenticator_id=row.authenticator_id,
        auth_time=row.auth_time,
        created_at=row.created_at,
        expires_at=row.expires_at,
        idle_expires_at=row.idle_expires_at,
        last_seen_at=row.last_seen_at,
        idle_seconds=row.idle_seconds,
    )


def active_session(row: SessionRow) -> ActiveSession | None:
    """Tell of a session that was found, if it is good for the service itself at this moment."""
    if not (row.is_in_time and row.is_enabled) or row.application_id is not None:
        return None
    person = Person(
        id=row.user_id,
        email=row.email,
        email_verified=row.is_proved,
        address_lost_at=row.address_lost_at,
        name=row.name,
        role=row.role,
        locale=row.locale,
        created_at=row.user_created_at,
    )
    return ActiveSession(
        id=row.id,
        person=person,
        purpose=row.purpose,
        authenticated_at=row.authenticated_at,
        authenticated_with=row.authenticated_with,
        authenticator_id=row.authenticator_id,
        auth_time=row.auth_time,
        created_at=row.created_at,
        expires_at=row.expires_at,
        idle_expires_at=row.idle_expires_at,
        last_seen_at=row.last_seen_at,
        idle_seconds=row.idle_seconds,
    )


def is_due_for_touch(active: ActiveSession) -> bool:
    """Tell whether last-seen is old enough to be written again."""
    return clock.now() - active.last_seen_at >= LAST_SEEN_EVERY


def touch_sessions(session: Session, *, ids: Collection[str]) -> None:
    """Write that sessions are in use, each at most once a minute, and put their idle ends off."""
    now = clock.now()
    due = session.execute(
        select(UserSession.id, UserSession.idle_seconds)
        .where(
            UserSession.id.in_(ids),
            UserSession.last_seen_at <= now - LAST_SEEN_EVERY,
            UserSession.idle_expires_at > now,
        )
        # Another process that has a row is writing the same; two that each wait for a row of the
        # other's would have to be parted.
        .order_by(UserSession.id)
        .with_for_update(skip_locked=True)
    ).all()
    for idle_seconds in {row.idle_seconds for row in due}:
        idle_end = now + timedelta(seconds=idle_seconds)
        ends_before = UserSession.expires_at < idle_end
        session.execute(
            update(UserSession)
            .where(UserSession.id.in_([row.id for row in due if row.idle_seconds == idle_seconds]))
            .values(
                last_seen_at=now,
                idle_expires_at=case((ends_before, UserSession.expires_at), else_=idle_end),
            ),
            execution_options={"synchronize_session": False},
        )


def list_sessions(
    session: Session, *, user_id: str, after: str | None, limit: int
) -> Sequence[UserSession]:
    """List the person's own live sessions, oldest first, those past the id ``after``.

    Recovery sessions as well: whoever is getting in with a code should be seen.
    """
    now = clock.now()
    query = (
        select(UserSession)
        .where(
            UserSession.user_id == user_id,
            UserSession.parent_id.is_(None),
            UserSession.idle_expires_at > now,
            UserSession.expires_at > now,
        )
        .order_by(UserSession.id)
        .limit(limit)
    )
    return session.scalars(query if after is None else query.where(UserSession.id > after)).all()


def _lifetimes(
    settings: ServiceSettings, *, role: Role, purpose: SessionPurpose
) -> tuple[timedelta, timedelta]:
    if purpose == "enrol":
        return ENROLMENT_TTL, ENROLMENT_TTL
    if role == "admin":
        return settings.admin_session_idle, settings.admin_session_absolute
    return settings.session_idle, settings.session_absolute


def _end_the_oldest(session: Session, user_id: str) -> None:
    too_many = (
        select(UserSession.id)
        .where(UserSession.user_id == user_id, UserSession.parent_id.is_(None))
        .order_by(UserSession.id.desc())
        .offset(_MOST_SESSIONS)
    )
    session.execute(
        delete(UserSession).where(UserSession.id.in_(too_many)),
        execution_options={"synchronize_session": False},
    )
