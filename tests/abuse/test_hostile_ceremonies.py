"""Real ceremonies with one thing wrong, ten thousands of them: none is accepted, none does harm.

A3; WA-X1, WA-X2. Most are put to the application in this process, the rest over the wire to four
workers. After every few hundred the same ceremony succeeds as it should be.
"""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from app.models import Purpose
from tests.support.authenticator import EDDSA, ES256, RS256, Authenticator
from tests.support.counts import trials
from tests.support.deployments import Deployment
from tests.support.hostile_authenticators import hostile_cases
from tests.support.hostile_ceremonies import CREATING, Case
from tests.support.onslaughts import Onslaught, log_aside
from tests.support.people import add_passkey, sign_up
from tests.support.processes import unharmed_workers
from tests.support.raw_connections import OverTheWire
from tests.support.raw_requests import InProcess, Line
from tests.support.stages import Stage
from tests.support.tally import Tally
from tests.support.variables import ORIGIN

NewTally = Callable[[str, str], Tally]

IN_PROCESS, ON_THE_WIRE = 4_600, 800
"""Cases of one kind of ceremony on one engine, in the full run."""
WARM_UP = 60

each_ceremony = pytest.mark.parametrize("purpose", Purpose, ids=[one.value for one in Purpose])


def staged(deployment: Deployment, purpose: Purpose) -> Stage:
    """Set up a ceremony; people have a passkey of each algorithm to answer with."""
    phones = [Authenticator(origin=ORIGIN, algorithm=one) for one in (EDDSA, ES256, RS256)]
    person = sign_up(deployment.browser(), phones[0])
    for phone in phones[1:]:
        add_passkey(person, phone)
    public = purpose in {Purpose.REGISTRATION, Purpose.AUTHENTICATION}
    return Stage(
        app=deployment.app,
        purpose=purpose,
        client=deployment.browser() if public else person.client,
        # To make an RSA key takes longer than everything else together.
        phones=phones[:2] if purpose in CREATING else phones,
    )


def attack(stage: Stage, line: Line, *, tally: Tally, cases: int) -> None:
    """Try cases of a ceremony, others on each engine and for each tally."""
    onslaught = Onslaught(
        app=stage.app, line=line, tally=tally, be_honest=lambda: stage.succeed(line)
    )
    onslaught.run(
        hostile_cases(stage.purpose),
        cases=cases,
        name=f"{tally.kind} {tally.engine}",
        make=stage.request,
        refusals=lambda case: case.refusals,
    )


@each_ceremony
def test_hostile_ceremony_is_refused_and_changes_nothing(
    deployment: Deployment, new_tally: NewTally, purpose: Purpose, tmp_path: Path
) -> None:
    stage, line = staged(deployment, purpose), InProcess(deployment.app)
    tally = new_tally("Hostile input", f"{purpose.value} with one thing wrong")

    with log_aside(deployment.app, tmp_path / "log"):
        stage.succeed(line)
        attack(stage, line, tally=tally, cases=trials(IN_PROCESS))


@each_ceremony
def test_hostile_ceremony_over_the_wire_harms_no_worker(
    deployment: Deployment, new_tally: NewTally, purpose: Purpose
) -> None:
    stage = staged(deployment, purpose)
    tally = new_tally("Hostile input", f"{purpose.value} with one thing wrong, over the wire")

    with closing(OverTheWire.to(deployment.server)) as line:
        for _ in range(WARM_UP):
            line.ask(stage.request(Case(spoil=dict.clear)))
        with unharmed_workers(deployment.server):
            attack(stage, line, tally=tally, cases=trials(ON_THE_WIRE))
