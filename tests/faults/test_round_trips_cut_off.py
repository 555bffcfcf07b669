"""The database goes away while somebody is on the way to a provider and back.

F6, F7, P2, P4, ASVS 16.5.2, 16.5.3: whoever comes back is told so, is not signed in, leaves nothing
half done and can try again.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from app.models import AuthorizationRequest
from tests.conftest import NewTally
from tests.support.callers import assert_tells_no_secret, await_answer
from tests.support.clients import Browser
from tests.support.clusters import Cluster, safe_cluster
from tests.support.counts import trials
from tests.support.databases import EngineName
from tests.support.deployments import Deployment, deployed
from tests.support.hostile_provider import HostileProvider, hostile_provider
from tests.support.lie import HONEST, Lie, Teller, Told
from tests.support.lock_holders import write_lock_held
from tests.support.outside_accounts import refused, went_on
from tests.support.outsiders import path_of, to_link, to_sign_in, to_step_up
from tests.support.people import SESSION_COOKIE, is_signed_in, json_of, sign_up
from tests.support.provider_visits import sent_back
from tests.support.tables import PASSING, Contents, contents, count

SUBJECT = "Locked and away"
UNUSABLE = "authorization_request_unusable"
BACK_SECONDS = 20
PURPOSES = ["sign_in", "link", "step_up"] if trials(10) > 1 else ["sign_in", "link"]

Outage = Callable[[], AbstractContextManager[None]]


@dataclass(kw_only=True)
class Scene:
    """The service, its one provider, and a database that can be taken away."""

    deployment: Deployment
    provider: HostileProvider
    outage: Outage
    _away: ExitStack = field(default_factory=ExitStack)

    def take_away(self) -> None:
        """Take the database away until it is brought back."""
        self._away.enter_context(self.outage())

    def bring_back(self) -> None:
        """Bring the database back, and wait until the service works again."""
        self._away.close()
        browser = self.deployment.browser()
        await_answer(lambda: browser.get("/readyz"), 200, seconds=BACK_SECONDS)
        begin = "/api/auth/authentication/options"
        await_answer(lambda: browser.post(begin, json={}), 200, seconds=BACK_SECONDS)

    def kept(self) -> Contents:
        """Give all that a round trip can bring about."""
        return contents(self.deployment.app, without=(*PASSING, "oauth_sessions"))

    def go_away_at_the_last_step(self) -> None:
        """Let the database go once the provider was asked for the last thing."""

        def tell(_: Teller, told: Told) -> Told:
            self.take_away()
            return told

        self.provider.lie = Lie(name="database-away", covers=(), expected=None, userinfo=tell)


@pytest.fixture
def scene(engine_name: EngineName, tmp_path: Path) -> Iterator[Scene]:
    with ExitStack() as stack:
        provider = stack.enter_context(hostile_provider())
        database, outage = stack.enter_context(database_of(engine_name, tmp_path))
        variables = {**database, "OAUTH_PROVIDERS": "hostile", **provider.variables("hostile")}
        deployment = stack.enter_context(deployed(variables, tmp_path))
        yield Scene(deployment=deployment, provider=provider, outage=outage)


@contextmanager
def database_of(engine_name: EngineName, folder: Path) -> Iterator[tuple[dict[str, str], Outage]]:
    """Give a database, and the way to take it away: stopped, or locked by a writer."""
    if engine_name == "sqlite":
        file = str(folder / "away.db")
        yield {"SQLITE_FILE": file}, lambda: write_lock_held(file)
    else:
        with safe_cluster() as cluster:
            yield {"DATABASE_URL": cluster.url}, lambda: stopped(cluster)


@contextmanager
def stopped(cluster: Cluster) -> Iterator[None]:
    cluster.stop()
    try:
        yield
    finally:
        cluster.start()


def become(provider: HostileProvider, name: str) -> None:
    """Let somebody come back from the provider, whose address it proves."""
    provider.person |= {"sub": name, "name": name, "email": f"{name}@example.org"}


def begin(scene: Scene, purpose: str) -> tuple[Browser, Callable[[], str]]:
    """Give a browser, and its way to the provider and back."""
    client = scene.deployment.browser()
    if purpose == "sign_in":
        # Somebody has the address, and may lose it.
        sign_up(scene.deployment.browser(), email="grace@example.org")
        become(scene.provider, "grace")
        return client, lambda: path_of(sent_back(to_sign_in(client, "hostile")))
    become(scene.provider, f"{purpose}-owner")
    assert went_on(client.get(path_of(sent_back(to_sign_in(client, "hostile")))))
    if purpose == "link":
        become(scene.provider, "spare")
        return client, lambda: path_of(sent_back(to_link(client, "hostile")))
    return client, lambda: path_of(sent_back(to_step_up(client, "hostile")))


def test_an_answer_that_the_database_did_not_survive_has_done_nothing(
    scene: Scene, new_tally: NewTally
) -> None:
    """Control: the same person succeeds afterwards, by the same way."""
    tally = new_tally(SUBJECT, "the database away between a state and its outcome")
    for purpose in PURPOSES:
        client, go = begin(scene, purpose)
        answer, before, session = go(), scene.kept(), client.get_cookie(SESSION_COOKIE)
        scene.go_away_at_the_last_step()
        told = client.get(answer)
        scene.bring_back()
        scene.provider.lie = HONEST

        with tally.trial():
            assert_told_to_come_back(told)
            assert client.get_cookie(SESSION_COOKIE) == session
            assert is_signed_in(client) == (purpose != "sign_in")
            assert scene.kept() == before
            assert count(scene.deployment.app, AuthorizationRequest) == 0
            assert refused(client.get(answer)) == UNUSABLE
            assert scene.kept() == before
            assert went_on(client.get(go()))
            assert scene.kept() != before


def test_an_answer_that_the_database_never_saw_is_good_when_it_is_back(
    scene: Scene, new_tally: NewTally
) -> None:
    """The person loads the page again; once it was taken, the answer is spent."""
    tally = new_tally(SUBJECT, "the database away when somebody comes back from a provider")
    client, go = begin(scene, "sign_in")
    answer, before = go(), scene.kept()
    scene.take_away()
    told = client.get(answer)
    scene.bring_back()

    with tally.trial():
        assert_told_to_come_back(told)
        assert scene.kept() == before
        assert went_on(client.get(answer))
        assert json_of(client.get("/api/auth/session"))["user"]["email"] == "grace@example.org"
        assert refused(client.get(answer)) == UNUSABLE


def assert_told_to_come_back(answer: TestResponse) -> None:
    assert (answer.status_code, answer.mimetype) == (503, "text/html")
    assert int(answer.headers["Retry-After"]) >= 1
    assert_tells_no_secret(answer)
