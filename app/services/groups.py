"""Groups of people: names that applications ask for, which an operator gives and takes."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.errors import InvalidGroup, NotFound, TooManyGroups
from app.models import User

MOST_GROUPS = 32
"""With names of 63 characters they fill 2 KiB of a proxy's header buffer, which often has 4."""
_GROUP = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


@dataclass(frozen=True, kw_only=True)
class GroupChange:
    """What became of a person's groups."""

    groups: tuple[str, ...]
    """Those that they are in now, in alphabetical order."""
    present: tuple[str, ...] = ()
    """Those to be added that they were in already."""
    absent: tuple[str, ...] = ()
    """Those to be removed that they were not in."""


def parse_groups(texts: Iterable[str]) -> list[str]:
    """Read names of groups, each once. Raises ``InvalidGroup`` and ``TooManyGroups``."""
    groups = list(dict.fromkeys(texts))
    for group in groups:
        if _GROUP.fullmatch(group) is None:
            sentence = (
                f"The group {group!r} cannot be: a name has up to 63 lower-case ASCII letters, "
                "digits, dots, hyphens and underscores, and begins with a letter or digit."
            )
            raise InvalidGroup(sentence)
    _require_room(groups)
    return groups


def groups_of(user: User) -> GroupChange:
    """Tell the groups that a person is in, as they are."""
    return GroupChange(groups=tuple(sorted(user.groups)))


def change_groups(
    session: Session, *, user_id: str, add: Iterable[str], remove: Iterable[str]
) -> GroupChange:
    """Put a person into groups and take them out of others; it binds on the next check.

    The row is locked, so that of two changes at once neither undoes the other. Raises
    ``NotFound``, ``InvalidGroup`` and ``TooManyGroups``.
    """
    added, removed = parse_groups(add), parse_groups(remove)
    if both := sorted({*added} & {*removed}):
        sentence = f"The group {both[0]} cannot be added and removed at once."
        raise InvalidGroup(sentence)
    query = select(User).where(User.id == user_id).with_for_update(key_share=True)
    user = session.scalar(query.execution_options(populate_existing=True))
    if user is None:
        raise NotFound
    before = set(user.groups)
    groups = sorted((before | {*added}) - {*removed})
    _require_room(groups)
    if groups != user.groups:
        user.groups = groups
        user.updated_at = clock.now()
    return GroupChange(
        groups=tuple(groups),
        present=tuple(group for group in added if group in before),
        absent=tuple(group for group in removed if group not in before),
    )


def _require_room(groups: list[str]) -> None:
    if len(groups) > MOST_GROUPS:
        sentence = f"{len(groups)} groups are too many: {MOST_GROUPS} fit into a header."
        raise TooManyGroups(sentence)
