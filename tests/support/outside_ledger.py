"""What a journal of an outside life allows the database to hold, compared with what it holds.

Everything there is counts: an account, its address and whether that is proved, its ways in and
its sessions, and the invitations. The first account of an address is Ada's, who never proved it.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from flask import Flask
from sqlalchemy import Connection, select

from app.models import AuthorizationRequest, Credential, Identity, Invitation, User, UserSession
from app.services.tokens import hash_secret
from tests.support.journal import ACKNOWLEDGED, ASKED, Journal, Promise
from tests.support.ledger import broken_files, settled
from tests.support.outside_lives import ACCOUNT, SPARE
from tests.support.units import engine_of

Fact = tuple[str, ...]
Rows = Counter[Fact]

UNKNOWN = "?"
"""The hash of a token that nobody was told."""
SQUATTER, PERSON = "Ada", "Grace"


@dataclass(kw_only=True)
class OutsideLedger:
    """The journal of one life, read once, beside the database."""

    app: Flask
    lines: Sequence[Promise]
    before: Rows = field(init=False)
    after: Rows = field(init=False)
    """As it is once the last thing that had no answer was carried out."""

    def __post_init__(self) -> None:
        """Carry out what was acknowledged."""
        self.before = self.after = Counter()
        for line in self.lines:
            if line["outcome"] == ACKNOWLEDGED:
                self.before = self.after = _EFFECTS[line["operation"]](self.before, line)
            elif line["outcome"] == ASKED:
                self.after = _EFFECTS[line["operation"]](self.before, line)

    def answers(self) -> list[Promise]:
        """Give every answer that the provider sent somebody back with, oldest first."""
        asked = (line for line in self.lines if line["outcome"] == ASKED)
        return [line for line in asked if "state" in line]

    def findings(self) -> list[str]:
        """Give what contradicts the journal, a sentence each."""
        settled(self.app)
        held, found = self.held(), broken_files(self.app)
        if held not in (self.before, self.after):
            more, less = held - self.before, self.before - held
            found.append(f"holds {sorted(more)} and lacks {sorted(less)}")
        if held == self.before != self.after:
            return found
        good = [one["operation"] for one in self.answers() if self.is_good(one)]
        return found + [f"the state of {one} is good after what it was for" for one in good]

    def is_good(self, answer: Promise) -> bool:
        """Tell whether the request that it answers is still remembered."""
        query = select(AuthorizationRequest.state_hash)
        with engine_of(self.app).connect() as connection:
            return hash_secret(answer["state"]) in set(connection.scalars(query))

    def held(self) -> Rows:
        """Give everything that there is."""
        tokens = (line["token"] for line in self.lines if "token" in line)
        known = {hash_secret(token).hex() for token in tokens}
        with engine_of(self.app).connect() as connection:
            return Counter(
                (*fact[:-1], UNKNOWN) if fact[0] == "session" and fact[-1] not in known else fact
                for fact in _facts(connection)
            )

    def close(self) -> None:
        """Let go of the database."""
        engine_of(self.app).dispose()


def read_ledger(app: Flask, journal: Journal) -> OutsideLedger:
    """Read a journal as it stands now."""
    return OutsideLedger(app=app, lines=journal.lines())


def without_sessions(rows: Rows) -> Rows:
    """Leave the sessions out."""
    return Counter({fact: number for fact, number in rows.items() if fact[0] != "session"})


def whole(email: str, *operations: str, invited: str) -> Rows:
    """Give what there is, but sessions, once all of these were carried out for an address.

    Somebody else was ``invited`` beside them.
    """
    rows: Rows = Counter([("invitation", email), ("invitation", invited)])
    for operation in operations:
        rows = _EFFECTS[operation](rows, {"email": email, "token": "", "came_with": None})
    return without_sessions(rows)


def _facts(connection: Connection) -> Iterator[Fact]:
    people = {row.id: row for row in connection.execute(select(User.__table__))}
    for one in people.values():
        standing = "proved" if one.email_verified_at else "unproved"
        standing = "lost" if one.address_lost_at else standing
        yield "account", one.name, one.email_canonical or "", standing
    for user_id in connection.scalars(select(Credential.user_id)):
        yield "passkey", people[user_id].name
    for one in connection.execute(select(Identity.__table__)):
        owner = people[one.user_id].name if one.user_id in people else "nobody"
        is_whole = one.last_used_at and one.profile and one.access_token
        yield "identity", owner, one.provider_id, "whole" if is_whole else "bare"
    for user_id, hash_ in connection.execute(select(UserSession.user_id, UserSession.token_hash)):
        yield "session", people[user_id].name, hash_.hex()
    for email in connection.scalars(select(Invitation.email_canonical)):
        yield "invitation", email or ""


def _invite(rows: Rows, line: Promise) -> Rows:
    return rows + Counter([("invitation", line["email"])])


def _squat(rows: Rows, line: Promise) -> Rows:
    session = _session(SQUATTER, line)
    return rows + Counter(
        [("account", SQUATTER, line["email"], "unproved"), ("passkey", SQUATTER), session]
    )


def _arrive(rows: Rows, line: Promise) -> Rows:
    squatter = ("account", SQUATTER, line["email"], "unproved")
    lost = rows[squatter] * [("account", SQUATTER, "", "lost")]
    kept = rows - Counter([squatter, ("invitation", line["email"])])
    new = [("account", PERSON, line["email"], "proved"), _identity(ACCOUNT)]
    return kept + Counter([*lost, *new, _session(PERSON, line)])


def _swap(rows: Rows, line: Promise) -> Rows:
    old = _session(PERSON, {"token": line["came_with"]})
    return rows - Counter([old]) + Counter([_session(PERSON, line)])


def _link(rows: Rows, _: Promise) -> Rows:
    return rows + Counter([_identity(SPARE)])


def _unlink(rows: Rows, _: Promise) -> Rows:
    return rows - Counter([_identity(SPARE)])


def _identity(code: str) -> Fact:
    return "identity", PERSON, f"subject-{code}", "whole"


def _session(name: str, line: Promise) -> Fact:
    token = line.get("token")
    return "session", name, hash_secret(token).hex() if token else UNKNOWN


_EFFECTS: dict[str, Callable[[Rows, Promise], Rows]] = {
    "invite": _invite,
    "squat": _squat,
    "arrive": _arrive,
    "sign_in_again": _swap,
    "step_up": _swap,
    "link": _link,
    "unlink": _unlink,
}
