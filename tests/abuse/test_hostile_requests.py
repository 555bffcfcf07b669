"""Cookies, headers, paths and queries that open nothing, ten thousands of them.

A3, A8; ASVS 4.2.5, ASVS 15.3.7. Most are put to the application in this process, the rest over the
wire to four workers. After every few hundred the person whose cookie it is gets what they ask for.
"""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask

from tests.support.clients import Browser
from tests.support.counts import trials
from tests.support.deployments import Deployment
from tests.support.hostile_headers import hostile_headers
from tests.support.hostile_requests import (
    FROM_US,
    GUARDED,
    HONEST_COOKIE,
    JSON,
    Attempt,
    Kinds,
    hostile_cookies,
)
from tests.support.hostile_targets import hostile_paths, hostile_queries
from tests.support.onslaughts import Onslaught, log_aside
from tests.support.people import json_of, sign_up, token_of
from tests.support.processes import unharmed_workers
from tests.support.raw_connections import OverTheWire
from tests.support.raw_requests import InProcess, Line, Request
from tests.support.tally import Tally

NewTally = Callable[[str, str], Tally]

KINDS: dict[str, tuple[Kinds, int]] = {
    "cookies": (hostile_cookies(), 6_600),
    "headers": (hostile_headers(), 7_000),
    "paths": (hostile_paths(), 7_000),
    "queries": (hostile_queries(), 4_600),
}
"""What is tried, and how many cases on one engine in the full run."""
ON_THE_WIRE = 800
WARM_UP = 60

each_kind = pytest.mark.parametrize("kind", KINDS)


@dataclass(frozen=True, kw_only=True)
class Victim:
    """Somebody who is signed in, and whose cookie is bent."""

    app: Flask
    client: Browser
    session_id: str

    def request(self, attempt: Attempt) -> Request:
        return attempt.request(token=token_of(self.client), session_id=self.session_id)

    def succeed(self, line: Line) -> None:
        """See that the cookie opens everything it should."""
        for method, target, body in GUARDED:
            headers = (FROM_US, JSON, HONEST_COOKIE)
            honest = Attempt(refusal=None, method=method, target=target, headers=headers, body=body)
            reply = line.ask(self.request(honest))
            assert reply.status in {200, 201}, (target, reply.status, reply.body)


@pytest.fixture
def victim(deployment: Deployment) -> Victim:
    client = deployment.browser()
    sign_up(client)
    signed_in = json_of(client.get("/api/auth/session"))
    return Victim(app=deployment.app, client=client, session_id=signed_in["session"]["id"])


def attack(victim: Victim, line: Line, *, tally: Tally, kind: str, cases: int) -> None:
    """Try cases of a kind, others on each engine and for each tally."""
    kinds, _ = KINDS[kind]
    onslaught = Onslaught(
        app=victim.app, line=line, tally=tally, be_honest=lambda: victim.succeed(line)
    )
    onslaught.run(
        kinds,
        cases=cases,
        name=f"{tally.kind} {tally.engine}",
        make=victim.request,
        refusals=lambda attempt: attempt.refusals,
    )


@each_kind
def test_hostile_request_is_refused_and_changes_nothing(
    victim: Victim, new_tally: NewTally, kind: str, tmp_path: Path
) -> None:
    tally = new_tally("Hostile input", kind)
    _, full = KINDS[kind]

    with log_aside(victim.app, tmp_path / "log"):
        attack(victim, InProcess(victim.app), tally=tally, kind=kind, cases=trials(full))


@each_kind
def test_hostile_request_over_the_wire_harms_no_worker(
    deployment: Deployment, victim: Victim, new_tally: NewTally, kind: str
) -> None:
    tally = new_tally("Hostile input", f"{kind}, over the wire")

    with closing(OverTheWire.to(deployment.server)) as line:
        for _ in range(WARM_UP):
            line.ask(victim.request(Attempt(refusal=None)))
        with unharmed_workers(deployment.server):
            attack(victim, line, tally=tally, kind=kind, cases=trials(ON_THE_WIRE))
