"""Recovery: codes that open a session which can enrol a passkey and nothing else."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app import clock
from app.errors import AccountDisabled, RecoveryCodeUnusable
from app.models import RecoveryCode, User
from app.services.session_ends import end_recovery_sessions
from app.services.tokens import hash_code, new_code
from app.services.ways_in import lock_person

CODES_AT_ONCE = 10
LINK_TTL = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class RemainingCodes:
    """How many of a person's own codes are unused, and when they were made."""

    remaining: int
    created_at: datetime | None


def renew_codes(session: Session, *, user_id: str) -> list[str]:
    """Replace the person's own codes by ten new ones, which nobody can be shown again.

    What an old code opened, and has not enrolled yet, ends with it.
    """
    lock_person(session, user_id)
    session.execute(
        delete(RecoveryCode).where(
            RecoveryCode.user_id == user_id, RecoveryCode.expires_at.is_(None)
        )
    )
    end_recovery_sessions(session, user_id=user_id)
    codes = [new_code() for _ in range(CODES_AT_ONCE)]
    now = clock.now()
    session.add_all(
        RecoveryCode(code_hash=hash_code(code), user_id=user_id, created_at=now) for code in codes
    )
    return codes


def remaining_codes(session: Session, *, user_id: str) -> RemainingCodes:
    """Count the person's own codes that are unused."""
    query = select(func.count(), func.max(RecoveryCode.created_at)).where(
        RecoveryCode.user_id == user_id,
        RecoveryCode.expires_at.is_(None),
        RecoveryCode.used_at.is_(None),
    )
    remaining, created_at = session.execute(query).one()
    return RemainingCodes(remaining=remaining, created_at=created_at)


def make_link_code(session: Session, *, user: User) -> str:
    """Make the code of a one-time link for a person who lost every way in.

    An operator hands it over; an earlier one is void. It is good for an hour. Raises
    ``AccountDisabled``.
    """
    if user.disabled_at is not None:
        sentence = "That account is disabled, so a link would not open it."
        raise AccountDisabled(sentence)
    lock_person(session, user.id)
    session.execute(
        delete(RecoveryCode).where(
            RecoveryCode.user_id == user.id, RecoveryCode.expires_at.is_not(None)
        )
    )
    end_recovery_sessions(session, user_id=user.id)
    code = new_code()
    expires_at = clock.now() + LINK_TTL
    session.add(RecoveryCode(code_hash=hash_code(code), user_id=user.id, expires_at=expires_at))
    return code


def redeem_code(session: Session, *, code: str) -> User:
    """Use the code up and give the person whose it is, who is locked until the unit ends.

    Raises ``RecoveryCodeUnusable``.
    """
    code_hash = hash_code(code)
    owner = _lock_owner(session, code_hash)
    now = clock.now()
    used = session.scalar(
        update(RecoveryCode)
        .where(
            RecoveryCode.code_hash == code_hash,
            RecoveryCode.used_at.is_(None),
            RecoveryCode.expires_at.is_(None) | (RecoveryCode.expires_at > now),
        )
        .values(used_at=now)
        .returning(RecoveryCode.user_id)
    )
    if used is None:
        raise RecoveryCodeUnusable
    return owner


def _lock_owner(session: Session, code_hash: bytes) -> User:
    # Whoever makes new codes or a link locks the person first, too: whichever of the two comes
    # second sees all that the other did, so that neither misses a session that is being opened.
    query = (
        select(User)
        .join(RecoveryCode, RecoveryCode.user_id == User.id)
        .where(RecoveryCode.code_hash == code_hash, User.disabled_at.is_(None))
        .with_for_update(key_share=True, of=User)
    )
    owner = session.scalar(query)
    if owner is None:
        raise RecoveryCodeUnusable
    return owner
