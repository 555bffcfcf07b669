"""What each operation does to the rows of one person, told by a line of the journal.

A line without an answer lacks what only the answer tells; that is ``UNKNOWN`` then.
"""

from collections import Counter
from collections.abc import Callable

from app.services.tokens import hash_code, hash_secret
from tests.support.journal import Promise

Rows = Counter[tuple[str, ...]]
"""What there is of one person: facts, each of which begins with its kind and its key."""

UNKNOWN = "?"
CODES_AT_ONCE = 10


def carry_out(rows: Rows, line: Promise) -> Rows:
    """Give the rows as they are after an operation."""
    return _EFFECTS[line["operation"]](rows, line)


def removal(credential_id: str) -> str:
    """Give what stays on record of a passkey that was removed."""
    return hash_secret(bytes.fromhex(credential_id)).hex()


def _sign_up(rows: Rows, line: Promise) -> Rows:
    rows = _without(rows, "invitation") + Counter([("account",)])
    return _sign_in(_enrol(rows, line), line)


def _sign_in(rows: Rows, line: Promise) -> Rows:
    return _without(rows, "session", line.get("replaces", "")) + _session(line, "full")


def _sign_out(rows: Rows, line: Promise) -> Rows:
    return _without(rows, "session", line["of"])


def _step_up(rows: Rows, line: Promise) -> Rows:
    kept = line | {"session": line["of"]}
    return _without(rows, "session", line["of"]) + _session(kept, "full")


def _enrol(rows: Rows, line: Promise) -> Rows:
    return rows + Counter([("passkey", line["passkey"], line["name"])])


def _enrol_recovered(rows: Rows, line: Promise) -> Rows:
    return _enrol(_sign_out(rows, line) + _session(line, "full"), line)


def _rename(rows: Rows, line: Promise) -> Rows:
    return _enrol(_without(rows, "passkey", line["passkey"]), line)


def _remove(rows: Rows, line: Promise) -> Rows:
    kept = _without(rows, "passkey", line["passkey"])
    return kept + Counter([("removed", removal(line["passkey"]))])


def _renew_codes(rows: Rows, line: Promise) -> Rows:
    codes = line.get("codes") or []
    hashes = [hash_code(code).hex() for code in codes] or [UNKNOWN] * CODES_AT_ONCE
    kept = Counter({fact: 1 for fact in _without(rows, "code") if fact[-1] != "enrol"})
    return kept + Counter(("code", one, "unused") for one in hashes)


def _redeem(rows: Rows, line: Promise) -> Rows:
    code = hash_code(line["code"]).hex()
    kept = _without(rows, "code", code) + Counter([("code", code, "used")])
    return kept + _session(line, "enrol")


def _invite(rows: Rows, line: Promise) -> Rows:
    return rows + Counter([("invitation", hash_secret(line["token"]).hex())])


_EFFECTS: dict[str, Callable[[Rows, Promise], Rows]] = {
    "invite": _invite,
    "sign_up": _sign_up,
    "sign_in": _sign_in,
    "sign_out": _sign_out,
    "step_up": _step_up,
    "enrol": _enrol,
    "enrol_recovered": _enrol_recovered,
    "rename": _rename,
    "remove": _remove,
    "renew_codes": _renew_codes,
    "redeem": _redeem,
}


def _without(rows: Rows, *beginning: str) -> Rows:
    return Counter({fact: 1 for fact in rows.elements() if fact[: len(beginning)] != beginning})


def _session(line: Promise, purpose: str) -> Rows:
    token = hash_secret(line["token"]).hex() if "token" in line else UNKNOWN
    return Counter([("session", line.get("session", UNKNOWN), token, purpose)])
