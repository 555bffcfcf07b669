"""The one place that knows whether somebody would be left outside.

Whatever takes a way in away asks here first, in the same unit of work. The rows that decide are
locked before they are counted, so that two removals at once cannot each count on the other's.
"""

from collections.abc import Collection

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session

from app.errors import LastAdministrator, LastWayIn, NotSignedIn
from app.models import Credential, Identity, User


def lock_person(session: Session, user_id: str) -> User:
    """Lock the person's row until the unit of work ends.

    Raises ``NotSignedIn`` where the person is gone or disabled by now. (On SQLite a writing unit
    of work is alone already.) The lock leaves the key alone, as every change of a person does:
    else it would wait for sign-ins, whose new sessions refer to the row, and they for it.
    """
    query = select(User).where(User.id == user_id, User.disabled_at.is_(None))
    query = query.with_for_update(key_share=True)
    user = session.scalar(query.execution_options(populate_existing=True))
    if user is None:
        raise NotSignedIn
    return user


def count_ways_in(
    session: Session, user_id: str, *, issuers: Collection[str], without: str | None = None
) -> int:
    """Count passkeys that open the account, and linked identities, leaving one row id out.

    An identity opens nothing unless its issuer is among ``issuers``, those of the providers that
    the operator has switched on.
    """
    credentials = select(func.count()).select_from(Credential).where(*_is_passkey_of(user_id))
    identities = (
        select(func.count())
        .select_from(Identity)
        .where(Identity.user_id == user_id, Identity.issuer.in_(issuers))
    )
    if without is not None:
        credentials = credentials.where(Credential.id != without)
        identities = identities.where(Identity.id != without)
    counts = session.execute(
        select(credentials.scalar_subquery(), identities.scalar_subquery())
    ).one()
    return sum(counts)


def has_passkey(session: Session, user_id: str) -> bool:
    """Tell whether a passkey opens the account."""
    return (
        session.scalar(select(Credential.id).where(*_is_passkey_of(user_id)).limit(1)) is not None
    )


def is_vouched_for(
    session: Session, user_id: str, *, identity_id: str | None, issuers: Collection[str]
) -> bool:
    """Tell whether this identity is still linked and open, and there is no passkey to ask for."""
    identity = exists().where(
        Identity.id == identity_id, Identity.user_id == user_id, Identity.issuer.in_(issuers)
    )
    passkey = exists().where(*_is_passkey_of(user_id))
    return bool(session.scalar(select(identity & ~passkey)))


def _is_passkey_of(user_id: str) -> tuple[ColumnElement[bool], ...]:
    return Credential.user_id == user_id, Credential.quarantined_at.is_(None)


def require_another(
    session: Session, *, user_id: str, without: str, issuers: Collection[str]
) -> None:
    """Raise ``LastWayIn`` where nothing else opens the account; the person's row is locked."""
    lock_person(session, user_id)
    if count_ways_in(session, user_id, issuers=issuers, without=without) == 0:
        raise LastWayIn


def count_left_outside(session: Session, *, issuers: Collection[str]) -> int:
    """Count the people whose only ways in are at providers that are switched off."""
    others = {one for one in _known_issuers(session) if one not in issuers}
    if not others:
        return 0
    # NOT EXISTS, which PostgreSQL hashes however many there are, as it does not NOT IN.
    identity = exists().where(Identity.user_id == User.id)
    passkey = exists().where(Credential.user_id == User.id, Credential.quarantined_at.is_(None))
    query = (
        select(func.count())
        .select_from(User)
        .where(
            identity.where(Identity.issuer.in_(others)),
            ~identity.where(Identity.issuer.in_(issuers)),
            ~passkey,
            User.disabled_at.is_(None),
        )
    )
    return session.scalars(query).one()


def _known_issuers(session: Session) -> set[str]:
    # From one to the next along the index: a start must not read a million rows for a handful.
    known: set[str] = set()
    last = ""
    while found := session.scalar(select(func.min(Identity.issuer)).where(Identity.issuer > last)):
        known.add(last := found)
    return known


def require_another_administrator(session: Session, *, user_id: str) -> None:
    """Raise ``LastAdministrator`` where no other enabled one exists.

    All enabled administrators are locked, in the order of their ids so that no two of them wait
    for each other.
    """
    query = (
        select(User.id)
        .where(User.role == "admin", User.disabled_at.is_(None))
        .order_by(User.id)
        .with_for_update(key_share=True)
    )
    if set(session.scalars(query)) <= {user_id}:
        raise LastAdministrator
