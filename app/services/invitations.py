"""Invitations: leave to create one account."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, delete, select
from sqlalchemy.orm import Session

from app import clock
from app.errors import InvitationUnusable
from app.models import Invitation, Role, User
from app.services.addresses import Address
from app.services.people import require_free_address
from app.services.tokens import hash_secret, new_secret

INVITATION_TTL = timedelta(hours=24)


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What a redeemed invitation gives to the new account."""

    role: Role
    groups: list[str]


def invite(session: Session, *, address: Address, role: Role, groups: Sequence[str] = ()) -> str:
    """Invite the owner of an address and give the token; an earlier invitation is void.

    Raises ``AddressTaken`` where they have an account already.
    """
    require_free_address(session, address, f"{address.written} has an account already.")
    session.execute(delete(Invitation).where(Invitation.email_canonical == address.canonical))
    return _add(session, email_canonical=address.canonical, role=role, groups=groups)


def invite_first_administrator(session: Session) -> str:
    """Make the link's token for whoever runs the service; only the newest one is good."""
    void_first_administrator_link(session)
    return _add(session, email_canonical=None, role="admin")


def void_first_administrator_link(session: Session) -> None:
    """Take the link back; once there is an administrator, a second one is invited by name."""
    session.execute(delete(Invitation).where(Invitation.email_canonical.is_(None)))


def require_invitation(session: Session, *, token: str, address: Address) -> bytes:
    """Check, without consuming it, that the invitation is good for the address.

    Returns the hash by which it is redeemed. Raises ``InvitationUnusable``.
    """
    token_hash = hash_secret(token)
    query = select(Invitation.token_hash).where(_is_good(token_hash, address))
    if session.scalar(query) is None:
        raise InvitationUnusable
    return token_hash


def redeem_invitation(session: Session, *, token_hash: bytes, address: Address) -> Grant:
    """Consume the invitation, in the unit of work that creates the account.

    Raises ``InvitationUnusable``.
    """
    redeemed = session.execute(
        delete(Invitation)
        .where(_is_good(token_hash, address))
        .returning(Invitation.role, Invitation.groups)
    ).one_or_none()
    if redeemed is None:
        raise InvitationUnusable
    return _grant(session, redeemed.role, redeemed.groups)


def redeem_for_proved_address(session: Session, *, address: Address) -> Grant | None:
    """Consume the invitation of an address that is proved, whose owner needs no token.

    None where there is no good one.
    """
    redeemed = session.execute(
        delete(Invitation)
        .where(Invitation.email_canonical == address.canonical, Invitation.expires_at > clock.now())
        .returning(Invitation.role, Invitation.groups)
    ).first()
    return None if redeemed is None else _grant(session, redeemed.role, redeemed.groups)


def _grant(session: Session, role: Role, groups: list[str]) -> Grant:
    if role == "admin":
        void_first_administrator_link(session)
    return Grant(role=role, groups=groups)


def _is_good(token_hash: bytes, address: Address) -> ColumnElement[bool]:
    # The link for the first administrator names no address. One that was made at the very moment
    # in which somebody became the first is of no use any more, although nobody has voided it.
    administrators = select(User.id).where(User.role == "admin", User.disabled_at.is_(None))
    is_first = Invitation.email_canonical.is_(None) & ~administrators.exists()
    return and_(
        Invitation.token_hash == token_hash,
        Invitation.expires_at > clock.now(),
        is_first | (Invitation.email_canonical == address.canonical),
    )


def _add(
    session: Session, *, email_canonical: str | None, role: Role, groups: Sequence[str] = ()
) -> str:
    token = new_secret()
    session.add(
        Invitation(
            token_hash=hash_secret(token),
            email_canonical=email_canonical,
            role=role,
            groups=sorted(groups),
            expires_at=clock.now() + INVITATION_TTL,
        )
    )
    return token
