"""Sessions: browsers in which a person is signed in."""

from datetime import datetime
from typing import Literal

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.database import ByteOrderedText
from app.identifiers import new_id
from app.models.base import Base

SessionPurpose = Literal["full", "enrol"]


class UserSession(Base, kw_only=True):
    """A session, found by the hash of its token; its id stays when the token is swapped."""

    __tablename__ = "user_sessions"
    __table_args__ = (CheckConstraint("purpose IN ('full', 'enrol')", name="purpose"),)

    id: Mapped[str] = mapped_column(ByteOrderedText, primary_key=True, default_factory=new_id)
    user_id: Mapped[str] = mapped_column(
        ByteOrderedText, ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    token_hash: Mapped[bytes] = mapped_column(unique=True, repr=False)
    purpose: Mapped[SessionPurpose] = mapped_column(ByteOrderedText, default="full")
    parent_id: Mapped[str | None] = mapped_column(
        ByteOrderedText,
        ForeignKey("user_sessions.id", ondelete="CASCADE"),
        index=True,
        default=None,
    )
    """The session that this one was handed over from, to an application on another host."""
    application_id: Mapped[str | None] = mapped_column(ByteOrderedText, index=True, default=None)
    """No foreign key, for which SQLite would have to make the table anew: every check looks the
    application up, and one that is gone lets nobody in."""
    authenticated_at: Mapped[datetime]
    authenticated_with: Mapped[str]
    """``passkey``, ``oauth:<provider>`` or ``recovery_code``."""
    authenticator_id: Mapped[str | None] = mapped_column(ByteOrderedText, index=True, default=None)
    """The credential or identity that did it; history, so it may be gone by now."""
    auth_time: Mapped[datetime | None] = mapped_column(default=None)
    """When a provider says that it last authenticated the person (OpenID Core section 2)."""
    bound_key: Mapped[bytes | None] = mapped_column(default=None, repr=False)
    created_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    last_seen_at: Mapped[datetime]
    idle_seconds: Mapped[int]
    idle_expires_at: Mapped[datetime] = mapped_column(index=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    device: Mapped[str]
    """A readable label, as ``Firefox on Linux``."""
    address: Mapped[str | None] = mapped_column(default=None)
    """The network the person signed in from: IPv4 /24, IPv6 /48."""
