"""Units of work: one commit each, all of it or nothing, tried again where that may help."""

import random
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

import structlog
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from app.database import (
    BUSY_TIMEOUT_SECONDS,
    IMPATIENT,
    WRITES,
    is_unreadable,
    is_worth_another_try,
)
from app.errors import DatabaseUnavailable, ServiceError
from app.extensions import db
from app.places import PLACES, QUEUE, Places

T = TypeVar("T")
UnitOfWork = Callable[[Session], T]

_log = structlog.get_logger(__name__)
_UNIT = "unit of work"
_ONLY_WRITERS_WAIT = "only writers wait"
_RETRY_SECONDS = BUSY_TIMEOUT_SECONDS
_FIRST_PAUSE_SECONDS = 0.01
_LONGEST_PAUSE_SECONDS = 0.5
_OUT_OF_REACH = (OperationalError, InterfaceError, InternalError, PoolTimeout)


def limit_units(engine: Engine, *, threads: int, pool_size: int) -> None:
    """Let no more units of this process be at the database at once than ``threads``.

    On SQLite nobody waits but a writer, for the one before it; unless the pool may be empty.
    """
    engine.update_execution_options(
        **{
            PLACES: Places(min(threads, pool_size)),
            _ONLY_WRITERS_WAIT: engine.dialect.name == "sqlite" and pool_size > threads + QUEUE,
        }
    )


def with_transaction(callback: UnitOfWork[T], *, writes: bool = True, impatient: bool = False) -> T:
    """Run ``callback(session)`` as one unit of work and commit it.

    A raise rolls all of it back, save a ``ServiceError`` that says it is to be remembered.
    Inside another unit of work it is a savepoint of that unit where it writes. A unit that ends in
    a serialization failure, a deadlock or SQLITE_BUSY is run again from its start, so it must not
    consume what can be consumed once; an ``impatient`` one is not, and hardly waits for a lock.
    Raises ``DatabaseUnavailable`` where no answer came.
    """
    session: Session = db.session()
    if _UNIT in session.info:
        return _nested(session, callback, writes=writes)
    with _place(writes=writes, impatient=impatient):
        return _persist(session, callback, writes=writes, impatient=impatient)


def _place(*, writes: bool, impatient: bool) -> AbstractContextManager[None]:
    options = db.engine.get_execution_options()
    places: Places | None = options.get(PLACES)
    waits = (writes and not impatient) or not options.get(_ONLY_WRITERS_WAIT)
    return places.taken(may_queue=not impatient) if places and waits else nullcontext()


def _persist(session: Session, callback: UnitOfWork[T], *, writes: bool, impatient: bool) -> T:
    give_up_at = time.monotonic() + _RETRY_SECONDS
    pause = _FIRST_PAUSE_SECONDS
    while True:
        try:
            return _attempt(session, callback, writes=writes, impatient=impatient)
        except (DBAPIError, PoolTimeout) as error:
            cause = error.orig if isinstance(error, DBAPIError) else None
            may_try_again = not impatient and time.monotonic() < give_up_at
            if not (may_try_again and is_worth_another_try(cause)):
                if not (isinstance(error, _OUT_OF_REACH) or is_unreadable(cause)):
                    raise
                _log.error("database_unavailable", error=str(cause or error))
                raise DatabaseUnavailable from error
        time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, not a secret
        pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)


def _nested(session: Session, callback: UnitOfWork[T], *, writes: bool) -> T:
    if writes and not session.info[_UNIT]:
        message = "a unit of work that reads cannot hold one that writes"
        raise RuntimeError(message)
    if not writes:
        return callback(session)
    with session.begin_nested():
        try:
            return callback(session)
        except ServiceError as error:
            if not error.remembered:
                raise
            refusal = error
    raise refusal


def _attempt(session: Session, callback: UnitOfWork[T], *, writes: bool, impatient: bool) -> T:
    session.info[_UNIT] = writes
    try:
        session.connection(execution_options={WRITES: writes, IMPATIENT: impatient})
        result = callback(session)
        _commit(session)
    except ServiceError as refusal:
        if refusal.remembered:
            _commit(session)
        raise
    else:
        return result
    finally:
        del session.info[_UNIT]
        # Rolls back whatever was not committed, and gives the connection back.
        session.close()


def _commit(session: Session) -> None:
    try:
        session.commit()
    except DBAPIError:
        # To SQLAlchemy the transaction is over now; to SQLite it is open and keeps writers out.
        session.invalidate()
        raise
