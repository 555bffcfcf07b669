"""Expired one-time values: a few are swept away whenever a new one is made."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app import clock

_SWEPT_AT_ONCE = 20


def sweep_expired(
    session: Session,
    *,
    key: InstrumentedAttribute[bytes],
    expires_at: InstrumentedAttribute[datetime],
) -> None:
    """Delete up to twenty rows that have expired, and wait for none that somebody else holds."""
    expired = (
        select(key)
        .where(expires_at <= clock.now())
        .limit(_SWEPT_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    session.execute(
        delete(key.class_).where(key.in_(expired)),
        execution_options={"synchronize_session": False},
    )
