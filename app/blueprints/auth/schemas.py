"""What the routes of sign-in take and answer."""

from datetime import datetime
from typing import Self

from pydantic import Field

from app.blueprints.schemas import (
    Name,
    Secret,
    SessionTold,
    SignalCall,
    SignedInTold,
    Taken,
    Told,
)
from app.models import Credential, UserSession


class BeginRegistration(Taken):
    """Who wants an account."""

    email: str = Field(min_length=3, max_length=254)
    name: Name
    invitation: Secret | None = None


class CredentialTold(Told):
    """A passkey, without its credential id, which is nobody else's business."""

    id: str
    name: str
    created_at: datetime
    last_used_at: datetime | None
    backed_up: bool
    transports: list[str]
    quarantined_at: datetime | None
    clone_suspected_at: datetime | None


class CredentialList(Told):
    """A page of passkeys."""

    items: list[CredentialTold]
    next: str | None


class RenameCredential(Taken):
    """The new name of a passkey."""

    name: Name


class ChangedCredential(Told):
    """A passkey after a change, and what password managers should be told of it."""

    credential: CredentialTold
    signals: list[SignalCall]


class EnrolledCredential(SignedInTold):
    """A new passkey, and the session in which it was made or which it opened."""

    credential: CredentialTold


class Signals(Told):
    """What password managers should be told."""

    signals: list[SignalCall]


class ListedSession(SessionTold):
    """A session as its owner sees it among the others."""

    last_seen_at: datetime
    device: str
    address: str | None
    current: bool

    @classmethod
    def of(cls, row: UserSession, *, current_id: str) -> Self:
        """Tell of a session, and whether it is the one that asks."""
        return cls(
            id=row.id,
            created_at=row.created_at,
            authenticated_at=row.authenticated_at,
            authenticated_with=row.authenticated_with,
            expires_at=row.expires_at,
            idle_expires_at=row.idle_expires_at,
            last_seen_at=row.last_seen_at,
            device=row.device,
            address=row.address,
            current=row.id == current_id,
        )


class SessionList(Told):
    """A page of sessions."""

    items: list[ListedSession]
    next: str | None


class EndedSessions(Told):
    """How many sessions ended."""

    ended: int


class RedeemCode(Taken):
    """A recovery code, typed in any case, with or without its dashes."""

    code: Secret


class RecoveryCodes(Told):
    """New recovery codes; this is the only time they are told."""

    codes: list[str]


class RecoveryCodesLeft(Told):
    """How many recovery codes are unused, and when they were made."""

    remaining: int
    created_at: datetime | None


def tell_credential(credential: Credential) -> CredentialTold:
    """Tell of a passkey."""
    return CredentialTold.model_validate(credential)
