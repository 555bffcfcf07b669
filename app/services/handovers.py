"""Hand-overs: a session on the identity host opens one on the host of an application.

Browsers keep our cookie to our own host, so an application elsewhere gets a session of its own: a
child of the root that the person signed in with. A one-time code takes it there.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import ScalarSelect, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import clock
from app.errors import HandoverUnusable, NotAllowed, NotFound, NotSignedIn
from app.models import Application, HandoverCode, User, UserSession
from app.services.access import may_use
from app.services.child_sessions import end_child, open_child
from app.services.devices import Device
from app.services.sweeping import sweep_expired
from app.services.tokens import hash_secret, new_secret

CODE_TTL = timedelta(seconds=60)


@dataclass(frozen=True, kw_only=True)
class Destination:
    """Where a person is on the way to."""

    application_id: str
    origin: str
    """The one of the application's origins at which the browser began, and will arrive."""
    browser_hash: bytes
    """Of the cookie that the application's host gave to the browser."""
    return_to: str


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """Who has arrived at an application, and the token of their session there."""

    token: str = field(repr=False)
    session_id: str
    user_id: str
    return_to: str


def make_code(session: Session, *, root_id: str, destination: Destination) -> str:
    """Make the one-time code that a browser takes to the application; sweeps a few old ones away.

    Raises ``NotSignedIn`` where the session has ended, ``NotFound`` where the application is not
    at that origin, ``NotAllowed`` where it does not let the person in.
    """
    found = _hold_root(session, root_id, application_id=destination.application_id)
    if found is None:
        raise NotSignedIn
    if destination.origin not in found.application.origins:
        raise NotFound
    if not found.is_let_in:
        raise NotAllowed
    code, now = new_secret(), clock.now()
    session.add(
        HandoverCode(
            code_hash=hash_secret(code),
            application_id=destination.application_id,
            session_id=root_id,
            browser_hash=destination.browser_hash,
            origin=destination.origin,
            return_to=destination.return_to,
            created_at=now,
            expires_at=now + CODE_TTL,
        )
    )
    try:
        session.flush()
    except IntegrityError as error:
        # The application was removed meanwhile: the only row it refers to that is not held.
        raise NotFound from error
    sweep_expired(session, key=HandoverCode.code_hash, expires_at=HandoverCode.expires_at)
    return code


def redeem_code(
    session: Session,
    *,
    code: str,
    application_id: str,
    origin: str,
    browser_hash: bytes | None,
    device: Device,
    replaces: str | None,
) -> Arrival:
    """Use a code up and open the application's session, all of it in this unit of work.

    The child of this application whose token the browser held before, ``replaces``, ends. Raises
    ``HandoverUnusable``, whatever the cause; a code that was refused is used up as well.
    """
    code_hash = hash_secret(code)
    root_id = select(HandoverCode.session_id).where(HandoverCode.code_hash == code_hash)
    # Whoever ends a session locks it before its codes, so this comes first here as well.
    found = _hold_root(session, root_id.scalar_subquery(), application_id=application_id)
    consumed = session.scalar(
        delete(HandoverCode)
        .where(
            HandoverCode.code_hash == code_hash,
            HandoverCode.application_id == application_id,
            HandoverCode.origin == origin,
            HandoverCode.browser_hash == browser_hash,
            HandoverCode.expires_at > clock.now(),
        )
        .returning(HandoverCode)
    )
    if consumed is None:
        # One that turns up where it was not sent to has leaked.
        session.execute(delete(HandoverCode).where(HandoverCode.code_hash == code_hash))
        raise HandoverUnusable(reason="unknown, used, expired, or another browser's or host's")
    if found is None:
        raise HandoverUnusable(reason="the session has ended")
    if not found.is_let_in or origin not in found.application.origins:
        raise HandoverUnusable(reason="not let in any more")
    if replaces is not None:
        end_child(session, token=replaces, application_id=application_id)
    opened = open_child(session, root=found.root, application_id=application_id, device=device)
    return Arrival(
        token=opened.token,
        session_id=opened.session_id,
        user_id=found.root.user_id,
        return_to=consumed.return_to,
    )


def is_let_in(session: Session, *, user_id: str, allowed_groups: Collection[str]) -> bool:
    """Tell whether a person is in one of the groups that an application lets in."""
    groups = session.scalar(select(User.groups).where(User.id == user_id))
    return may_use(groups or [], allowed_groups=allowed_groups)


@dataclass(frozen=True, kw_only=True)
class _Held:
    root: UserSession
    application: Application
    is_let_in: bool


def _hold_root(
    session: Session, root_id: str | ScalarSelect[str], *, application_id: str
) -> _Held | None:
    """Find a root that is good, and keep it from ending until the unit ends."""
    now = clock.now()
    query = (
        select(UserSession, User.groups, Application)
        .join(User, User.id == UserSession.user_id)
        .join(Application, Application.id == application_id)
        .where(
            UserSession.id == root_id,
            UserSession.parent_id.is_(None),
            UserSession.purpose == "full",
            UserSession.idle_expires_at > now,
            UserSession.expires_at > now,
            User.disabled_at.is_(None),
        )
        .with_for_update(of=UserSession)
    )
    row = session.execute(query).one_or_none()
    if row is None:
        return None
    root, groups, application = row
    let_in = may_use(groups, allowed_groups=application.allowed_groups)
    return _Held(root=root, application=application, is_let_in=let_in)
