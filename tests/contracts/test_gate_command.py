"""`flask gate` starts, serves, stops and refuses a wrong boot, as a supervisor has to know it."""

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.boots import PRODUCTION
from tests.support.commands import run_flask
from tests.support.databases import EngineName, ScratchDatabases
from tests.support.gate_servers import GateServer, gate_process
from tests.support.servers import free_port
from tests.support.variables import DEVELOPMENT

SECONDS = 20
STOP_SECONDS = 8
"""More than a worker is given, which may just be starting."""
COMMAND = {"FLASK_APP": "app:create_command_app"}


@pytest.fixture
def variables(scratch_database: ScratchDatabases) -> Mapping[str, str]:
    """Give an environment in which the gate can start: the database is migrated."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    made = {**inherited, **DEVELOPMENT, **COMMAND, **scratch_database()}
    upgraded = run_flask("db", "upgrade", variables=made)
    assert upgraded.returncode == 0, upgraded.stderr
    return made


@pytest.fixture
def gate(variables: Mapping[str, str], tmp_path: Path) -> Iterator[GateServer]:
    with gate_process(variables, tmp_path, GATE_WORKERS="2") as made:
        yield made


def await_that(condition: Callable[[], bool], what: str) -> None:
    give_up_at = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < give_up_at, what
        time.sleep(0.05)


def test_it_serves_says_where_and_stops_in_time(gate: GateServer) -> None:
    assert gate.status() == 401
    assert f"The session gate listens on 127.0.0.1:{gate.port}." in gate.log()
    assert len(gate.worker_pids()) == 2
    pids = gate.worker_pids()

    assert gate.stop() < STOP_SECONDS

    assert gate.process.returncode == 0
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]
    assert gate.status() is None
    assert "Traceback" not in gate.log()


def test_a_stop_waits_for_no_request_that_does_not_come(gate: GateServer) -> None:
    with gate.connect() as connection:
        connection.sendall(b"GET /api/auth/verify HTTP/1.1\r\n")
        time.sleep(0.2)

        assert gate.stop() < STOP_SECONDS

    assert gate.process.returncode == 0
    assert "SIGKILL" not in gate.log()


def test_a_worker_that_dies_is_replaced(gate: GateServer) -> None:
    """And the other one answers meanwhile."""
    killed, other = gate.worker_pids()

    os.kill(killed, signal.SIGKILL)

    await_that(
        lambda: killed not in gate.worker_pids() and len(gate.worker_pids()) == 2,
        f"no worker took its place:\n{gate.log()}",
    )
    assert other in gate.worker_pids()
    for _ in range(20):
        await_that(lambda: gate.status() == 401, "the new one does not answer")
    assert gate.process.poll() is None


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_it_serves_on_a_socket_file_for_its_own_group(
    variables: Mapping[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "gate.sock"
    with gate_process(variables, tmp_path, GATE_BIND=f"unix:{file}") as gate:
        assert gate.status() == 401
        assert f"listens on unix:{file}." in gate.log()
        assert file.stat().st_mode & 0o777 == 0o660
        gate.stop()
        gate.start()
        assert gate.status() == 401


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_it_serves_on_this_machine_by_name(variables: Mapping[str, str], tmp_path: Path) -> None:
    with gate_process(variables, tmp_path, GATE_BIND="localhost") as gate:
        assert gate.status() == 401
        assert f"listens on localhost:{gate.port}." in gate.log()


RefusalOf = Callable[[Mapping[str, str]], str]


@pytest.fixture
def refusal_of(tmp_path: Path) -> RefusalOf:
    """Try to start the gate, and give what it says as it ends."""

    def start(variables: Mapping[str, str]) -> str:
        inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        gate = GateServer(
            environment={"GATE_PORT": str(free_port()), **inherited, **COMMAND, **variables},
            log_file=tmp_path / "refused.log",
        )
        gate.launch()
        try:
            assert gate.process.wait(SECONDS) != 0
        finally:
            gate.kill()
        assert "Traceback" not in gate.log()
        assert "listens on" not in gate.log()
        return gate.log()

    return start


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"PUBLIC_ORIGIN": ""}, "PUBLIC_ORIGIN is missing or empty"),
        ({"SECRET_KEYS": ""}, "SECRET_KEYS is missing"),
        ({"GATE_PORT": "0"}, "GATE_PORT"),
        ({"GATE_BIND": "id.example.org"}, "GATE_BIND"),
        ({"GATE_WORKERS": "none"}, "GATE_WORKERS"),
    ],
)
def test_a_wrong_setting_ends_the_boot_in_a_sentence(
    variables: Mapping[str, str],
    refusal_of: RefusalOf,
    wrong: Mapping[str, str],
    sentence: str,
) -> None:
    good = {**variables, **PRODUCTION, "APP_ENV": "production"}

    assert sentence in refusal_of({**good, **wrong})


def test_a_database_that_is_too_old_ends_the_boot_in_a_sentence(
    scratch_database: ScratchDatabases, refusal_of: RefusalOf
) -> None:
    told = refusal_of({**DEVELOPMENT, **scratch_database()})

    assert "lacks a migration of this release: run `flask db upgrade` first." in told


def test_a_database_that_is_away_ends_the_boot_in_a_sentence(
    engine_name: EngineName, refusal_of: RefusalOf, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"This is no database." * 100)
    away = {
        "sqlite": {"SQLITE_FILE": str(broken)},
        "postgresql": {"DATABASE_URL": f"postgresql://nobody@127.0.0.1:{free_port()}/nothing"},
    }

    told = refusal_of({**DEVELOPMENT, **away[engine_name]})

    assert "names a database that does not answer" in told
    assert "start it, or correct the setting." in told


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
@pytest.mark.parametrize("kind", ["port", "socket"])
def test_an_address_in_use_ends_the_boot_in_a_sentence(
    variables: Mapping[str, str], refusal_of: RefusalOf, tmp_path: Path, kind: str
) -> None:
    """Else two would share it, one of an older release perhaps."""
    bind = "127.0.0.1" if kind == "port" else f"unix:{tmp_path / 'gate.sock'}"
    with gate_process(variables, tmp_path, GATE_BIND=bind) as gate:
        before = gate.worker_pids()

        told = refusal_of(gate.environment)

        where = f"{bind}:{gate.port}" if kind == "port" else bind
        assert f"The session gate cannot listen on {where}: Address already in use." in told
        assert gate.worker_pids() == before
        assert gate.status() == 401


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
@pytest.mark.parametrize("kind", ["port", "socket"])
def test_a_gate_that_was_killed_leaves_nothing_in_the_way(
    variables: Mapping[str, str], tmp_path: Path, kind: str
) -> None:
    """Workers that serve on would answer beside their successors, with the old code."""
    bind = "127.0.0.1" if kind == "port" else f"unix:{tmp_path / 'gate.sock'}"
    with gate_process(variables, tmp_path, GATE_BIND=bind, GATE_WORKERS="2") as gate:
        pids = gate.worker_pids()

        gate.process.kill()
        gate.process.wait()

        await_that(
            lambda: not [pid for pid in pids if Path(f"/proc/{pid}").exists()],
            "workers serve on without their parent",
        )
        gate.start()
        assert gate.status() == 401
        assert set(pids).isdisjoint(gate.worker_pids())
