"""The session gate on bad days of the database: it refuses, says so, and comes back by itself.

F5, F6, F7, F8, F9, ASVS 16.5.2, 16.5.3. Asked are the service, with the gate in front, and a gate
as a process of its own.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import select

from app import clock
from app.models import UserSession
from tests.conftest import NewTally
from tests.faults.test_full_disk import give_room_back
from tests.support.callers import (
    Call,
    Caller,
    all_told,
    assert_asks_to_come_back,
    await_answer,
    calling,
)
from tests.support.clusters import Cluster, safe_cluster
from tests.support.counts import trials
from tests.support.databases import ScratchDatabases
from tests.support.deployments import Deployment, deployed
from tests.support.gate_asking import check_at
from tests.support.gate_cast import Cast, assemble
from tests.support.gate_servers import GateServer, gate_process
from tests.support.lock_holders import write_lock_held
from tests.support.processes import stopped
from tests.support.small_disk import filled, small_disk
from tests.support.tables import change
from tests.support.tally import Tally
from tests.support.units import run_unit

on_sqlite = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
with_an_engine = pytest.mark.usefixtures("engine_name")

RESTARTS, ENDED = 20, 200
BACK_SECONDS = 5
"""Until a check is granted again, once the database answers again."""
ANSWER_SECONDS = 6
"""More than a check's time-outs together: an answer that does not come, and a new connection."""
SILENT_SECONDS = 8
LOCKED_SECONDS = 3
A_WHILE_SECONDS = 0.3
WRITTEN_SECONDS = 5
"""Until a use is written, which waits for others for a second."""
REFUSED = ("expired", "disabled", "enrol")


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Both servers, and who asks them."""

    deployment: Deployment
    gate: GateServer
    cast: Cast

    @property
    def ports(self) -> tuple[int, int]:
        return self.deployment.server.port, self.gate.port

    def checks(self, *whose: str) -> list[Call]:
        tokens = [self.cast.tokens[one] for one in whose]
        return [check_at(port, token) for port in self.ports for token in tokens]

    def last_seen(self) -> datetime:
        query = select(UserSession.last_seen_at).where(
            UserSession.id == self.cast.session_ids["member"]
        )
        seen: datetime = run_unit(
            self.deployment.app, lambda session: session.scalars(query).one(), writes=False
        )
        return seen


@contextmanager
def both_servers(variables: dict[str, str], folder: Path) -> Iterator[Scene]:
    with (
        deployed(variables, folder, workers=2) as deployment,
        gate_process(deployment.server.environment, folder) as gate,
    ):
        yield Scene(deployment=deployment, gate=gate, cast=assemble(deployment.app))


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with safe_cluster() as made:
        yield made


@pytest.fixture(scope="module")
def on_the_cluster(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    variables = {"DATABASE_URL": cluster.url}
    with both_servers(variables, tmp_path_factory.mktemp("cluster")) as made:
        yield made


@contextmanager
def asked_all_the_time(scene: Scene) -> Iterator[tuple[Sequence[Caller], Sequence[Caller]]]:
    """Let those who are good and those who are not ask both servers while the block runs."""
    good, bad = scene.checks("member", "member"), scene.checks(*REFUSED)
    with calling([*good, *bad]) as callers:
        yield callers[: len(good)], callers[len(good) :]


def judge(good: Sequence[Caller], bad: Sequence[Caller], checks: Tally) -> None:
    """See that nobody was let in who is nobody, and that all else was said as it is."""
    for right, callers in ((204, good), (401, bad)):
        for told in all_told(callers):
            with checks.trial():
                assert told.seconds < ANSWER_SECONDS
                if told.status != right:
                    assert_asks_to_come_back(told.answer)


def await_recovery(scene: Scene) -> None:
    for check in scene.checks("member"):
        await_answer(check, 204, seconds=BACK_SECONDS)
    for check in scene.checks(*REFUSED):
        assert await_answer(check, 401, seconds=1) < 1


@with_an_engine
@on_postgresql
def test_a_postgresql_that_restarts_lets_nobody_in(
    cluster: Cluster, on_the_cluster: Scene, new_tally: NewTally
) -> None:
    """F7."""
    tally = new_tally("Session gate", "PostgreSQL restarted under checks")
    checks = new_tally("Session gate", "a check while PostgreSQL restarts")

    with asked_all_the_time(on_the_cluster) as (good, bad):
        for number in range(max(3, trials(RESTARTS))):
            with tally.trial():
                if number % 3 == 0:
                    cluster.stop()
                    time.sleep(A_WHILE_SECONDS)
                    cluster.start()
                else:
                    cluster.restart("immediate" if number % 3 == 1 else "fast")
                await_recovery(on_the_cluster)

    judge(good, bad, checks)
    assert {told.status for told in all_told(good)} == {204, 503}
    assert {told.status for told in all_told(bad)} == {401, 503}
    for server in (on_the_cluster.deployment.server, on_the_cluster.gate):
        assert "session_checks_failed" in server.log()
        assert "Traceback" not in server.log()


def processes_of(cluster: Cluster) -> list[int]:
    """Give the server's processes, those that serve a connection among them."""
    postmaster = int((Path(cluster.server.pgdata) / "postmaster.pid").read_text().split()[0])
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text()
    return [postmaster, *map(int, children.split())]


@with_an_engine
@on_postgresql
def test_a_postgresql_that_falls_silent_is_given_up_on_in_time(
    cluster: Cluster, on_the_cluster: Scene, new_tally: NewTally
) -> None:
    """F9: what is stopped closes no connection."""
    checks = new_tally("Session gate", "a check while PostgreSQL is silent")

    with asked_all_the_time(on_the_cluster) as (good, bad):
        time.sleep(A_WHILE_SECONDS)
        with stopped(processes_of(cluster)):
            silent_at = time.monotonic()
            time.sleep(SILENT_SECONDS)
            heard_at = time.monotonic()
        await_recovery(on_the_cluster)

    judge(good, bad, checks)
    refused = [told for told in all_told(good) if told.status == 503]
    assert refused
    assert not [
        told
        for told in all_told([*good, *bad])
        if silent_at < told.began_at and told.ended_at < heard_at and told.status != 503
    ]


@with_an_engine
@on_postgresql
def test_a_connection_that_was_ended_costs_no_check(
    cluster: Cluster, on_the_cluster: Scene, new_tally: NewTally
) -> None:
    """F8: whoever finds its connection gone asks again on a new one."""
    tally = new_tally("Session gate", "a check after its connection was terminated")
    end_all = """
        SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()
    """
    await_recovery(on_the_cluster)
    checks = on_the_cluster.checks("member")
    ended = 0

    with psycopg.connect(cluster.url, autocommit=True) as killer:
        for number in range(trials(ENDED)):
            (terminated,) = killer.execute(end_all).fetchone() or (0,)
            ended += terminated
            with tally.trial():
                assert checks[number % len(checks)]().status_code == 204

    assert ended >= trials(ENDED)


@pytest.fixture
def on_a_file(scratch_database: ScratchDatabases, tmp_path: Path) -> Iterator[Scene]:
    with both_servers(dict(scratch_database()), tmp_path) as made:
        yield made


def await_written(scene: Scene, after: datetime) -> None:
    """Ask until it is written that the session is in use."""
    give_up_at = time.monotonic() + WRITTEN_SECONDS
    (_, alone) = scene.checks("member")
    while scene.last_seen() <= after:
        assert alone().status_code == 204
        assert time.monotonic() < give_up_at, "the use was never written"
        time.sleep(0.1)


@on_sqlite
def test_a_writer_that_holds_the_lock_holds_no_check_up(
    on_a_file: Scene, new_tally: NewTally
) -> None:
    """F6: neither those whose use is due to be written."""
    checks = new_tally("Session gate", "a check beside a locked SQLite file")
    long_ago = clock.now() - timedelta(hours=1)
    change(on_a_file.deployment.app, UserSession, last_seen_at=long_ago)

    with write_lock_held(on_a_file.deployment.variables["SQLITE_FILE"]):
        with asked_all_the_time(on_a_file) as (good, bad):
            time.sleep(LOCKED_SECONDS)
        assert on_a_file.last_seen() == long_ago

    for right, callers in ((204, good), (401, bad)):
        for told in all_told(callers):
            with checks.trial():
                assert told.status == right
                assert told.seconds < 1
    await_written(on_a_file, long_ago)


@pytest.fixture
def on_a_small_disk(tmp_path: Path) -> Iterator[Scene]:
    with (
        small_disk(tmp_path / "disk") as disk,
        both_servers({"SQLITE_FILE": str(disk / "openbadges.db")}, tmp_path) as made,
    ):
        yield made


@with_an_engine
@on_sqlite
def test_a_full_disk_signs_nobody_out(
    on_a_small_disk: Scene, tmp_path: Path, new_tally: NewTally
) -> None:
    """F5: that a session is in use is written once there is room."""
    checks = new_tally("Session gate", "a check on a full disk")
    long_ago = clock.now() - timedelta(hours=1)
    change(on_a_small_disk.deployment.app, UserSession, last_seen_at=long_ago)
    give_room_back(on_a_small_disk.deployment.app)

    with filled(tmp_path / "disk"):
        with asked_all_the_time(on_a_small_disk) as (good, bad):
            time.sleep(LOCKED_SECONDS)
        assert on_a_small_disk.last_seen() == long_ago

    for right, callers in ((204, good), (401, bad)):
        for told in all_told(callers):
            with checks.trial():
                assert told.status == right
    await_written(on_a_small_disk, long_ago)
    assert "last_seen_not_written" in on_a_small_disk.gate.log()
