"""Re-sealing: what was sealed with an older key is sealed with the newest one, a batch at a time.

Each batch is one short unit of work. A value is replaced only while it is the one that was read,
so that several may do this at once, beside a service that stores newer values meanwhile.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, not_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.models import AuthorizationRequest, Identity
from app.services.sealing import Place, Sealer, Unsealable, prefix_of

BATCH = 100


@dataclass(frozen=True, kw_only=True)
class SealedColumn:
    """A column of sealed values, and the key of its rows."""

    key: InstrumentedAttribute[Any]
    column: InstrumentedAttribute[Any]

    def place(self, row: str | bytes) -> Place:
        """Say where the value of a row stands."""
        return Place(
            table=self.column.class_.__tablename__,
            column=self.column.key,
            row=row.hex() if isinstance(row, bytes) else row,
        )


SEALED_COLUMNS = (
    SealedColumn(key=Identity.id, column=Identity.access_token),
    SealedColumn(key=Identity.id, column=Identity.refresh_token),
    SealedColumn(key=AuthorizationRequest.state_hash, column=AuthorizationRequest.nonce),
    SealedColumn(key=AuthorizationRequest.state_hash, column=AuthorizationRequest.code_verifier),
)
"""All that is sealed in the database."""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What became of some values that were not sealed with the newest key."""

    last: str | bytes | None
    """The row to go on behind; None once there are no more."""
    seen: int
    resealed: int
    unsealable: int


def reseal_batch(
    session: Session,
    sealed: SealedColumn,
    *,
    sealer: Sealer,
    after: str | bytes | None = None,
    dry_run: bool = False,
) -> Batch:
    """Re-seal the next values of a column; what cannot be opened is left as it is.

    A dry run writes nothing, and counts what would be re-sealed.
    """
    rows = session.execute(_outdated(sealed, sealer, after)).all()
    resealed = unsealable = 0
    for key, old in rows:
        place = sealed.place(key)
        try:
            new = sealer.seal(sealer.open(old, place=place), place=place)
        except Unsealable:
            unsealable += 1
        else:
            resealed += dry_run or _replace(session, sealed, key, old=old, new=new)
    return Batch(
        last=rows[-1][0] if len(rows) == BATCH else None,
        seen=len(rows),
        resealed=resealed,
        unsealable=unsealable,
    )


def count_outdated(session: Session, sealer: Sealer) -> int:
    """Count the values that were not sealed with the newest key."""
    counts = (
        session.scalar(select(func.count()).where(_is_outdated(one, sealer)))
        for one in SEALED_COLUMNS
    )
    return sum(count or 0 for count in counts)


def count_by_key(session: Session, sealer: Sealer) -> Mapping[str, int]:
    """Count the values that each of the sealer's keys has sealed."""
    counts: Counter[str] = Counter()
    length = len(prefix_of(sealer.key_ids[0]))
    for one in SEALED_COLUMNS:
        prefix = func.substr(one.column, 1, length).label("prefix")
        query = select(prefix, func.count()).where(one.column.is_not(None)).group_by("prefix")
        for found, number in session.execute(query):
            counts[found] += number
    return {key_id: counts[prefix_of(key_id)] for key_id in sealer.key_ids}


def _is_outdated(sealed: SealedColumn, sealer: Sealer) -> ColumnElement[bool]:
    newest = prefix_of(sealer.key_ids[0])
    return and_(sealed.column.is_not(None), not_(sealed.column.startswith(newest)))


def _outdated(sealed: SealedColumn, sealer: Sealer, after: str | bytes | None) -> Select[Any, str]:
    query = select(sealed.key, sealed.column).where(_is_outdated(sealed, sealer))
    query = query.order_by(sealed.key).limit(BATCH)
    return query if after is None else query.where(sealed.key > after)


def _replace(
    session: Session, sealed: SealedColumn, key: str | bytes, *, old: str, new: str
) -> bool:
    statement = (
        update(sealed.column.class_)
        .where(sealed.key == key, sealed.column == old)
        .values({sealed.column: new})
        .returning(sealed.key)
    )
    options = {"synchronize_session": False}
    return session.scalar(statement, execution_options=options) is not None
