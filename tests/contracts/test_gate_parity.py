"""The session gate in front of the service answers as the service behind it does.

ASVS 16.5.3, CVE-2026-25748. A thousand kinds of request, the same ones each time, are put to the
application without a gate, to the gate in front of it, and to the gate alone.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
from flask import Flask

from app import create_gate, create_service
from app.blueprints.current import session_gate
from app.config import Settings
from app.session_gate import SessionGate
from tests.conftest import NewTally
from tests.support.gate_cast import Cast, assemble
from tests.support.gate_kinds import Kinds
from tests.support.onslaughts import log_aside
from tests.support.outages import database_away
from tests.support.raw_requests import InProcess, Reply, Request
from tests.support.tally import Tally
from tests.support.units import give_up_connections

KINDS = 1000
WHILE_AWAY = 80
OF_THE_MOMENT = {"x-request-id", "date"}
FOR_BROWSERS = {
    "content-security-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "permissions-policy",
    "referrer-policy",
    "vary",
    "x-content-type-options",
    "x-frame-options",
}
"""What the gate leaves out of a 204, of which a proxy reads the identity and nothing else."""
_EXPIRES = re.compile(r"Expires=[^;]*")

Outcome = tuple[int, str | None]
OF_THE_GATE: set[Outcome] = {
    (200, None),
    (204, None),
    (303, None),
    (401, "not_signed_in"),
    (403, "cross_site_request"),
    (403, "enrolment_only"),
    (403, "not_allowed"),
}
"""What the gate answers by itself."""
LEFT_TO_THE_SERVICE: set[Outcome] = {
    (400, "cookie_refused"),
    (400, "malformed_request"),
    (404, "not_found"),
    (405, "method_not_allowed"),
    (421, "misdirected_request"),
    (422, "invalid_body"),
}
REFUSED_ALONE: set[Outcome] = {(400, "malformed_request"), (404, "not_found")}
"""How the gate answers by itself what it would leave to a service behind it."""


@dataclass(frozen=True, kw_only=True)
class Ways:
    """The three ways to the same answers."""

    app: Flask
    behind: InProcess
    in_front: InProcess
    alone: InProcess
    gates: tuple[SessionGate, ...]

    def close_connections(self) -> None:
        for gate in self.gates:
            gate.checks.close()


@pytest.fixture
def ways(app: Flask, settings: Settings, tmp_path: Path) -> Iterator[Ways]:
    service, alone = create_service(settings), create_gate(settings)
    made = Ways(
        app=app,
        behind=InProcess(app),
        in_front=InProcess(service),
        alone=InProcess(alone),
        gates=(gate_of(app), gate_of(service), alone),
    )
    try:
        with log_aside(app, tmp_path / "log"):
            yield made
    finally:
        made.close_connections()
        give_up_connections(service)


def gate_of(app: Flask) -> SessionGate:
    with app.app_context():
        return session_gate()


def outcome(reply: Reply) -> Outcome:
    if reply.header("content-type") != "application/problem+json" or not reply.body:
        return reply.status, None
    code: str = json.loads(reply.body)["code"]
    return reply.status, code


def said(reply: Reply) -> tuple[int, list[tuple[str, str]], bytes]:
    """Give an answer but for what is of the moment."""
    left_out = OF_THE_MOMENT | (FOR_BROWSERS if reply.status == 204 else set())
    headers = sorted((name.lower(), _EXPIRES.sub("", value)) for name, value in reply.headers)
    # Pages repeat the request's id for whoever asks for help.
    body = reply.body.replace(reply.header("x-request-id").encode() or b"\0", b"")
    return reply.status, [one for one in headers if one[0] not in left_out], body


def compare(ways: Ways, requests: Iterable[Request], tally: Tally) -> tuple[Counter[Outcome], ...]:
    """Put each request to all three; give what the application and the gate alone answered."""
    heard: Counter[Outcome] = Counter()
    alone: Counter[Outcome] = Counter()
    for request in requests:
        with tally.trial():
            expected, answer = ways.behind.ask(request), ways.in_front.ask(request)
            assert said(answer) == said(expected), request
            by_itself = ways.alone.ask(request)
            assert (
                said(by_itself) == said(expected)
                or outcome(by_itself) in REFUSED_ALONE
                or (request.method == "HEAD" and by_itself.status in {400, 404})
            ), request
        heard[outcome(expected)] += 1
        alone[outcome(by_itself)] += 1
    return heard, alone


@pytest.fixture
def kinds(app: Flask) -> Kinds:
    cast: Cast = assemble(app)
    return Kinds(cast=cast, chance=Random(5))  # noqa: S311 - chosen, not secret


def test_a_thousand_kinds_of_request_are_answered_alike(
    ways: Ways, kinds: Kinds, new_tally: NewTally
) -> None:
    tally = new_tally("Session gate", "a request put to the service with and without the gate")

    heard, alone = compare(ways, kinds.draw(KINDS), tally)

    assert heard.total() == KINDS
    assert heard.keys() >= OF_THE_GATE | LEFT_TO_THE_SERVICE
    assert alone.keys() >= OF_THE_GATE
    assert sum(alone[one] for one in OF_THE_GATE) > KINDS // 2
    assert not [one for one in heard if one[0] >= 500]


def test_without_a_database_they_are_refused_alike(
    ways: Ways, kinds: Kinds, new_tally: NewTally
) -> None:
    """A session that is good is neither let in nor taken for none, and no cookie is cleared."""
    tally = new_tally("Session gate", "a request put to both while the database is away")
    requests = list(kinds.plain())[:WHILE_AWAY]
    ways.close_connections()

    with database_away(ways.app):
        heard, alone = compare(ways, requests, tally)

    assert heard == alone == {(503, "database_unavailable"): WHILE_AWAY}
    assert all(gate.failures for gate in ways.gates)
