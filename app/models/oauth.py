"""Outside accounts that people linked, and the authorization requests under way."""

from datetime import datetime
from typing import Literal

from sqlalchemy import CheckConstraint, ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.database import ByteOrderedText, JSONDocument
from app.identifiers import new_id
from app.models.base import Base

AuthorizationPurpose = Literal["sign_in", "link", "step_up"]


class Identity(Base, kw_only=True):
    """A person's account at an identity provider: (issuer, subject), compared as bytes."""

    __tablename__ = "oauth_providers"
    __table_args__ = (UniqueConstraint("issuer", "provider_id"),)

    id: Mapped[str] = mapped_column(ByteOrderedText, primary_key=True, default_factory=new_id)
    user_id: Mapped[str] = mapped_column(
        ByteOrderedText, ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    provider: Mapped[str]
    issuer: Mapped[str] = mapped_column(ByteOrderedText)
    provider_id: Mapped[str] = mapped_column(ByteOrderedText)
    """The subject."""
    access_token: Mapped[str | None] = mapped_column(default=None, repr=False)
    refresh_token: Mapped[str | None] = mapped_column(default=None, repr=False)
    token_expires_at: Mapped[datetime | None] = mapped_column(default=None)
    refresh_lease_until: Mapped[datetime | None] = mapped_column(default=None)
    profile: Mapped[dict[str, object]] = mapped_column(JSONDocument, default_factory=dict)
    created_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    last_used_at: Mapped[datetime | None] = mapped_column(default=None)


class AuthorizationRequest(Base, kw_only=True):
    """An authorization request under way, by the hash of its state (RFC 6749 section 4.1.1)."""

    __tablename__ = "oauth_sessions"
    __table_args__ = (CheckConstraint("purpose IN ('sign_in', 'link', 'step_up')", name="purpose"),)

    state_hash: Mapped[bytes] = mapped_column(primary_key=True, repr=False)
    purpose: Mapped[AuthorizationPurpose] = mapped_column(Text)
    provider: Mapped[str]
    issuer: Mapped[str] = mapped_column(ByteOrderedText)
    nonce: Mapped[str | None] = mapped_column(repr=False)
    """Sealed, as is the verifier."""
    code_verifier: Mapped[str] = mapped_column(repr=False)
    """It would let whoever reads it redeem the code (RFC 7636)."""
    redirect_uri: Mapped[str]
    return_to: Mapped[str | None] = mapped_column(default=None)
    browser_hash: Mapped[bytes]
    user_id: Mapped[str | None] = mapped_column(
        ByteOrderedText, ForeignKey("users.id", ondelete="CASCADE"), index=True, default=None
    )
    session_id: Mapped[str | None] = mapped_column(
        ByteOrderedText,
        ForeignKey("user_sessions.id", ondelete="CASCADE"),
        index=True,
        default=None,
    )
    created_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    expires_at: Mapped[datetime] = mapped_column(index=True)
