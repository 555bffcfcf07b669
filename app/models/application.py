"""Applications that trust us, and the codes by which a session is handed over to their hosts."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.database import ByteOrderedText, JSONDocument, TextArray
from app.models.base import Base


class Application(Base, kw_only=True):
    """An application behind the proxy: where it is, and whom it lets in."""

    __tablename__ = "applications"

    id: Mapped[str] = mapped_column(ByteOrderedText, primary_key=True)
    """A short name that the operator chose; it stands in the proxy's configuration."""
    name: Mapped[str]
    """What people read."""
    origins: Mapped[list[str]] = mapped_column(TextArray)
    redirect_uris: Mapped[list[str]] = mapped_column(TextArray, default_factory=list)
    audience: Mapped[str | None] = mapped_column(ByteOrderedText, default=None)
    secret_hash: Mapped[bytes | None] = mapped_column(default=None, repr=False)
    allowed_groups: Mapped[list[str]] = mapped_column(TextArray, default_factory=list)
    """One of them is enough; where there are none, everybody who is signed in may."""
    header_map: Mapped[dict[str, str]] = mapped_column(JSONDocument, default_factory=dict)
    """By field, the header under which the application expects it."""
    created_at: Mapped[datetime] = mapped_column(default_factory=clock.now)


class HandoverCode(Base, kw_only=True):
    """A one-time code that opens a session on an application's own host, by its hash."""

    __tablename__ = "handover_codes"

    code_hash: Mapped[bytes] = mapped_column(primary_key=True, repr=False)
    application_id: Mapped[str] = mapped_column(
        ByteOrderedText, ForeignKey("applications.id", ondelete="CASCADE"), index=True
    )
    session_id: Mapped[str] = mapped_column(
        ByteOrderedText, ForeignKey("user_sessions.id", ondelete="CASCADE"), index=True
    )
    """The session that is handed over: the root of what the code opens."""
    browser_hash: Mapped[bytes]
    """Of the cookie that the application's host gave to the browser which began."""
    origin: Mapped[str]
    return_to: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default_factory=clock.now)
    expires_at: Mapped[datetime] = mapped_column(index=True)
