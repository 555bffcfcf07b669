"""The people and sessions that every candidate's database holds, and the tokens that are asked.

Everything follows from the numbers alone, so that each database is seeded by itself and all hold
the same. The seeds of the peers import this in environments of their own: the standard library
must do.
"""

import hashlib
import random
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from uuid import UUID

_ORDER_SEED = 20_260_101
_FIRST_MILLISECOND = 1_767_225_600_000
_ONE_IN = 10
"""Of so many tokens asked, one is ended or unknown."""


@dataclass(frozen=True, kw_only=True)
class Person:
    number: int

    @property
    def id(self) -> str:
        return _uuid7(self.number, "person")

    @property
    def email(self) -> str:
        return f"person{self.number}@example.org"

    @property
    def name(self) -> str:
        return f"Person Number {self.number}"


@dataclass(frozen=True, kw_only=True)
class SeededSession:
    number: int
    person: Person

    @property
    def id(self) -> str:
        return _uuid7(self.number, "session")

    @property
    def token(self) -> str:
        """43 base64url characters, as 256 random bits are written."""
        digest = hashlib.sha256(b"token %d" % self.number).digest()
        return urlsafe_b64encode(digest).rstrip(b"=").decode()


@dataclass(frozen=True, kw_only=True)
class Population:
    """So many sessions of so many people, of which ``asked`` are asked about."""

    sessions: int
    people: int
    asked: int
    seeded_at: datetime

    def list_people(self) -> Iterator[Person]:
        return (Person(number=number) for number in range(self.people))

    def list_sessions(self) -> Iterator[SeededSession]:
        """Give the sessions that have a row: all but those that are asked about in vain.

        Ended sessions have none either. Expired ones would, but some candidates remove such a row
        when they meet it, so that each run would find another database.
        """
        for number in range(self.sessions):
            if number not in self._refused:
                yield self._session(number)

    def list_asked(self) -> Iterator[tuple[SeededSession, bool]]:
        """Give the sessions that are asked about, in random order, and whether each is good."""
        for number in self._numbers_asked:
            yield self._session(number), number not in self._refused

    @property
    def expires_at(self) -> datetime:
        """When every session ends: so far off that nobody renews one meanwhile."""
        return self.seeded_at + timedelta(days=90)

    def _session(self, number: int) -> SeededSession:
        return SeededSession(number=number, person=Person(number=number % self.people))

    @cached_property
    def _numbers_asked(self) -> list[int]:
        # The order matters to nobody but must be the same for all.
        return random.Random(_ORDER_SEED).sample(range(self.sessions), self.asked)  # noqa: S311

    @cached_property
    def _refused(self) -> frozenset[int]:
        return frozenset(self._numbers_asked[::_ONE_IN])


def new_population(*, sessions: int, seeded_at: datetime | None = None) -> Population:
    """Give a population with ten sessions a person; up to 100,000 of them are asked about."""
    return Population(
        sessions=sessions,
        people=max(1, min(100_000, sessions // 10)),
        asked=min(100_000, sessions),
        seeded_at=seeded_at or datetime.now(UTC).replace(microsecond=0),
    )


def _uuid7(number: int, what: str) -> str:
    # Sorted by number, as ids made one after the other are.
    random_bits = int.from_bytes(hashlib.sha256(f"{what} {number}".encode()).digest()[:10], "big")
    value = (_FIRST_MILLISECOND + number) << 80 | random_bits
    value = value & ~(0xF << 76) | 0x7 << 76
    return str(UUID(int=value & ~(0x3 << 62) | 0x2 << 62))
