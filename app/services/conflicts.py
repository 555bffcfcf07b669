"""Expected conflicts: which constraint refused an insert, on either engine."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.errors import ServiceError

_SQLITE_UNIQUE = re.compile(r"UNIQUE constraint failed: (.+)")


@contextmanager
def conflicts(session: Session, outcomes: Mapping[str, type[ServiceError]]) -> Iterator[None]:
    """Flush what the block adds in a savepoint; raise the outcome named for the constraint.

    Earlier work of the same unit survives. Another constraint's refusal passes through.
    """
    try:
        with session.begin_nested():
            yield
            session.flush()
    except IntegrityError as error:
        outcome = outcomes.get(_constraint(error) or "")
        if outcome is None:
            raise
        raise outcome from error


def _constraint(error: IntegrityError) -> str | None:
    diagnosis = getattr(error.orig, "diag", None)
    if diagnosis is not None:
        name: str | None = diagnosis.constraint_name
        return name
    # SQLite names the columns: "users.email_canonical", or "t.a, t.b".
    found = _SQLITE_UNIQUE.search(str(error.orig))
    if found is None:
        return None
    columns = [column.split(".") for column in found[1].split(", ")]
    return "_".join(["uq", columns[0][0], *(column for _, column in columns)])
