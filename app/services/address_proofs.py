"""Proofs of addresses: an address that nobody proved goes to whoever proves it.

The account that had it keeps its passkeys and its sessions, and no right to the address, so that
nobody can lie in wait in an account made with somebody else's (Sudhodanan and Paverd 2022).
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.errors import AccountExists
from app.models import User
from app.services.addresses import Address


def free_address(session: Session, address: Address) -> None:
    """Take the address from an account that never proved it.

    Raises ``AccountExists`` where one has. The holder is locked until the unit ends.
    """
    query = (
        select(User)
        .where(User.email_canonical == address.canonical)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    holder = session.scalar(query)
    if holder is None:
        return
    if holder.email_verified_at is not None:
        raise AccountExists(reason="the address is proved for another account")
    holder.email = holder.email_canonical = None
    holder.address_lost_at = holder.updated_at = clock.now()
    # The unique constraint must see the address free before it is given away.
    session.flush()


def prove_own_address(user: User, address: Address) -> None:
    """Note that somebody's own address is proved; nothing where it is another one.

    Two that are one to us, as with ß and ss, may be two mailboxes, so the spelling counts.
    """
    is_own = (user.email or "").lower() == address.written.lower()
    if is_own and user.email_verified_at is None:
        user.email_verified_at = user.updated_at = clock.now()
