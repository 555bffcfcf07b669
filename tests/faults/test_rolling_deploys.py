"""A deploy under load: two releases on one database, and what each does when it does not fit.

F20, P6, DB-18. This code is the older release; the newer one is a copy with one more migration.
"""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text
from werkzeug.test import TestResponse

from tests.conftest import NewTally
from tests.faults.conftest import Deploy
from tests.support.callers import Call, Caller, all_told, calling
from tests.support.counts import trials
from tests.support.migrations import HEAD, version, with_migration
from tests.support.migrators import Migrators, Run
from tests.support.people import (
    Person,
    hand_over,
    is_signed_in,
    refusal,
    sign_in,
    sign_up,
    token_of,
)
from tests.support.releases import next_release, refused_boot
from tests.support.servers import ROOT, Server, running_server
from tests.support.units import PATIENCE_SECONDS, engine_of
from tests.support.variables import ORIGIN

ADD = """
op.create_table("extra", sa.Column("id", sa.Integer(), primary_key=True))
op.add_column("users", sa.Column("nickname", sa.Text()))
op.create_index("ix_users_nickname", "users", ["nickname"])
"""
REMOVE_AGAIN = """
op.drop_index("ix_users_nickname")
op.drop_column("users", "nickname")
op.drop_table("extra")
"""
BREAK = """
floor = sa.table("schema_floor", sa.column("revision"))
op.execute(floor.update().values(revision="099_extra"))
"""
MEND = BREAK.replace('revision="099_extra"', 'revision="002_oauth"')
LOCKED_OUT = re.compile(
    r"migration 099_extra: failed after \d\.\d\d s, nothing of it was kept: "
    r"canceling statement due to lock timeout; "
    r"statement: ALTER TABLE users ADD COLUMN nickname TEXT\n"
)
WORKERS = 2


def what_people_do(server: Server, ada: Person, bob: Person) -> Sequence[Call]:
    """Read and write with one session, sign in anew, and ask for readiness."""
    reader, writer = (hand_over(server.browser(), token_of(ada.client)) for _ in range(2))
    calls: list[Call] = [
        lambda: reader.get("/api/auth/session"),
        lambda: writer.patch("/api/users/me", json={"name": "Ada"}),
        # Past twenty sessions Bob's oldest ones end, and none of Ada's.
        lambda: sign_in(server.browser(), bob.phone),
        lambda: server.browser().get("/readyz"),
    ]
    return [paced(call) for call in calls]


def paced(call: Call) -> Call:
    # Two releases start while people ask, on a machine that has little to spare.
    def take_a_breath_and_call() -> TestResponse:
        time.sleep(0.1)
        return call()

    return take_a_breath_and_call


def await_more(callers: Sequence[Caller], number: int = 3) -> None:
    """Wait until every client was told something some more times."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS * number
    wanted = [len(caller.told) + number for caller in callers]
    while any(len(one.told) < many for one, many in zip(callers, wanted, strict=True)):
        assert time.monotonic() < give_up_at, "a client was not answered"
        time.sleep(0.02)


def statuses(callers: Sequence[Caller]) -> set[int]:
    return {told.status for told in all_told(callers)}


@contextmanager
def new_server(variables: Mapping[str, str], release: Path) -> Iterator[Server]:
    """Do what a deploy does: the release phase, then the service, at the same public origin."""
    log_file = release / "service.log"
    with running_server(
        variables, log_file, workers=WORKERS, origin=ORIGIN, folder=release
    ) as server:
        yield server


def test_both_releases_serve_everybody_while_one_replaces_the_other(
    deploy: Deploy, tmp_path: Path, new_tally: NewTally
) -> None:
    tally = new_tally("Upgrades", "requests answered during a rolling deploy")
    old = deploy(workers=WORKERS)
    ada, bob = sign_up(old.browser()), sign_up(old.browser(), email="bob@example.org")
    release = next_release(tmp_path, ADD, down=REMOVE_AGAIN)

    with calling(what_people_do(old.server, ada, bob)) as before:
        await_more(before)
        with new_server(old.variables, release) as server:
            assert version(old.app) == "099_extra"
            with calling(what_people_do(server, ada, bob)) as after:
                await_more([*before, *after], trials(100))
            # A person of one release is the other's, too.
            eve = sign_up(server.browser(), email="eve@example.org")
            assert is_signed_in(hand_over(old.browser(), token_of(eve.client)))
            assert sign_in(old.browser(), eve.phone).status_code == 200
        await_more(before)

    with tally.trial(times=len(all_told([*before, *after]))):
        assert statuses(before) | statuses(after) == {200}
    old.server.stop()
    old.server.start()
    for person in (ada, eve):
        assert is_signed_in(hand_over(old.browser(), token_of(person.client)))


def test_release_that_does_not_fit_the_schema_says_so_and_is_not_ready(
    deploy: Deploy, migrators: Migrators, tmp_path: Path
) -> None:
    service = deploy(workers=1)
    release = next_release(tmp_path, BREAK, down=MEND)
    names = "DATABASE_URL" if "DATABASE_URL" in service.variables else "SQLITE_FILE"
    directory = str(release / "migrations")

    def go(command: str, revision: str) -> TestResponse:
        run = Run(
            variables=service.variables, command=command, revision=revision, directory=directory
        )
        migrators.succeed(run)
        return service.browser().get("/readyz")

    refused = refused_boot(service.server, release)
    assert refused == (
        f"{names} names a database that lacks a migration of this release: "
        "run `flask db upgrade` first.\n"
    )
    assert refusal(go("downgrade", "002_oauth")) == (503, "schema_too_old")
    assert go("upgrade", HEAD).status_code == 200

    assert refusal(go("upgrade", "099_extra")) == (503, "schema_too_new")
    assert service.browser().get("/healthz").status_code == 200
    refused = refused_boot(service.server, ROOT)
    assert refused == (
        f"{names} names a database that was upgraded beyond what this release can serve: "
        "run a newer release.\n"
    )
    assert go("downgrade", HEAD).status_code == 200


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_upgrade_that_waits_for_a_lock_gives_up_before_anybody_else_does(
    deploy: Deploy, migrators: Migrators, tmp_path: Path
) -> None:
    service = deploy(workers=WORKERS)
    ada, bob = sign_up(service.browser()), sign_up(service.browser(), email="bob@example.org")
    directory = str(with_migration(tmp_path, ADD, down=REMOVE_AGAIN))
    upgrade = Run(variables=service.variables, directory=directory)

    with calling(what_people_do(service.server, ada, bob)) as callers:
        await_more(callers)
        with engine_of(service.app).connect() as reader:
            reader.execute(text("SELECT count(*) FROM users"))
            (refused,) = migrators.run(upgrade)
        await_more(callers)
        migrators.succeed(upgrade)
        await_more(callers)

    assert refused.status == 1
    assert LOCKED_OUT.fullmatch(refused.printed), refused.printed
    assert statuses(callers) == {200}
