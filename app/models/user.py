"""People."""

from datetime import datetime
from typing import Literal

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.database import ByteOrderedText, JSONDocument, TextArray
from app.identifiers import new_id
from app.models.base import Base

Role = Literal["user", "admin"]


class User(Base, kw_only=True):
    """A person with an account. One without an address is possible."""

    __tablename__ = "users"
    __table_args__ = (CheckConstraint("role IN ('user', 'admin')", name="role"),)

    id: Mapped[str] = mapped_column(ByteOrderedText, primary_key=True, default_factory=new_id)
    email: Mapped[str | None]
    """As the person wrote it."""
    email_canonical: Mapped[str | None] = mapped_column(ByteOrderedText, unique=True)
    email_verified_at: Mapped[datetime | None] = mapped_column(default=None)
    address_lost_at: Mapped[datetime | None] = mapped_column(default=None)
    """When somebody else proved the address that this account had never proved."""
    name: Mapped[str]
    role: Mapped[Role] = mapped_column(ByteOrderedText, default="user")
    groups: Mapped[list[str]] = mapped_column(TextArray, default_factory=list)
    webauthn_id: Mapped[bytes] = mapped_column(unique=True, repr=False)
    """The user handle: 64 random bytes that say nothing about the person (WebAuthn §14.6.1)."""
    disabled_at: Mapped[datetime | None] = mapped_column(default=None)
    locale: Mapped[str | None] = mapped_column(default=None)
    profile: Mapped[dict[str, object]] = mapped_column(JSONDocument, default_factory=dict)
    created_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
