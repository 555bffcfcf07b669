"""A provider that never ends its answer holds up whoever comes back from it, and nobody else.

A16, ASVS 13.1.2, 15.4.4, 16.5.2: many come back at once, while others check their
sessions and sign in, with a passkey or at another provider.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import product

import pytest
from werkzeug.test import TestResponse

from app.models import AuthorizationRequest, Identity
from tests.conftest import NewTally
from tests.faults.conftest import Deploy
from tests.support.callers import Call, Caller, Told, all_told, calling, session_check
from tests.support.clients import Browser
from tests.support.counts import trials
from tests.support.crowds import at_once
from tests.support.deployments import Deployment
from tests.support.hostile_provider import hostile_provider
from tests.support.lie import HONEST
from tests.support.lies import BY_NAME
from tests.support.outside_accounts import refused, went_on
from tests.support.outsiders import Outsiders, outsiders, path_of, sign_in_at, somebody, to_sign_in
from tests.support.people import is_signed_in, sign_in, sign_up, token_of
from tests.support.provider_visits import sent_back
from tests.support.tables import count

CROWD = 80
"""More than the service has threads: four workers of sixteen."""
CHECKERS = 6
LONGEST_SECONDS = 12
"""For a refusal: what one operation may take, and a little."""
STALL_SECONDS = 5
"""The least that a stalled call takes; nobody uninvolved may wait for one."""

STEPS = ("metadata", "keys", "tokens", "userinfo")
FETCHED_ONCE = ("metadata", "keys")
"""What a service that has just started does not have."""
QUICK = [
    ("sqlite", "metadata-silent"),
    ("postgresql", "keys-dribbling"),
    ("sqlite", "tokens-dribbling"),
    ("postgresql", "userinfo-silent"),
]
FULL = [
    (engine, f"{step}-{way}")
    for engine, step, way in product(("sqlite", "postgresql"), STEPS, ("silent", "dribbling"))
]
SUBJECT = "Providers away"


@pytest.fixture
def providers() -> Iterator[Outsiders]:
    """Give the identity providers that the service knows."""
    with outsiders() as parties:
        yield parties


@dataclass(kw_only=True)
class Others:
    """People who have nothing to do with the provider that is stalled."""

    deployment: Deployment
    providers: Outsiders

    def calls(self) -> list[Call]:
        """Give what they do meanwhile: the checks first."""
        ada = sign_up(self.deployment.browser())
        bob = sign_up(self.deployment.browser(), email="bob@example.org")
        token = token_of(ada.client)
        checks = [session_check(self.deployment.browser(), token) for _ in range(CHECKERS)]
        return [
            *checks,
            lambda: paced(sign_in(self.deployment.browser(), bob.phone)),
            lambda: paced(self.sign_in_elsewhere()),
        ]

    def sign_in_elsewhere(self) -> TestResponse:
        return sign_in_at(self.deployment.browser(), self.providers.github, somebody())


def paced(answer: TestResponse) -> TestResponse:
    # These cost more than a check, on a machine that has little to spare.
    time.sleep(0.1)
    return answer


@pytest.mark.parametrize(
    ("engine_name", "lie"), FULL if trials(10) > 1 else QUICK, indirect=["engine_name"]
)
def test_a_stalled_provider_holds_up_nobody_else(
    deploy: Deploy, providers: Outsiders, new_tally: NewTally, lie: str
) -> None:
    """Whoever comes back is refused in time, is not signed in, and can try again."""
    step = lie.partition("-")[0]
    deployment = deploy(**providers.variables())
    crowd = [(deployment.browser(), number) for number in range(CROWD)]
    returns = [(client, answer_for(client, providers, number)) for client, number in crowd]
    others = Others(deployment=deployment, providers=providers).calls()
    if step in FETCHED_ONCE:
        deployment.server.kill()
        deployment.server.start()
    providers.hostile.lie = BY_NAME[lie]

    with calling(others) as callers:
        told = told_at_once([lambda one=one, path=path: one.get(path) for one, path in returns])  # type: ignore[misc]
        if step == "metadata":
            begin = "/api/oauth/hostile/authorize"
            told += told_at_once([lambda one=one: one.get(begin) for one, _ in crowd])  # type: ignore[misc]
    providers.hostile.lie = HONEST

    assert_refused_in_time(told, new_tally)
    assert_not_held_up(callers, new_tally)
    assert not any(is_signed_in(client) for client, _ in crowd)
    assert count(deployment.app, AuthorizationRequest) == 0
    at_hostile = count(deployment.app, Identity)
    assert all(can_sign_in(client, providers, number) for client, number in crowd[::8])
    assert count(deployment.app, Identity) == at_hostile + len(crowd[::8])


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_providers_that_are_all_stalled_hold_up_nobody_else(
    deploy: Deploy, new_tally: NewTally
) -> None:
    """As when a network lets nothing out any more."""
    with ExitStack() as stack:
        peers = {
            name: stack.enter_context(hostile_provider(client_id=name))
            for name in ("one", "two", "three")
        }
        names, variables = list(peers), {"OAUTH_PROVIDERS": ",".join(peers)}
        for name, peer in peers.items():
            variables |= peer.variables(name)
        deployment = deploy(**variables)
        ways = [(deployment.browser(), names[number % len(names)]) for number in range(CROWD)]
        returns = [(client, path_of(sent_back(to_sign_in(client, name)))) for client, name in ways]
        ada = sign_up(deployment.browser())
        # Somebody else, since past twenty sign-ins the oldest session ends.
        bob = sign_up(deployment.browser(), email="bob@example.org")
        token = token_of(ada.client)
        others = [session_check(deployment.browser(), token) for _ in range(CHECKERS)]
        others.append(lambda: paced(sign_in(deployment.browser(), bob.phone)))
        for peer in peers.values():
            peer.lie = BY_NAME["tokens-dribbling"]

        with calling(others) as callers:
            told = told_at_once([lambda one=one, path=path: one.get(path) for one, path in returns])  # type: ignore[misc]

    assert_refused_in_time(told, new_tally)
    assert_not_held_up(callers, new_tally)


def answer_for(client: Browser, providers: Outsiders, number: int) -> str:
    """Go to the provider and come back, with an answer that is not yet presented."""
    providers.hostile.person |= {"sub": f"person-{number}", "email": f"{number}@example.org"}
    return path_of(sent_back(to_sign_in(client, "hostile")))


def can_sign_in(client: Browser, providers: Outsiders, number: int) -> bool:
    return went_on(client.get(answer_for(client, providers, number)))


def told_at_once(calls: Sequence[Call]) -> list[Told]:
    return at_once([Caller(call=call).ask for call in calls])


def assert_refused_in_time(told: Sequence[Told], new_tally: NewTally) -> None:
    tally = new_tally(SUBJECT, "somebody who comes back from a stalled provider")
    for one in told:
        with tally.trial():
            assert one.answer is not None
            assert refused(one.answer) == "provider_unavailable"
            assert one.seconds < LONGEST_SECONDS
    # Control: at least one of them was waited for.
    assert max(one.seconds for one in told) > STALL_SECONDS - 1


def assert_not_held_up(callers: Sequence[Caller], new_tally: NewTally) -> None:
    checked = new_tally(SUBJECT, "a session check beside a stalled provider")
    entered = new_tally(SUBJECT, "a sign-in beside a stalled provider")
    checks, entries = all_told(callers[:CHECKERS]), all_told(callers[CHECKERS:])
    for one in checks:
        with checked.trial():
            assert one.status == 200, one.status
            assert one.seconds < STALL_SECONDS - 1
    for one in entries:
        with entered.trial():
            assert one.status in {200, 303}, one.status
            assert one.answer is None or one.status == 200 or went_on(one.answer)
    seconds = sorted(one.seconds for one in checks)
    assert seconds[len(seconds) * 9 // 10] < 1
