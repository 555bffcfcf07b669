"""A clock that jumps: what is over by the service's clock is refused, and nothing comes back.

F10, CVE-2026-9802, P4, ASVS 7.3.1, 7.3.2. The one clock is the application's: the database's,
which does not jump here, decides nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import pytest
from sqlalchemy import select, update

from app import clock
from app.models import UserSession
from app.services.tokens import hash_secret
from tests.conftest import NewTally
from tests.support.authenticator import Json
from tests.support.clients import Browser
from tests.support.counts import trials
from tests.support.databases import ScratchDatabases
from tests.support.deployments import Deployment, deployed
from tests.support.people import (
    Person,
    hand_over,
    is_signed_in,
    post,
    refusal,
    sign_in,
    sign_up,
    token_of,
)
from tests.support.shifted_clock import ShiftedClock
from tests.support.tables import change
from tests.support.units import run_unit

HOUR, DAY = 3600, 86_400
JUMPS = {
    "an_hour_ahead": HOUR,
    "a_day_ahead": DAY,
    "an_hour_back": -HOUR,
    "a_day_back": -DAY,
    "five_minutes_back": -300,
}
IDLE_SECONDS, ABSOLUTE_SECONDS = 1800, 7200
OVER = (401, "not_signed_in")
TIMES = trials(20)


@dataclass(frozen=True, kw_only=True)
class Scene:
    """The service with a clock that can be set, and somebody who has an account."""

    deployment: Deployment
    clock: ShiftedClock
    person: Person

    def signed_in(self) -> Browser:
        client = self.deployment.browser()
        assert sign_in(client, self.person.phone).status_code == 200
        return client

    def signed_in_somewhere(self) -> Browser:
        """Sign in until both requests of the ceremony came to workers of one mind."""
        while True:
            client = self.deployment.browser()
            answer = sign_in(client, self.person.phone)
            if answer.status_code == 200:
                return client
            assert refusal(answer) == (400, "challenge_unusable")

    def restart(self) -> None:
        self.deployment.server.stop()
        self.deployment.server.start(*self.clock.wrapper)

    def ends(self, client: Browser) -> tuple[datetime, datetime]:
        """Give the idle and the absolute end of the browser's session, as stored."""
        query = select(UserSession.idle_expires_at, UserSession.expires_at).where(
            UserSession.token_hash == hash_secret(token_of(client))
        )
        idle, absolute = run_unit(
            self.deployment.app, lambda session: session.execute(query).one(), writes=False
        )
        return idle, absolute


@pytest.fixture(scope="module")
def kept_scene(
    scratch_database: ScratchDatabases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("clock")
    with deployed(
        scratch_database(),
        folder,
        SESSION_IDLE_SECONDS=str(IDLE_SECONDS),
        SESSION_ABSOLUTE_SECONDS=str(ABSOLUTE_SECONDS),
    ) as deployment:
        shifted = ShiftedClock(folder / "clock.json")
        person = sign_up(deployment.browser())
        scene = Scene(deployment=deployment, clock=shifted, person=person)
        scene.restart()
        yield scene


@pytest.fixture
def scene(kept_scene: Scene) -> Iterator[Scene]:
    """Give the service with the right time, whatever a test does to it."""
    yield kept_scene
    kept_scene.clock.set()


def ask_for_challenge(scene: Scene) -> tuple[Browser, Json]:
    client = scene.deployment.browser()
    return client, post(client, "/api/auth/authentication/options")


def answer_challenge(scene: Scene, client: Browser, options: Json) -> tuple[int, str]:
    assertion = scene.person.phone.get(options)
    answer = client.post("/api/auth/authentication", json={"credential": assertion})
    return (200, "") if answer.status_code == 200 else refusal(answer)


def check(client: Browser) -> tuple[int, str]:
    answer = client.get("/api/auth/session")
    return (200, "") if answer.status_code == 200 else refusal(answer)


def test_what_is_over_by_the_clock_is_refused_wherever_it_jumps(
    scene: Scene, new_tally: NewTally
) -> None:
    """A jump back puts no end off, and a jump there and back revives nothing."""
    tally = new_tally("Locked and away", "session and challenge across a jump of the clock")
    ended = scene.signed_in()
    token = token_of(ended)
    assert ended.delete("/api/auth/session", json={}).status_code == 204
    hand_over(ended, token)
    for _ in range(TIMES):
        for seconds in JUMPS.values():
            with tally.trial():
                jump(scene, seconds)
                assert check(ended) == OVER
                scene.clock.set()


def jump(scene: Scene, seconds: int) -> None:
    client = scene.signed_in()
    ends = scene.ends(client)
    asking, options = ask_for_challenge(scene)

    scene.clock.set(seconds)
    if seconds > 0:
        assert check(client) == OVER
        assert answer_challenge(scene, asking, options) == (400, "challenge_unusable")
    else:
        assert check(client) == (200, "")
        assert scene.ends(client) == ends
        assert answer_challenge(scene, asking, options) == (200, "")
        assert answer_challenge(scene, asking, options) == (400, "challenge_unusable")
    # Control: by whatever clock, people sign in.
    assert is_signed_in(scene.signed_in())

    scene.clock.set()
    assert is_signed_in(client) is (seconds < 0)


@pytest.mark.parametrize("lifetime", [IDLE_SECONDS, ABSOLUTE_SECONDS], ids=["idle", "absolute"])
def test_a_session_ends_within_a_second_of_the_clock(scene: Scene, lifetime: int) -> None:
    client = scene.signed_in()
    if lifetime == ABSOLUTE_SECONDS:
        # As if it were used all the time.
        end = scene.ends(client)[1]
        change(scene.deployment.app, UserSession, idle_expires_at=end, idle_seconds=DAY)

    scene.clock.set(lifetime - 60)
    # Control; that this is use does not put the end off, since the last was a moment ago.
    change(scene.deployment.app, UserSession, last_seen_at=scene.ends(client)[0])
    assert check(client) == (200, "")
    scene.clock.set(lifetime + 1)
    assert check(client) == OVER


def test_a_restart_revives_nothing(scene: Scene) -> None:
    """CVE-2026-9802: neither what expired nor what was ended, however the clock is set then."""
    expired, ended, good = scene.signed_in(), scene.signed_in(), scene.signed_in()
    token = token_of(ended)
    assert ended.delete("/api/auth/session", json={}).status_code == 204
    hand_over(ended, token)
    with set_ahead(scene, HOUR):
        assert check(expired) == OVER

    scene.clock.set(-DAY)
    scene.restart()
    assert [check(client) for client in (expired, ended, good)] == [OVER, OVER, (200, "")]
    scene.clock.set()
    assert [check(client) for client in (expired, ended, good)] == [OVER, OVER, (200, "")]


def test_what_was_refused_as_expired_stays_refused(scene: Scene) -> None:
    client = scene.signed_in()
    assert check(client) == (200, "")
    with set_ahead(scene, HOUR):
        assert check(client) == OVER

    assert check(client) == OVER


def test_a_worker_whose_clock_is_ahead_ends_sessions_sooner_and_lets_nobody_in(
    scene: Scene, new_tally: NewTally
) -> None:
    tally = new_tally("Locked and away", "a request to four workers, one of them an hour ahead")
    ahead = scene.deployment.server.worker_pids()[0]
    scene.clock.set(HOUR, pid=ahead)
    heard = set()
    for _ in range(TIMES * 5):
        with tally.trial():
            over, good = scene.signed_in_somewhere(), scene.signed_in_somewhere()
            expire(scene, over)
            assert check(over) == OVER
            heard.add(check(good))
    assert heard <= {OVER, (200, "")}
    assert (200, "") in heard

    scene.clock.set(0, pid=ahead)
    assert is_signed_in(scene.signed_in())


def expire(scene: Scene, client: Browser) -> None:
    """Let the session's time be over, by the clock of those that have the right one."""
    statement = (
        update(UserSession)
        .where(UserSession.token_hash == hash_secret(token_of(client)))
        .values(idle_expires_at=clock.now())
    )
    run_unit(scene.deployment.app, lambda session: session.execute(statement))


@contextmanager
def set_ahead(scene: Scene, seconds: int) -> Iterator[None]:
    scene.clock.set(seconds)
    yield
    scene.clock.set()
