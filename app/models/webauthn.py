"""Passkeys, the challenges of their ceremonies, and what remains of removed ones."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.database import ByteOrderedText, JSONDocument, TextArray
from app.identifiers import new_id
from app.models.base import Base


class Credential(Base, kw_only=True):
    """A public-key credential of one person: a passkey."""

    __tablename__ = "webauthn_credentials"

    id: Mapped[str] = mapped_column(ByteOrderedText, primary_key=True, default_factory=new_id)
    user_id: Mapped[str] = mapped_column(
        ByteOrderedText, ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    credential_id: Mapped[bytes] = mapped_column(unique=True, repr=False)
    """Unique for all people: a second account can never register it (WebAuthn §7.1 step 26)."""
    rp_id: Mapped[str] = mapped_column(ByteOrderedText, index=True)
    public_key: Mapped[bytes] = mapped_column(repr=False)
    """A COSE_Key (RFC 9052 section 7)."""
    sign_count: Mapped[int] = mapped_column(BigInteger)
    transports: Mapped[list[str]] = mapped_column(TextArray)
    aaguid: Mapped[str | None] = mapped_column(default=None)
    backup_eligible: Mapped[bool]
    backed_up: Mapped[bool]
    name: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    last_used_at: Mapped[datetime | None] = mapped_column(default=None)
    clone_suspected_at: Mapped[datetime | None] = mapped_column(default=None)
    """When its sign count last failed to advance."""
    quarantined_at: Mapped[datetime | None] = mapped_column(default=None)
    """Since when it opens nothing any more."""


class Purpose(StrEnum):
    """The ceremony for which a challenge was made; it is good for no other."""

    REGISTRATION = "registration"
    AUTHENTICATION = "authentication"
    REAUTHENTICATION = "reauthentication"
    ENROLMENT = "enrolment"


class Challenge(Base, kw_only=True):
    """The single-use nonce of a ceremony, by its hash."""

    __tablename__ = "webauthn_challenges"
    __table_args__ = (
        CheckConstraint(
            "purpose IN ('registration', 'authentication', 'reauthentication', 'enrolment')",
            name="purpose",
        ),
    )

    hash: Mapped[bytes] = mapped_column(primary_key=True)
    purpose: Mapped[str]
    user_id: Mapped[str | None] = mapped_column(
        ByteOrderedText, ForeignKey("users.id", ondelete="CASCADE"), index=True, default=None
    )
    session_id: Mapped[str | None] = mapped_column(
        ByteOrderedText,
        ForeignKey("user_sessions.id", ondelete="CASCADE"),
        index=True,
        default=None,
    )
    browser_hash: Mapped[bytes]
    payload: Mapped[dict[str, str | None]] = mapped_column(JSONDocument, default_factory=dict)
    created_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class RemovedCredential(Base, kw_only=True):
    """The hash of a credential id that its owner removed, and when."""

    __tablename__ = "removed_credentials"

    hash: Mapped[bytes] = mapped_column(primary_key=True)
    removed_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
