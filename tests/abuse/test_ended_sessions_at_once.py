"""A session that ends is over at once, whichever of the four workers is asked (F17, ASVS 7.4.1).

Sixteen clients that hold one session ask without a pause while it ends. What was answered before
that was all granted; whatever begins after the end was acknowledged is refused, reads and changes
alike; the next sign-in of the same person works, and a bystander notices nothing.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from app import clock
from tests.conftest import NewTally
from tests.support.besieged import Besieged, besiege
from tests.support.connections import written
from tests.support.counts import trials
from tests.support.deployments import Deployment, until_every_worker_works
from tests.support.loopers import looping
from tests.support.people import (
    ADDRESS,
    SESSION_COOKIE,
    hand_over,
    is_signed_in,
    json_of,
    sign_in,
    step_up,
    token_of,
)

NOT_SIGNED_IN = (401, "not_signed_in")
GRANTED = (200, None)
Asked = tuple[str, str, object]

READS: tuple[Asked, ...] = (
    ("GET", "/api/auth/session", None),
    ("GET", "/api/auth/sessions", None),
    ("GET", "/api/users/me", None),
)
WRITES: tuple[Asked, ...] = (
    ("PATCH", "/api/users/me", {"name": "Ada"}),
    ("POST", "/api/auth/reauthentication/options", {}),
)
ASKED = (*WRITES, *(READS[number % len(READS)] for number in range(14)))
"""What each client asks: more writers would mostly queue for SQLite's one lock."""
LONG_AGO = timedelta(minutes=2)
SOON = timedelta(milliseconds=60)


@pytest.fixture
def besieged(deployment: Deployment) -> Besieged:
    return besiege(deployment)


End = Callable[[Besieged], datetime | None]
"""Ends the session, and gives the moment of it where that was announced before it came."""


def sign_out(besieged: Besieged) -> None:
    assert besieged.victim.delete("/api/auth/session").status_code == 204


def end_it_from_elsewhere(besieged: Besieged) -> None:
    path = f"/api/auth/sessions/{besieged.session['id']}"
    assert besieged.elsewhere.delete(path).status_code == 204


def sign_in_again(besieged: Besieged) -> None:
    same = hand_over(besieged.deployment.browser(), token_of(besieged.victim))
    assert sign_in(same, besieged.person.phone).status_code == 200


def swap_the_token(besieged: Besieged) -> None:
    same = hand_over(besieged.deployment.browser(), token_of(besieged.victim))
    assert step_up(same, besieged.person.phone).status_code == 200


def end_all_others(besieged: Besieged) -> None:
    assert json_of(besieged.elsewhere.delete("/api/auth/sessions"))["ended"] >= 1


def run_out_unused(besieged: Besieged) -> datetime:
    now = clock.now()
    # Else the next use would put the end off, as it should.
    besieged.change_session(last_seen_at=now, idle_expires_at=now + SOON)
    return now + SOON


def run_out(besieged: Besieged) -> datetime:
    end = clock.now() + SOON
    besieged.change_session(expires_at=end)
    return end


def change_role(besieged: Besieged) -> None:
    """Give the person the other role, as an operator does."""
    runner = besieged.deployment.app.test_cli_runner()
    before = json_of(besieged.victim.get("/api/users/me"))["role"]
    done = runner.invoke(args=["users", "role", ADDRESS, "user" if before == "admin" else "admin"])
    assert done.exit_code == 0, done.output


def disable(besieged: Besieged) -> None:
    besieged.change_person(disabled_at=clock.now())


ENDS: dict[str, tuple[End, ...]] = {
    "end": (sign_out, end_it_from_elsewhere, sign_in_again, swap_the_token, end_all_others),
    "expiry": (run_out_unused, run_out),
    "role change": (change_role,),
    "disable": (disable,),
}


def while_it_loops(besieged: Besieged, end: End) -> None:
    """End the session while sixteen clients use it, and judge what they heard."""
    token = token_of(besieged.victim)
    cookie = {"Cookie": f"{SESSION_COOKIE}={token}"}
    requests = [written(method, path, body=body, headers=cookie) for method, path, body in ASKED]
    with looping(besieged.deployment.server.port, requests) as crew:
        crew.await_answers_to_what_begins_after(0)
        # So that the session's use is being written, too, when it ends.
        besieged.change_session(last_seen_at=clock.now() - LONG_AGO)
        begins = time.time()
        moment = end(besieged)
        acknowledged = time.time()
        over = max(acknowledged, moment.timestamp()) if moment else acknowledged
        crew.await_answers_to_what_begins_after(over)
    for one in crew.all_heard():
        if one.ended < (moment.timestamp() if moment else begins):
            assert one.said == GRANTED, f"refused before the end: {one}"
        elif one.began > over:
            assert one.said == NOT_SIGNED_IN, f"after the end: {one}"
        else:
            assert one.said in {GRANTED, NOT_SIGNED_IN}, f"at the end: {one}"


@pytest.mark.parametrize("kind", ENDS)
def test_nothing_that_begins_after_the_end_is_accepted(
    besieged: Besieged, new_tally: NewTally, kind: str
) -> None:
    """F17, ASVS 7.4.1, 7.4.2, 7.4.3, 8.3.2."""
    tally = new_tally("Sessions", f"16 clients loop: {kind}")
    for number in until_every_worker_works(besieged.deployment, trials(100)):
        with tally.trial():
            while_it_loops(besieged, ENDS[kind][number % len(ENDS[kind])])
            assert is_signed_in(besieged.bystander.client)
        besieged.change_person(disabled_at=None)
        besieged.sign_in()
        assert is_signed_in(besieged.victim)
