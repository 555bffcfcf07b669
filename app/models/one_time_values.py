"""One-time values that lead into an account: invitations and recovery codes."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.database import ByteOrderedText, TextArray
from app.models.base import Base
from app.models.user import Role


class Invitation(Base, kw_only=True):
    """Leave to create one account, for one address where it names one."""

    __tablename__ = "invitations"
    __table_args__ = (CheckConstraint("role IN ('user', 'admin')", name="role"),)

    token_hash: Mapped[bytes] = mapped_column(primary_key=True, repr=False)
    email_canonical: Mapped[str | None] = mapped_column(ByteOrderedText, index=True)
    role: Mapped[Role] = mapped_column(ByteOrderedText)
    groups: Mapped[list[str]] = mapped_column(TextArray, default_factory=list)
    created_by: Mapped[str | None] = mapped_column(
        ByteOrderedText, ForeignKey("users.id", ondelete="SET NULL"), index=True, default=None
    )
    created_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class RecoveryCode(Base, kw_only=True):
    """A single-use code that opens a session which can enrol a passkey and nothing else."""

    __tablename__ = "recovery_codes"

    code_hash: Mapped[bytes] = mapped_column(primary_key=True, repr=False)
    user_id: Mapped[str] = mapped_column(
        ByteOrderedText, ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    used_at: Mapped[datetime | None] = mapped_column(default=None)
    created_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    expires_at: Mapped[datetime | None] = mapped_column(index=True, default=None)
    """Set for the links that an operator hands out; a person's own codes do not expire."""
