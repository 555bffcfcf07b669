"""The connection breaks between a COMMIT and its answer: nobody knows whether it was carried out.

F8, P1, P4. Everything that somebody does is done once for each of its commits, and the answer to
that one is lost. The service says 503; what the database then holds is whole, and doing the same
again ends well and doubles nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
from flask import Flask

from app.extensions import db
from app.models import Credential, RecoveryCode, User
from tests.conftest import NewTally
from tests.support.clients import Browser, NoAnswerError
from tests.support.counts import trials
from tests.support.database_proxy import DatabaseProxy, database_proxy
from tests.support.databases import ScratchDatabases, delete_rows
from tests.support.deployments import deployed
from tests.support.journal import Journal
from tests.support.ledger import findings, settled
from tests.support.lives import Life, RefusedError
from tests.support.people import sign_in
from tests.support.tables import count
from tests.support.tally import Tally
from tests.support.units import application_on, engine_of
from tests.support.wary_browsers import Wariness

pytestmark = pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)

STORY = (
    "sign_up",
    "sign_in",
    "step_up",
    "enrol",
    "rename",
    "renew_codes",
    "redeem",
    "enrol_recovered",
    "remove",
    "sign_out",
)
WRITING_COMMITS = 20
"""Of the whole story: a ceremony stores its challenge, consumes it, and has its effect."""
EVERY = 1 if trials(10) > 1 else 4
DONE_BEFORE = {
    "sign_up": (409, "address_taken"),
    "redeem": (403, "recovery_code_unusable"),
    "remove": (404, "not_found"),
    # The token was swapped, or the session exchanged for another one.
    "step_up": (401, "not_signed_in"),
    "enrol_recovered": (401, "not_signed_in"),
    "sign_in": None,
}
"""What is said to whoever asks for it again, where that cannot be done twice."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """The service behind a proxy, and a way to its database round the proxy."""

    proxy: DatabaseProxy
    app: Flask
    new_browser: Callable[[], Browser]
    wary: Wariness
    port: int


@contextmanager
def stage(database: dict[str, str], folder: Path, refusals: Tally) -> Iterator[Stage]:
    with (
        database_proxy(database["DATABASE_URL"]) as proxy,
        deployed({"DATABASE_URL": proxy.url}, folder) as deployment,
        application_on(database) as app,
    ):
        yield Stage(
            proxy=proxy,
            app=app,
            new_browser=deployment.browser,
            wary=Wariness(tally=refusals),
            port=deployment.server.port,
        )


@pytest.mark.usefixtures("engine_name")
def test_an_operation_whose_commit_has_no_answer_is_whole_and_may_be_repeated(
    scratch_database: ScratchDatabases, tmp_path: Path, new_tally: NewTally
) -> None:
    tally = new_tally("Locked and away", "connection cut between COMMIT and its answer")
    refusals = new_tally("Locked and away", "a request whose COMMIT had no answer")
    with stage(dict(scratch_database()), tmp_path, refusals) as scene:
        for number in range(1, WRITING_COMMITS + 1, EVERY):
            with tally.trial():
                lose(scene, number, Journal(file=tmp_path / f"journal-{number}"))
            delete_rows(engine_of(scene.app), db.metadata)
        assert lived_through(scene, Journal(file=tmp_path / "whole")), "the story has more commits"


def lose(scene: Stage, number: int, journal: Journal) -> None:
    """Lose the answer to one commit, compare, and do the same again."""
    life = new_life(scene.wary.maker(scene.port), journal)
    scene.proxy.cut_in = number
    lost = next((one for one in STORY if not is_answered(life, one)), None)
    assert lost is not None, f"nothing came of losing commit {number}"
    settled(scene.app)
    assert not findings(scene.app, journal)

    things = count(scene.app, User, Credential, RecoveryCode)
    refused = do(life, lost)
    if refused:
        assert refused == DONE_BEFORE[lost]
        assert count(scene.app, User, Credential, RecoveryCode) == things
    assert count(scene.app, User) == 1
    if life.passkeys:
        assert 200 in {sign_in(scene.new_browser(), one.phone).status_code for one in life.passkeys}


def new_life(new_browser: Callable[[], Browser], journal: Journal) -> Life:
    chance = Random(0)  # noqa: S311 - chosen, not secret
    return Life(email="ada@example.org", new_browser=new_browser, journal=journal, chance=chance)


def do(life: Life, operation: str) -> tuple[int, str] | None:
    """Do it, always in the same way; give how it was refused, if it was."""
    life.chance.seed(operation)
    try:
        getattr(life, operation)()
    except RefusedError as error:
        return error.refusal
    return None


def is_answered(life: Life, operation: str) -> bool:
    try:
        assert do(life, operation) is None
    except NoAnswerError:
        return False
    return True


def lived_through(scene: Stage, journal: Journal) -> bool:
    """Control: nothing is cut, and the story ends; tells whether it has as many commits."""
    life = new_life(scene.new_browser, journal)
    scene.proxy.cut_in = WRITING_COMMITS + 1
    assert all(do(life, operation) is None for operation in STORY)
    assert not findings(scene.app, journal)
    return scene.proxy.cut_in == 1
