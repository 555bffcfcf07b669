"""PostgreSQL restarts and ends connections: nothing promised is lost, nobody passes.

F7, F8, P1, P4, ASVS 16.5.2, 16.5.3. An answer of 503 is taken for what it is: nobody can tell
whether the request was carried out, so the database may hold either, whole.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import psycopg
import pytest

from tests.conftest import NewTally
from tests.faults.conftest import Deploy
from tests.support.callers import calling
from tests.support.clients import Browser
from tests.support.clusters import Cluster, safe_cluster
from tests.support.counts import trials
from tests.support.deployments import Deployment, deployed
from tests.support.journal import Journal
from tests.support.ledger import findings, live_sessions, settled
from tests.support.lives import Life
from tests.support.load import Load
from tests.support.people import hand_over, refusal, token_of
from tests.support.tally import Tally
from tests.support.wary_browsers import Wariness

pytestmark = [
    pytest.mark.usefixtures("engine_name"),
    pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True),
]

CLIENTS = 6
SOON_SECONDS = 20
RESTARTS = 20
ENDED = 200


@contextmanager
def under_load(
    deployment: Deployment, journal: Journal, tally: Tally, refusals: Tally
) -> Iterator[Load]:
    """Change everything that can be changed; see in the end that the database is as promised."""
    wariness = Wariness(tally=refusals)
    browsers = wariness.maker(deployment.server.port)
    with Load(new_browser=browsers, journal=journal, clients=CLIENTS, seed=7) as load:
        yield load
    settled(deployment.app)
    for finding in load.refused + load.crashes + findings(deployment.app, journal):
        tally.finding(finding)
    assert wariness.refusals > 0
    log = deployment.server.log()
    assert "Traceback" not in log
    assert "unexpected_error" not in log


def assert_sessions_are_as_promised(deployment: Deployment, journal: Journal) -> None:
    tokens = live_sessions(journal)
    for token, is_good in tokens.items():
        answer = hand_over(deployment.browser(), token).get("/api/auth/session")
        if not is_good:
            assert refusal(answer) == (401, "not_signed_in")
        elif answer.status_code != 200:
            # Good for one thing alone: a recovery code opened it.
            assert refusal(answer) == (403, "enrolment_only")
    assert set(tokens.values()) == {True, False}


def restart(cluster: Cluster, number: int) -> None:
    """Restart in one way after the other; every third time the server stays away for a while."""
    if number % 3 == 2:
        cluster.stop()
        time.sleep(1)
        cluster.start()
    else:
        cluster.restart("immediate" if number % 2 == 0 else "fast")


def live_a_little(deployment: Deployment, journal: Journal) -> tuple[Browser, Browser]:
    """Give a browser that is signed in, and one with the token of a session that was ended."""
    life = Life(
        email="checked@example.org",
        new_browser=deployment.browser,
        journal=journal,
        chance=Random(7),  # noqa: S311 - chosen, not secret
    )
    life.sign_up()
    life.sign_in()
    tokens = {seat.session: token_of(seat.browser) for seat in life.seats}
    life.sign_out()
    (left,) = life.seats
    del tokens[left.session]
    (ended,) = tokens.values()
    return left.browser, hand_over(deployment.browser(), ended)


def test_restarts_lose_nothing_and_let_nobody_in(
    tmp_path: Path, journal: Journal, new_tally: NewTally
) -> None:
    """F7: an ended session stays ended, a good one is good again, without hands."""
    tally = new_tally("Locked and away", "PostgreSQL restarted under mixed writes")
    refusals = new_tally("Locked and away", "a request while PostgreSQL is away")
    checks = new_tally("Locked and away", "an ended session while PostgreSQL is away")
    with safe_cluster() as cluster, deployed({"DATABASE_URL": cluster.url}, tmp_path) as deployment:
        good, ended = live_a_little(deployment, journal)
        calls = [lambda: good.get("/api/auth/session"), lambda: ended.get("/api/auth/session")]

        with (
            under_load(deployment, journal, tally, refusals) as load,
            calling(calls) as (good_caller, ended_caller),
        ):
            for number in range(max(3, trials(RESTARTS))):
                load.await_more(2 * CLIENTS, SOON_SECONDS)
                with tally.trial():
                    restart(cluster, number)
                    load.await_answer(time.monotonic(), SOON_SECONDS)

        assert {told.status for told in good_caller.told} == {200, 503}
        for told in ended_caller.told:
            with checks.trial():
                assert told.status in {401, 503}
        assert_sessions_are_as_promised(deployment, journal)


# Of whatever is at work on the service's database.
END_ONE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
  AND (state <> 'idle' OR random() < 0.1)
ORDER BY random() LIMIT 1
"""


def test_back_ends_that_are_terminated_leave_no_half_operation(
    deploy: Deploy, journal: Journal, new_tally: NewTally
) -> None:
    """F8."""
    tally = new_tally("Locked and away", "PostgreSQL back end terminated under mixed writes")
    refusals = new_tally("Locked and away", "a request whose back end was terminated")
    deployment = deploy()
    address = deployment.variables["DATABASE_URL"]
    chance = Random(8)  # noqa: S311 - chosen, not secret
    live_a_little(deployment, journal)

    with (
        psycopg.connect(address, autocommit=True) as killer,
        under_load(deployment, journal, tally, refusals) as load,
    ):
        for _ in range(trials(ENDED)):
            give_up_at = time.monotonic() + SOON_SECONDS
            while killer.execute(END_ONE).fetchone() is None:
                assert time.monotonic() < give_up_at, "nobody is at work"
            tally.count()
            load.await_more(chance.randrange(1, CLIENTS), SOON_SECONDS)

    assert_sessions_are_as_promised(deployment, journal)
