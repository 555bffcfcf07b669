"""Every connection of the pool is busy: the others wait a little and are told when to come back.

F9, DB-7, ASVS 13.1.2, 16.5.2.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from sqlalchemy import select

from app.database import BUSY_TIMEOUT_SECONDS, WRITES
from app.models import User
from tests.conftest import NewTally
from tests.faults.conftest import Deploy
from tests.support.callers import (
    Call,
    Told,
    all_told,
    assert_asks_to_come_back,
    await_answer,
    calling,
    session_check,
)
from tests.support.counts import trials
from tests.support.databases import EngineName
from tests.support.deployments import Deployment
from tests.support.lock_holders import write_lock_held
from tests.support.people import hand_over, sign_up, token_of
from tests.support.tally import Tally
from tests.support.units import engine_of

CLIENTS = max(trials(100), 40)
SIZES = ["1", "3"] if trials(10) > 1 else ["1"]
WRITERS = 12
CONNECT_SECONDS = 1
SLACK_SECONDS = 4
HEALTH_SECONDS = 4


@contextmanager
def writers_stuck(deployment: Deployment, engine_name: EngineName) -> Iterator[None]:
    """Keep whoever renames themselves waiting, with the connection that they have."""
    if engine_name == "sqlite":
        with write_lock_held(deployment.variables["SQLITE_FILE"]):
            yield
    else:
        engine = engine_of(deployment.app).execution_options(**{WRITES: True})
        with engine.begin() as connection:
            connection.execute(select(User.id).with_for_update())
            yield


def renaming(deployment: Deployment, token: str) -> Call:
    client = hand_over(deployment.browser(), token)
    return lambda: client.patch("/api/users/me", json={"name": "Ada"})


@pytest.mark.parametrize("size", SIZES)
def test_nobody_waits_long_for_a_connection(
    deploy: Deploy, new_tally: NewTally, engine_name: EngineName, size: str
) -> None:
    deployment = deploy(DB_POOL_SIZE=size, DB_CONNECT_TIMEOUT_SECONDS=str(CONNECT_SECONDS))
    waited = new_tally("Locked and away", "a request in front of an empty pool")
    health = new_tally("Locked and away", "/healthz while the pool is empty")
    token = token_of(sign_up(deployment.browser()).client)
    writers = [renaming(deployment, token) for _ in range(WRITERS)]
    readers = [session_check(deployment.browser(), token) for _ in range(CLIENTS - WRITERS)]

    with (
        calling([lambda: deployment.browser().get("/healthz")]) as healths,
        writers_stuck(deployment, engine_name),
        calling(writers + readers) as callers,
    ):
        time.sleep(3)
    recovered = [await_answer(call, 200, seconds=10) for call in (readers[0], writers[0])]

    told = all_told(callers)
    assert 503 in {one.status for one in told}
    for one in told:
        with waited.trial():
            assert_is_bounded(one)
    assert_is_quick(all_told(healths), health)
    assert max(recovered) < BUSY_TIMEOUT_SECONDS + SLACK_SECONDS


def assert_is_bounded(told: Told) -> None:
    if told.status != 200:
        assert_asks_to_come_back(told.answer)
    assert told.seconds < BUSY_TIMEOUT_SECONDS + CONNECT_SECONDS + SLACK_SECONDS


def assert_is_quick(told: Sequence[Told], tally: Tally) -> None:
    for one in told:
        with tally.trial():
            assert one.status == 200
            assert one.seconds < HEALTH_SECONDS
