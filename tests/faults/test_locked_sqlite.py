"""A process that holds SQLite's write lock keeps writers waiting, and nobody else.

F6, ASVS 13.1.2, 15.4.4, 16.5.2.
"""

import time
from collections.abc import Sequence
from datetime import timedelta

import pytest

from app import clock
from app.database import BUSY_TIMEOUT_SECONDS
from app.models import UserSession
from tests.conftest import NewTally
from tests.faults.conftest import Deploy
from tests.support.callers import (
    Call,
    Told,
    all_told,
    assert_asks_to_come_back,
    await_answer,
    begin_to_sign_in,
    calling,
    session_check,
)
from tests.support.counts import trials
from tests.support.crowds import at_once
from tests.support.deployments import Deployment
from tests.support.lock_holders import write_lock_held
from tests.support.people import Person, passkeys, sign_in, sign_up, token_of
from tests.support.tables import change

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)

WRITERS = 72
"""More than the service has threads: four workers of sixteen."""
READERS = 6
SLACK_SECONDS = 3
LONG = [7.0] if trials(10) == 1 else [10.0, 60.0]


def writing(deployment: Deployment, number: int) -> Sequence[Call]:
    return [begin_to_sign_in(deployment.browser()) for _ in range(number)]


def checking(deployment: Deployment, person: Person) -> Sequence[Call]:
    """Check a session whose last use is due to be written."""
    change(deployment.app, UserSession, last_seen_at=clock.now() - timedelta(minutes=2))
    token = token_of(person.client)
    return [session_check(deployment.browser(), token) for _ in range(READERS)]


def test_writers_wait_for_a_lock_shorter_than_the_time_out(
    deploy: Deploy, new_tally: NewTally
) -> None:
    deployment = deploy()
    tally = new_tally("Locked and away", "a writer behind a SQLite lock of a second")
    file = deployment.variables["SQLITE_FILE"]

    with calling(writing(deployment, 8)) as callers:
        with write_lock_held(file):
            held_at = time.monotonic()
            time.sleep(1)
            freed_at = time.monotonic()
        time.sleep(1)

    told = all_told(callers)
    for one in told:
        with tally.trial():
            assert one.status == 200, one
    assert not [one for one in told if held_at < one.began_at and one.ended_at < freed_at]
    assert "database_unavailable" not in deployment.server.log()


@pytest.mark.parametrize("seconds", LONG)
def test_a_long_lock_refuses_writers_in_time_and_no_session_check(
    deploy: Deploy, new_tally: NewTally, seconds: float
) -> None:
    """P4, ASVS 16.5.3."""
    deployment = deploy()
    person = sign_up(deployment.browser())
    (writer,) = writing(deployment, 1)
    refused = new_tally("Locked and away", "a writer in front of a locked SQLite file")
    checked = new_tally("Locked and away", "a session check beside a locked SQLite file")

    checks_calls = checking(deployment, person)
    with write_lock_held(deployment.variables["SQLITE_FILE"]):
        with calling(writing(deployment, WRITERS)) as writers, calling(checks_calls) as readers:
            time.sleep(seconds)
        writes, checks = all_told(writers), all_told(readers)
    recovered = await_answer(writer, 200, seconds=5)

    for one in writes:
        with refused.trial():
            assert_asks_to_come_back(one.answer)
            assert one.seconds < 2 * BUSY_TIMEOUT_SECONDS + SLACK_SECONDS
    assert_hardly_any_waited_twice(writes)
    for one in checks:
        with checked.trial():
            assert one.status == 200, one.status
    assert_hardly_held_up(checks)
    assert recovered < BUSY_TIMEOUT_SECONDS
    try_everything(deployment, person, new_tally)


def assert_hardly_any_waited_twice(writes: Sequence[Told]) -> None:
    """See that few waited for a thread and then for the lock: the kernel deals clients unevenly."""
    seconds = sorted(one.seconds for one in writes)
    assert seconds[len(seconds) * 9 // 10] < BUSY_TIMEOUT_SECONDS + SLACK_SECONDS


def assert_hardly_held_up(checks: Sequence[Told]) -> None:
    """See that a check waits, at worst, for the moment until the lock is known to be stuck."""
    seconds = sorted(one.seconds for one in checks)
    assert seconds[-1] < BUSY_TIMEOUT_SECONDS - 1
    assert seconds[len(seconds) * 9 // 10] < 1


def try_everything(deployment: Deployment, person: Person, new_tally: NewTally) -> None:
    """Mix reads and writes of many clients: none fails, none waits for another for ever."""
    tally = new_tally("Locked and away", "an operation once the lock was let go of")

    def live(number: int) -> None:
        client = deployment.browser()
        with tally.trial(0):
            assert sign_in(client, person.phone).status_code == 200
        for turn in range(trials(1000) // 16 + 1):
            with tally.trial():
                if (number + turn) % 2:
                    named = client.patch("/api/users/me", json={"name": f"Ada {turn}"})
                    assert named.status_code == 200, named.text
                else:
                    assert len(passkeys(client)) == 1

    at_once([lambda number=number: live(number) for number in range(16)])  # type: ignore[misc]
