"""After a day at its most talkative no secret stands where it was not meant to (A14).

Every kind of secret is planted by use; then logs, files and processes are searched for each, in
every form in which one could be left there. ASVS 13.3.1, 14.2.1, 16.2.5, 16.5.1.
"""

import gzip
import os
import secrets
import stat
import subprocess
import sys
import zlib
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from sqlalchemy import insert

from app import clock
from app.models import RemovedCredential
from tests.conftest import NewTally
from tests.support import planted_day
from tests.support.databases import EngineName
from tests.support.keeper import Keeper
from tests.support.people import sign_up
from tests.support.planted_evening import Evening, everywhere, whole_day
from tests.support.planted_secrets import Kind
from tests.support.secret_places import shown_by
from tests.support.secret_search import SecretSearch
from tests.support.units import run_unit


@pytest.fixture(scope="module")
def evening(
    engine_name: EngineName, keeper: Keeper, tmp_path_factory: pytest.TempPathFactory
) -> Evening:
    """Give what one day has left."""
    if engine_name == "postgresql" and os.environ.get("TEST_DATABASE_URL"):
        pytest.skip("the files of a server that is not ours cannot be read")
    return keeper.once(
        ("planted", engine_name), lambda: whole_day(engine_name, tmp_path_factory.mktemp("planted"))
    )


def test_no_planted_secret_stands_in_any_place(evening: Evening, new_tally: NewTally) -> None:
    planted = evening.day.planted
    tally = new_tally("Secrets", "a planted secret in one place")
    assert set(planted.values) == set(Kind)

    for place, content in evening.places.items():
        tally.count(sum(map(len, planted.values.values())))
        for kind in planted.found_in(content, stored="stored" in place):
            tally.finding(f"{kind} in {place}")


def test_no_answer_tells_a_secret_again(evening: Evening, new_tally: NewTally) -> None:
    tally = new_tally("Secrets", "an answer that hands out no secret but its own")

    tally.count(evening.day.planted.answers)
    for finding in evening.day.planted.findings:
        tally.finding(finding)


def test_environment_of_the_processes_is_for_their_user_alone(evening: Evening) -> None:
    server = evening.day.deployment.server

    for process in (server.process.pid, *server.worker_pids()):
        status = Path(f"/proc/{process}/environ").stat()
        assert (stat.S_IMODE(status.st_mode), status.st_uid) == (0o400, os.geteuid())


WRITTEN: Mapping[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "hex": lambda secret: secret.hex().encode(),
    "base64": b64encode,
    "base64 behind one byte": lambda secret: b64encode(b"a" + secret),
    "base64 behind two bytes": lambda secret: b64encode(b"ab" + secret),
    "compressed, as base64url": lambda secret: urlsafe_b64encode(zlib.compress(secret)),
    "percent": lambda secret: "".join(f"%{byte:02x}" for byte in secret[:32]).encode(),
    "backwards": lambda secret: secret[::-1],
    "cut short": lambda secret: secret[:24],
}
STORED: Mapping[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "UTF-16": lambda secret: secret.decode().encode("utf-16"),
}


def shown_by_a_program_with(argument: str) -> bytes:
    program = [sys.executable, "-c", "print(flush=True); input()", argument]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()  # now it runs, and is no longer a copy of this process
        shown = shown_by(process.pid)
        process.kill()
    return shown


def test_search_finds_a_secret_that_is_left_in_those_places(evening: Evening) -> None:
    day, search = evening.day, SecretSearch()
    fresh = {form: secrets.token_urlsafe(32) for form in (*WRITTEN, *STORED)}
    for form, secret in fresh.items():
        search.add(form, secret)
    now = clock.now()

    for form, write in WRITTEN.items():
        name = write(fresh[form].encode()).decode()
        sign_up(day.browser(), email=next(planted_day.ADDRESSES), name=name)
    rows = [
        {"hash": form(fresh[name].encode()), "removed_at": now} for name, form in STORED.items()
    ]
    run_unit(day.deployment.app, lambda session: session.execute(insert(RemovedCredential), rows))
    (day.deployment.folder / "home" / "core").write_bytes(gzip.compress(fresh["plain"].encode()))
    day.shown.add(shown_by_a_program_with(fresh["hex"]))

    found = {place: search.found_in(content) for place, content in everywhere(day).items()}
    assert found["the service's log"] == set(WRITTEN)
    assert found["what is stored"] == set(fresh)
    assert found["the folder for temporary files"] == {"plain"}
    assert found["names and arguments of processes"] == {"hex"}
    if day.storage.superuser:
        assert found["the database's log, stored elsewhere"] >= set(WRITTEN)
