"""What the routes of sign-in take and answer."""

from datetime import datetime
from typing import Literal, Self

from pydantic import Field

from app.blueprints.schemas import (
    Answer,
    Body,
    Name,
    Secret,
    SessionAnswer,
    SignalCall,
    SignedInAnswer,
)
from app.models import UserSession


class BeginRegistration(Body):
    """Who wants an account."""

    email: str = Field(min_length=3, max_length=254, json_schema_extra={"format": "email"})
    name: Name
    invitation: Secret | None = None


class VerifyQuery(Body):
    """What a check asks for besides a session; the proxy's configuration fixes it."""

    app: str | None = Field(default=None, min_length=1)
    role: str | None = Field(default=None, min_length=1)
    group: str | None = Field(default=None, min_length=1)
    redirect: Literal["0", "1"] = "0"


class CredentialAnswer(Answer):
    """A passkey, without its credential id, which is nobody else's business."""

    id: str
    name: str
    created_at: datetime
    last_used_at: datetime | None
    backed_up: bool
    transports: list[str]
    quarantined_at: datetime | None
    clone_suspected_at: datetime | None


class CredentialList(Answer):
    """A page of passkeys."""

    items: list[CredentialAnswer]
    next: str | None


class RenameCredential(Body):
    """The new name of a passkey."""

    name: Name


class ChangedCredential(Answer):
    """A passkey after a change, and what password managers should be told of it."""

    credential: CredentialAnswer
    signals: list[SignalCall]


class EnrolledCredential(SignedInAnswer):
    """A new passkey, and the session in which it was made or which it opened."""

    credential: CredentialAnswer


class Signals(Answer):
    """What password managers should be told."""

    signals: list[SignalCall]


class ListedSession(SessionAnswer):
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


class SessionList(Answer):
    """A page of sessions."""

    items: list[ListedSession]
    next: str | None


class EndedSessions(Answer):
    """How many sessions ended."""

    ended: int


class RedeemCode(Body):
    """A recovery code, typed in any case, with or without its dashes."""

    code: Secret


class RecoveryCodes(Answer):
    """New recovery codes; this is the only time they are told."""

    codes: list[str]


class RecoveryCodesLeft(Answer):
    """How many recovery codes are unused, and when they were made."""

    remaining: int
    created_at: datetime | None
