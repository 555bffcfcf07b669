"""Linked identities: which account an outside account opens, and what it may do to it.

A person is found by issuer and subject, compared as bytes, and by nothing else; an address finds
nobody and merges nothing.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from app import clock
from app.config import ProviderSettings
from app.errors import IdentityAlreadyLinked, NotFound, TooManyIdentities
from app.identity_providers import ExternalIdentity, RedeemedCode
from app.models import Identity, User
from app.services import ways_in
from app.services.address_proofs import prove_own_address
from app.services.conflicts import conflicts
from app.services.external_claims import profile_of, proved_address
from app.services.provider_tokens import open_tokens, store_tokens
from app.services.sealing import Sealer
from app.services.session_ends import end_sessions_opened_by

MOST_IDENTITIES = 20
"""How many a person may link."""


@dataclass(frozen=True, kw_only=True)
class LinkedIdentity:
    """An identity as its owner sees it; ``name`` and ``email`` are what the provider told."""

    id: str
    provider: str
    label: str
    icon: str
    name: str | None
    email: str | None
    created_at: datetime
    last_used_at: datetime | None
    is_enabled: bool
    """Whether it opens the account: its provider is switched on."""


@dataclass(frozen=True, kw_only=True)
class Unlinked:
    """An identity that is gone, and the tokens that its provider should revoke."""

    issuer: str
    tokens: Sequence[str] = field(repr=False)


def find_identity(session: Session, external: ExternalIdentity) -> tuple[Identity, User] | None:
    """Find whose account it opens; the person is locked until the unit ends.

    Else a session might be opened with the lifetimes of a role that was just taken away or given.
    """
    owner = session.scalar(
        select(User)
        .join(Identity, Identity.user_id == User.id)
        .where(*_is(external))
        .with_for_update(key_share=True, of=User)
        .execution_options(populate_existing=True)
    )
    if owner is None:
        return None
    # Asked again behind the lock: it may have been unlinked while this waited.
    identity = session.scalar(select(Identity).where(*_is(external), Identity.user_id == owner.id))
    return None if identity is None else (identity, owner)


def list_identities(
    session: Session,
    *,
    user_id: str,
    providers: Collection[ProviderSettings],
    after: str | None = None,
    limit: int = MOST_IDENTITIES,
) -> Sequence[LinkedIdentity]:
    """List the person's linked identities in the order of linking, past the id ``after``."""
    query = select(Identity).where(Identity.user_id == user_id).order_by(Identity.id).limit(limit)
    rows = session.scalars(query if after is None else query.where(Identity.id > after))
    by_issuer = {provider.issuer: provider for provider in providers}
    return [_describe(row, by_issuer.get(row.issuer)) for row in rows]


def require_identity_at(session: Session, *, user_id: str, issuer: str) -> None:
    """Raise ``NotFound`` where the person has linked no account of this issuer's."""
    query = select(Identity.id).where(Identity.user_id == user_id, Identity.issuer == issuer)
    if session.scalar(query.limit(1)) is None:
        raise NotFound


def add_identity(session: Session, *, user: User, external: ExternalIdentity) -> Identity:
    """Link an outside account. Raises ``IdentityAlreadyLinked``, whoever's it is."""
    identity = Identity(
        user_id=user.id,
        provider=external.provider,
        issuer=external.issuer,
        provider_id=external.subject,
    )
    taken = {"uq_oauth_providers_issuer_provider_id": IdentityAlreadyLinked}
    with conflicts(session, taken):
        session.add(identity)
    return identity


def link(
    session: Session,
    *,
    redeemed: RedeemedCode,
    user_id: str,
    sealer: Sealer,
    keeps_tokens: bool,
) -> Identity:
    """Link an outside account to the person, or note its use where it is linked to them already.

    Raises ``IdentityAlreadyLinked`` where it opens somebody else's account, and
    ``TooManyIdentities``.
    """
    external = redeemed.identity
    user = ways_in.lock_person(session, user_id)
    identity = session.scalar(select(Identity).where(*_is(external)))
    if identity is None:
        _require_room(session, user_id)
        identity = add_identity(session, user=user, external=external)
    elif identity.user_id != user_id:
        raise IdentityAlreadyLinked(reason="it opens another person's account")
    record_use(session, identity, user, redeemed=redeemed, sealer=sealer, keeps_tokens=keeps_tokens)
    return identity


def record_use(
    session: Session,
    identity: Identity,
    user: User,
    *,
    redeemed: RedeemedCode,
    sealer: Sealer,
    keeps_tokens: bool,
) -> None:
    """Note what the provider told this time: profile, tokens, and a proof of the own address."""
    # The operator may have given the provider another name since.
    identity.provider = redeemed.identity.provider
    identity.last_used_at = clock.now()
    identity.profile = profile_of(redeemed.identity)
    tokens = redeemed.tokens if keeps_tokens else None
    store_tokens(session, identity=identity, tokens=tokens, sealer=sealer)
    address = proved_address(redeemed.identity)
    if address is not None:
        prove_own_address(user, address)


def unlink(
    session: Session,
    *,
    user_id: str,
    row_id: str,
    keep: str,
    issuers: Collection[str],
    sealer: Sealer,
) -> Unlinked:
    """Unlink an identity of this person and end the sessions that it opened, but the one to keep.

    Raises ``NotFound``, and ``LastWayIn`` where nothing else opens the account.
    """
    ways_in.require_another(session, user_id=user_id, without=row_id, issuers=issuers)
    removed = session.scalar(
        delete(Identity)
        .where(Identity.id == row_id, Identity.user_id == user_id)
        .returning(Identity)
    )
    if removed is None:
        raise NotFound
    end_sessions_opened_by(session, authenticator_id=row_id, keep=keep)
    return Unlinked(issuer=removed.issuer, tokens=open_tokens(removed, sealer))


def _describe(identity: Identity, provider: ProviderSettings | None) -> LinkedIdentity:
    told = {key: value for key, value in identity.profile.items() if isinstance(value, str)}
    return LinkedIdentity(
        id=identity.id,
        provider=provider.name if provider else identity.provider,
        label=provider.label if provider else identity.provider.capitalize(),
        icon=provider.icon if provider else "key",
        name=told.get("name") or told.get("username"),
        email=told.get("email"),
        created_at=identity.created_at,
        last_used_at=identity.last_used_at,
        is_enabled=provider is not None,
    )


def _is(external: ExternalIdentity) -> tuple[ColumnElement[bool], ...]:
    return Identity.issuer == external.issuer, Identity.provider_id == external.subject


def _require_room(session: Session, user_id: str) -> None:
    query = select(func.count()).select_from(Identity).where(Identity.user_id == user_id)
    if session.scalars(query).one() >= MOST_IDENTITIES:
        raise TooManyIdentities
