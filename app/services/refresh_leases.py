"""Refresh leases: of all that find a provider's token expired, in any process, one renews it.

The lease is a moment in the identity's row, and that moment is its holder's proof: each lease is
later than the one before it, and whoever stores other tokens takes it away. Each function is one
statement, true where it had its effect.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from app import clock
from app.models import Identity

LEASE = timedelta(seconds=20)
"""Twice what a provider's answer may take; one who dies holds the others up for no longer."""
_NO_TOKENS: Mapping[str, None] = dict.fromkeys(
    ("access_token", "refresh_token", "token_expires_at", "refresh_lease_until")
)


@dataclass(frozen=True, kw_only=True)
class StoredTokens:
    """What an identity's row says of its tokens, which are sealed."""

    id: str
    issuer: str
    access_token: str | None
    refresh_token: str | None
    token_expires_at: datetime | None
    refresh_lease_until: datetime | None

    def lasts(self, duration: timedelta = timedelta(0)) -> bool:
        """Tell whether the access token is good for longer than that; yes where nobody knows."""
        return self.token_expires_at is None or self.token_expires_at - clock.now() > duration

    @property
    def is_leased(self) -> bool:
        """Whether somebody renews them, or did and died a moment ago."""
        now, until = clock.now(), self.refresh_lease_until
        return until is not None and now < until <= now + 2 * LEASE


@dataclass(frozen=True, kw_only=True)
class Lease:
    """The right to renew an identity's tokens."""

    identity_id: str
    until: datetime


def find_tokens(session: Session, *, identity_id: str, user_id: str) -> StoredTokens | None:
    """Read what is stored for an identity of this person."""
    columns = (getattr(Identity, name) for name in StoredTokens.__dataclass_fields__)
    owned = (Identity.id == identity_id, Identity.user_id == user_id)
    row = session.execute(select(*columns).where(*owned)).one_or_none()
    return None if row is None else StoredTokens(**row._mapping)  # noqa: SLF001 - its public name


def claim_lease(session: Session, stored: StoredTokens) -> Lease | None:
    """Take the lease, unless somebody has it or the tokens are others by now."""
    now = clock.now()
    lease = Lease(identity_id=stored.id, until=now + LEASE)
    held = Identity.refresh_lease_until
    claimed = _update(
        session,
        {"refresh_lease_until": lease.until},
        Identity.id == stored.id,
        Identity.access_token == stored.access_token,
        # No lease ends so late, unless the clock was set back since.
        or_(held.is_(None), held <= now, held > now + 2 * LEASE),
    )
    return lease if claimed else None


def end_lease(
    session: Session, lease: Lease, tokens: Mapping[str, str | datetime | None] | None = None
) -> bool:
    """Give the lease back and store what it was for, if anything; not once it is somebody else's.

    ``tokens`` are columns of the row, sealed.
    """
    values = {**(tokens or {}), "refresh_lease_until": None}
    return _update(session, values, *_held(lease))


def end_grant(session: Session, lease: Lease) -> bool:
    """Delete the tokens, which the provider takes no longer; not once the lease is another's."""
    return _update(session, _NO_TOKENS, *_held(lease))


def delete_tokens(session: Session, stored: StoredTokens) -> bool:
    """Delete the tokens, unless they are others by now."""
    return _update(
        session,
        _NO_TOKENS,
        Identity.id == stored.id,
        Identity.access_token.is_not_distinct_from(stored.access_token),
        Identity.refresh_token.is_not_distinct_from(stored.refresh_token),
    )


def _held(lease: Lease) -> tuple[ColumnElement[bool], ...]:
    return Identity.id == lease.identity_id, Identity.refresh_lease_until == lease.until


def _update(
    session: Session,
    values: Mapping[str, str | datetime | None],
    *conditions: ColumnElement[bool],
) -> bool:
    statement = update(Identity).where(*conditions).values(values).returning(Identity.id)
    options = {"synchronize_session": False}
    return session.scalar(statement, execution_options=options) is not None
