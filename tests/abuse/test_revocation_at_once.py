"""What is taken from somebody is refused on the very next check, whichever process is asked.

F17, ASVS 7.4.2, ASVS 8.3.2. Sixteen clients ask without a pause, at four workers of the service and
at two gate processes, while another process changes one row with plain SQL. What was answered
before that was all granted; what begins after the commit is all refused.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from app import clock
from app.models import Application
from tests.conftest import NewTally
from tests.support.connections import ask_once, written
from tests.support.counts import trials
from tests.support.databases import EngineName
from tests.support.deployments import Deployment, until_every_worker_works
from tests.support.gate_cast import applications, open_for
from tests.support.gate_plain_sql import Console, console
from tests.support.gate_servers import GateServer, gate_processes
from tests.support.keeper import Keeper
from tests.support.loopers import Heard, looping
from tests.support.people import SESSION_COOKIE
from tests.support.rows import a_user
from tests.support.tally import Tally
from tests.support.units import run_unit

CLIENTS = 16
TRIALS = 200
CHECK, WHO = "/api/auth/verify", "/api/auth/session"
GONE, NOT_ALLOWED = (401, "not_signed_in"), (403, "not_allowed")
Said = tuple[int, str | None]


@dataclass(frozen=True, kw_only=True)
class Target:
    """Somebody with a session, and one handed over to an application."""

    user_id: str
    session_id: str
    root: str
    child: str


def arrange(session: Session) -> Target:
    """Sign an administrator in who is in a group, and hand the session over to an application."""
    user = a_user(name="Ada")
    user.role, user.groups = "admin", ["ops", "staff"]
    session.add(user)
    session.flush()
    root, root_token = open_for(user)
    session.add(root)
    session.flush()
    child, child_token = open_for(user, root=root, application="vault")
    session.add(child)
    return Target(user_id=user.id, session_id=root.id, root=root_token, child=child_token)


def end_the_session(sql: Console, target: Target) -> None:
    sql.execute("DELETE FROM user_sessions WHERE id = ?", target.session_id)


def let_it_run_out(sql: Console, target: Target) -> None:
    past = sql.moment(clock.now() - timedelta(seconds=1))
    sql.execute(
        "UPDATE user_sessions SET idle_expires_at = ? WHERE id = ?", past, target.session_id
    )


def disable(sql: Console, target: Target) -> None:
    now = sql.moment(clock.now())
    sql.execute("UPDATE users SET disabled_at = ? WHERE id = ?", now, target.user_id)


def demote(sql: Console, target: Target) -> None:
    sql.execute("UPDATE users SET role = 'user' WHERE id = ?", target.user_id)


def take_out_of_the_group(engine_name: EngineName) -> Callable[[Console, Target], None]:
    left = json.dumps(["ops"]) if engine_name == "sqlite" else "{ops}"

    def take(sql: Console, target: Target) -> None:
        sql.execute("UPDATE users SET groups = ? WHERE id = ?", left, target.user_id)

    return take


@dataclass(frozen=True, kw_only=True)
class Loss:
    """What is taken, what is asked meanwhile, and how it is refused from then on."""

    take: Callable[[Console, Target], None]
    asked: tuple[str, ...]
    refusal: Said


def losses(engine_name: EngineName) -> dict[str, Loss]:
    everything = (CHECK, WHO, f"{CHECK}?app=notes", f"{CHECK}?role=admin", f"{CHECK}?app=vault")
    of_the_group = (f"{CHECK}?group=staff", f"{CHECK}?app=vault")
    return {
        "session ended": Loss(take=end_the_session, asked=everything, refusal=GONE),
        "session over": Loss(take=let_it_run_out, asked=everything, refusal=GONE),
        "person disabled": Loss(take=disable, asked=everything, refusal=GONE),
        "role changed": Loss(take=demote, asked=(f"{CHECK}?role=admin",), refusal=NOT_ALLOWED),
        "group taken": Loss(
            take=take_out_of_the_group(engine_name), asked=of_the_group, refusal=NOT_ALLOWED
        ),
    }


@dataclass(frozen=True, kw_only=True)
class Scene:
    deployment: Deployment
    gates: list[GateServer]
    sql: Console
    bystander: Target

    @property
    def ports(self) -> list[int]:
        service = self.deployment.server.port
        return [service, self.gates[0].port, service, self.gates[1].port]


@pytest.fixture
def scene(
    keeper: Keeper,
    engine_name: EngineName,
    deployment: Deployment,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("gates")
    gates = keeper.once(
        ("gates", engine_name), lambda: gate_processes(deployment.server.environment, folder)
    )

    def unit(session: Session) -> Target:
        known: list[Application] = applications()
        session.add_all(known)
        return arrange(session)

    bystander = run_unit(deployment.app, unit)
    with console(deployment.variables) as sql:
        yield Scene(deployment=deployment, gates=gates, sql=sql, bystander=bystander)


def asking(target: Target, path: str) -> bytes:
    token = target.child if path.endswith("app=vault") else target.root
    return written("GET", path, headers={"Cookie": f"{SESSION_COOKIE}={token}"})


def granted(path: str) -> Said:
    return (200 if path == WHO else 204), None


def take_while_they_ask(scene: Scene, loss: Loss) -> None:
    """Take it while sixteen clients ask, and judge what they heard."""
    target = run_unit(scene.deployment.app, arrange)
    paths = [loss.asked[number % len(loss.asked)] for number in range(CLIENTS)]
    first, *others = scene.ports
    with looping(first, [asking(target, path) for path in paths], *others) as crew:
        crew.await_answers_to_what_begins_after(0)
        begins = time.time()
        loss.take(scene.sql, target)
        committed = time.time()
        crew.await_answers_to_what_begins_after(committed)
    for path, own in zip(paths, crew.heard, strict=True):
        for one in own:
            judge(one, path, loss, begins, committed)


def judge(one: Heard, path: str, loss: Loss, begins: float, committed: float) -> None:
    if one.ended < begins:
        assert one.said == granted(path), f"refused before the commit: {one}"
    elif one.began > committed:
        assert one.said == loss.refusal, f"after the commit: {one}"
    else:
        assert one.said in {granted(path), loss.refusal}, f"at the commit: {one}"


def look_after_the_bystander(scene: Scene, tally: Tally) -> None:
    for port in scene.ports:
        for path in (CHECK, WHO, f"{CHECK}?app=vault", f"{CHECK}?role=admin"):
            said = ask_once(port, asking(scene.bystander, path)).said
            if said != granted(path):
                tally.finding(f"the bystander is answered {said} at {path}")


@pytest.mark.parametrize("kind", losses("sqlite"))
def test_nothing_is_granted_that_is_asked_for_after_it_was_taken(
    scene: Scene, engine_name: EngineName, new_tally: NewTally, kind: str
) -> None:
    tally = new_tally("Session gate", f"16 clients at both servers loop: {kind}")
    loss = losses(engine_name)[kind]
    number = trials(TRIALS // len(losses(engine_name)))
    for _ in until_every_worker_works(scene.deployment, number):
        with tally.trial():
            take_while_they_ask(scene, loss)
    look_after_the_bystander(scene, tally)
