"""Tokens of identity providers: sealed in the database, opened for one call, renewed once.

They never reach a browser. What a provider is asked for is asked outside any unit of work.
"""

import random
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

import structlog
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from app.errors import GrantInvalid, NotFound, ProviderUnavailable
from app.identity_providers.values import ProviderTokens
from app.models import Identity
from app.services.refresh_leases import (
    Lease,
    StoredTokens,
    claim_lease,
    delete_tokens,
    end_grant,
    end_lease,
    find_tokens,
)
from app.services.sealing import Place, Sealer, Unsealable

FRESH = timedelta(seconds=60)
"""A token that is good for less is renewed before it is handed out."""
LONGEST_WAIT_SECONDS = 10
"""How long anybody waits for the one who renews."""
_PAUSE_SECONDS = (0.05, 0.15)

T = TypeVar("T")
_log = structlog.get_logger(__name__)


class InUnit(Protocol):
    """Runs a callback as one unit of work, and again where that may help."""

    def __call__(self, callback: Callable[[Session], T], *, writes: bool = True) -> T: ...


class Provider(Protocol):
    """What is needed here of an identity provider."""

    def refresh(self, *, refresh_token: str) -> ProviderTokens:
        """Raise ``GrantInvalid`` where the grant is over, else ``ProviderUnavailable``."""
        ...


def store_tokens(
    session: Session, *, identity: Identity, tokens: ProviderTokens | None, sealer: Sealer
) -> None:
    """Seal a token response into the identity's row, or clear what is there.

    A response without a refresh token keeps the one that is there: some providers give it at the
    first consent alone. A renewal under way loses its lease, so that it does not overwrite these.
    """
    if tokens is None:
        identity.access_token = identity.refresh_token = identity.token_expires_at = None
    else:
        for column, value in _columns(identity.id, tokens, sealer).items():
            setattr(identity, column, value)
    identity.refresh_lease_until = None
    # Written in any case: somebody may have taken the lease since the row was read.
    flag_modified(identity, "refresh_lease_until")
    session.flush()


def open_tokens(identity: Identity, sealer: Sealer) -> list[str]:
    """Give what is to be revoked at the provider; what cannot be opened is left out.

    The refresh token comes first: most providers end its access tokens with it (RFC 7009,
    section 2.1).
    """
    opened = []
    for column in ("refresh_token", "access_token"):
        sealed = getattr(identity, column)
        with suppress(Unsealable):
            if sealed is not None:
                opened.append(sealer.open(sealed, place=_place(identity.id, column)))
    return opened


class AccessTokens:
    """Access tokens of people's identities, for calls to the provider on their behalf."""

    def __init__(
        self, *, in_unit: InUnit, providers: Mapping[str, Provider], sealer: Sealer
    ) -> None:
        """Take what runs a unit of work, the providers by issuer, and the sealer."""
        self._in_unit = in_unit
        self._providers = providers
        self._sealer = sealer

    def get(self, *, identity_id: str, user_id: str) -> str:
        """Give an access token that is good now. Not to be called within a unit of work.

        Raises ``NotFound`` where the person has no such identity or its provider is switched off,
        ``GrantInvalid`` where the account must be linked again, and ``ProviderUnavailable``.
        """
        give_up_at = time.monotonic() + LONGEST_WAIT_SECONDS
        awaited = None
        while True:
            is_late = time.monotonic() > give_up_at
            stored = self._read(identity_id, user_id)
            try:
                token = self._usable(stored, awaited, is_late=is_late) or self._renew(stored)
            except Unsealable as error:
                _log.warning("provider_tokens_unsealable", identity=identity_id, reason=str(error))
                # The operator may yet put a missing key back, so nothing is deleted.
                raise GrantInvalid(reason="what is stored cannot be opened") from error
            if token is not None:
                return token
            awaited = stored.access_token
            time.sleep(random.uniform(*_PAUSE_SECONDS))  # noqa: S311 - jitter, not a secret

    def _read(self, identity_id: str, user_id: str) -> StoredTokens:
        stored = self._in_unit(
            lambda session: find_tokens(session, identity_id=identity_id, user_id=user_id),
            writes=False,
        )
        # Switched off is no outage: trying again will not help, and no token of such a provider
        # is handed out, however long it lasts.
        if stored is None or stored.issuer not in self._providers:
            raise NotFound
        if stored.access_token is None:
            raise GrantInvalid(reason="no token is stored")
        return stored

    def _usable(self, stored: StoredTokens, awaited: str | None, *, is_late: bool) -> str | None:
        """Give the token, unless it is to be renewed and that can still be hoped for."""
        token = self._open(stored, "access_token")
        is_new = awaited not in {None, stored.access_token}
        # Whoever was waited for had no luck; all the others would ask in vain, one by one.
        has_failed = awaited == stored.access_token and stored.refresh_lease_until is None
        is_final = is_new or has_failed or is_late or stored.refresh_token is None
        if stored.lasts(FRESH) or (is_final and stored.lasts()):
            return token
        if has_failed or is_late:
            raise ProviderUnavailable(reason="the access token has expired and was not renewed")
        return None

    def _renew(self, stored: StoredTokens) -> str | None:
        """Renew under the lease; None where somebody else has it, or replaced the tokens."""
        if stored.refresh_token is None:
            self._end(stored, "the access token has expired, and nothing renews it")
            return None
        refresh_token = self._open(stored, "refresh_token")
        lease = None if stored.is_leased else self._in_unit(lambda s: claim_lease(s, stored))
        if lease is None:
            return None
        try:
            tokens = self._providers[stored.issuer].refresh(refresh_token=refresh_token)
        except GrantInvalid:
            if self._in_unit(lambda session: end_grant(session, lease)):
                raise
            return None
        except ProviderUnavailable:
            self._in_unit(lambda session: end_lease(session, lease))
            if not stored.lasts():
                raise
            return self._open(stored, "access_token")
        return tokens.access_token if self._store(lease, tokens, refresh_token) else None

    def _store(self, lease: Lease, tokens: ProviderTokens, refresh_token: str) -> bool:
        # A response without a refresh token leaves the old one valid (RFC 6749 section 6).
        kept = replace(tokens, refresh_token=tokens.refresh_token or refresh_token)
        columns = _columns(lease.identity_id, kept, self._sealer)
        return self._in_unit(lambda session: end_lease(session, lease, columns))

    def _open(self, stored: StoredTokens, column: str) -> str:
        return self._sealer.open(getattr(stored, column), place=_place(stored.id, column))

    def _end(self, stored: StoredTokens, reason: str) -> None:
        """Delete the tokens and raise ``GrantInvalid``, unless they are others by now."""
        if self._in_unit(lambda session: delete_tokens(session, stored)):
            raise GrantInvalid(reason=reason)


def _columns(
    identity_id: str, tokens: ProviderTokens, sealer: Sealer
) -> dict[str, str | datetime | None]:
    columns: dict[str, str | datetime | None] = {"token_expires_at": tokens.expires_at}
    for column in ("access_token", "refresh_token"):
        if (token := getattr(tokens, column)) is not None:
            columns[column] = sealer.seal(token, place=_place(identity_id, column))
    return columns


def _place(identity_id: str, column: str) -> Place:
    return Place(table=Identity.__tablename__, column=column, row=identity_id)
