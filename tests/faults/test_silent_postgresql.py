"""A PostgreSQL that gives no answer is given up on in time: as it falls silent, and at boot.

F8, F9, P4, ASVS 13.1.2, 16.5.2.
"""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.conftest import NewTally
from tests.support.callers import (
    Caller,
    all_told,
    assert_asks_to_come_back,
    await_answer,
    begin_to_sign_in,
    calling,
    session_check,
)
from tests.support.database_proxy import Mood, database_proxy
from tests.support.databases import ScratchDatabases
from tests.support.deployments import deployed
from tests.support.people import sign_up, token_of
from tests.support.servers import ROOT, free_port
from tests.support.variables import DEVELOPMENT

pytestmark = [
    pytest.mark.usefixtures("engine_name"),
    pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True),
]

CLIENTS = 6
SOON_SECONDS = 20
SILENT_SECONDS = 7
ANSWER_SECONDS = 12
"""More than any of the service's time-outs together."""
HEALTH_SECONDS = 4


def test_a_server_that_falls_silent_is_given_up_on_in_time(
    scratch_database: ScratchDatabases, tmp_path: Path, new_tally: NewTally
) -> None:
    """F9: a stopped machine, or a network that swallows what is sent, ends no connection."""
    silence = new_tally("Locked and away", "a request to a PostgreSQL that has fallen silent")
    health = new_tally("Locked and away", "/healthz while PostgreSQL is silent")
    with (
        database_proxy(scratch_database()["DATABASE_URL"]) as proxy,
        deployed({"DATABASE_URL": proxy.url}, tmp_path) as deployment,
    ):
        client = deployment.browser()
        sign_up(client)
        calls = [session_check(deployment.browser(), token_of(client)) for _ in range(2 * CLIENTS)]
        calls += [begin_to_sign_in(deployment.browser()) for _ in range(2 * CLIENTS)]
        asked_for_health = [lambda: deployment.browser().get("/healthz")]

        with calling(calls) as callers, calling(asked_for_health) as healths:
            wait_for_answers(callers)
            proxy.mood = Mood.SILENT
            silent_at = time.monotonic()
            time.sleep(SILENT_SECONDS)
            heard_at = time.monotonic()
            proxy.mood = Mood.HONEST
            recovered = await_answer(calls[0], 200, seconds=SOON_SECONDS)

        for told in all_told(callers):
            with silence.trial():
                if told.status != 200:
                    assert_asks_to_come_back(told.answer)
                    assert told.seconds < ANSWER_SECONDS
                else:
                    assert not silent_at < told.began_at < told.ended_at < heard_at
        for told in all_told(healths):
            with health.trial():
                assert told.status == 200
                assert told.seconds < HEALTH_SECONDS
        assert recovered < ANSWER_SECONDS
        assert "unexpected_error" not in deployment.server.log()


def wait_for_answers(callers: Sequence[Caller]) -> None:
    """Wait until each has been answered, so that the service's connections are open."""
    give_up_at = time.monotonic() + SOON_SECONDS
    while not all(caller.told for caller in callers):
        assert time.monotonic() < give_up_at
        time.sleep(0.02)


def test_boot_without_a_database_ends_in_one_sentence(tmp_path: Path) -> None:
    """ASVS 16.5.2: gunicorn itself, with the exit status by which a supervisor knows."""
    address = f"postgresql://nobody@127.0.0.1:{free_port()}/nothing"
    variables = {**DEVELOPMENT, "DATABASE_URL": address, "PORT": str(free_port())}

    started = subprocess.run(
        [sys.executable, "-m", "gunicorn", "wsgi:app"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), **variables},
        capture_output=True,
        text=True,
        timeout=SOON_SECONDS * 2,
        check=False,
    )

    assert started.returncode != 0
    told = started.stdout + started.stderr
    assert "DATABASE_URL names a database that does not answer" in told
    assert "start it, or correct the setting." in told
    assert "Traceback" not in told
    assert "Booting worker" not in told
