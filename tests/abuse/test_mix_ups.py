"""A16: a hostile provider lets another one answer, or passes an old sign-in for a new one.

The heart of a mix-up is RFC 9700 section 4.4: the code of an honest provider is to be sent to the
attacker's token endpoint, or to be believed as the attacker's. OA-4; CVE-2026-73419.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.extensions import db
from app.models import Identity, User, UserSession
from tests.conftest import NewTally
from tests.support.clients import Browser
from tests.support.counts import trials
from tests.support.deployments import Deployment
from tests.support.github_peer import GitHubPeer
from tests.support.hostile_provider import HostileProvider
from tests.support.lie import HONEST, Lie
from tests.support.lies_claimed import REAUTHENTICATION_LIES
from tests.support.loopback_http import Question
from tests.support.outside_accounts import refused, went_on
from tests.support.outsiders import (
    Outsiders,
    path_of,
    sign_in_at,
    somebody,
    to_sign_in,
    to_step_up,
)
from tests.support.people import token_of
from tests.support.provider_visits import (
    delivered_to,
    parameters_of,
    passed_on,
    sent_back,
    with_parameters,
)
from tests.support.tables import count

NewClient = Callable[[], Browser]
SUBJECT = "Lying providers"
UNUSABLE, REJECTED = "authorization_request_unusable", "identity_rejected"
STALE, UNTIMED = REAUTHENTICATION_LIES


@dataclass(frozen=True, kw_only=True)
class MixUp:
    """Who misleads whom: a sign-in begun at the attacker is carried on to an honest provider."""

    attacker: str
    honest: str
    endpoint: str
    client_id: str
    questions: list[Question]
    """What the honest provider is asked."""
    attackers: list[Question]
    """What the attacker is asked."""
    is_noticed: bool = True
    """Whether an answer says whose it is, or misses to; else only the redirect URIs tell."""

    def code_for(self, location: str, *, at: str) -> str:
        """Carry the browser to the honest provider; gives where it is sent back, with a code.

        The answer goes to the callback of either.
        """
        asked = passed_on(location, endpoint=self.endpoint, client_id=self.client_id)
        redirect_uri = parameters_of(location)["redirect_uri"]
        asked = with_parameters(asked, redirect_uri=delivered_to(at, redirect_uri))
        return path_of(sent_back(asked))


def presented(code: str, questions: list[Question]) -> bool:
    return any(one.form.get("code") == code for one in questions)


def from_github(peer: GitHubPeer, attacker: str, attackers: GitHubPeer | HostileProvider) -> MixUp:
    return MixUp(
        attacker=attacker,
        honest="github",
        endpoint=f"{peer.origin}/login/oauth/authorize",
        client_id=peer.client.id,
        questions=peer.questions,
        attackers=attackers.questions,
        is_noticed=isinstance(attackers, HostileProvider),
    )


def from_openid(provider: HostileProvider, attacker: str, attackers: GitHubPeer) -> MixUp:
    return MixUp(
        attacker=attacker,
        honest="hostile",
        endpoint=f"{provider.issuer}/authorize",
        client_id=provider.client_id,
        questions=provider.questions,
        attackers=attackers.questions,
    )


@pytest.fixture(params=["hostile to github", "ghe to openid", "ghe to github"])
def mix_up(request: pytest.FixtureRequest, providers: Outsiders) -> MixUp:
    """Give each kind of pair; an honest OpenID provider names itself in its answer, GitHub not."""
    return {
        "hostile to github": from_github(providers.github, "hostile", providers.hostile),
        "ghe to openid": from_openid(providers.hostile, "ghe", providers.ghe),
        "ghe to github": from_github(providers.github, "ghe", providers.ghe),
    }[request.param]


def granted(app: Flask) -> tuple[int, int, int]:
    return count(app, User), count(app, Identity), count(app, UserSession)


@pytest.mark.parametrize("at", ["the attacker's callback", "its own callback"])
def test_code_of_another_provider_signs_nobody_in_and_is_not_presented(
    deployment: Deployment, providers: Outsiders, mix_up: MixUp, new_tally: NewTally, at: str
) -> None:
    """The honest token endpoint is never asked for it with our secret; nor is the attacker's.

    GitHub's answers name nobody: an attacker who speaks as GitHub does would learn the code if
    GitHub sent it to the attacker's callback. Nobody can do anything with it without our secret.
    """
    tally = new_tally(SUBJECT, "a code of another provider")
    own = at == "its own callback"
    for _ in range(trials(50)):
        client, before = deployment.browser(), granted(deployment.app)
        location = to_sign_in(client, mix_up.attacker)
        answer = mix_up.code_for(location, at=mix_up.honest if own else mix_up.attacker)

        with tally.trial():
            assert refused(client.get(answer)) == (UNUSABLE if own else REJECTED)
            code = parameters_of(answer)["code"]
            assert not presented(code, mix_up.questions)
            assert presented(code, mix_up.attackers) is not (own or mix_up.is_noticed)
            assert granted(deployment.app) == before
            assert went_on(sign_in_at(client, providers.github, somebody()))


def test_redirect_uri_of_each_provider_is_its_own(
    new_client: NewClient, providers: Outsiders
) -> None:
    """OA-4: an honest provider that compares them sends nobody to the attacker's callback."""
    names = ("github", "ghe", "hostile")

    asked = [parameters_of(to_sign_in(new_client(), name))["redirect_uri"] for name in names]

    assert [uri.split("/")[-2] for uri in asked] == [*names]


@dataclass(kw_only=True)
class StepUp:
    """Somebody without a passkey, who shows again who they are by the provider that may lie."""

    app: Flask
    client: Browser
    provider: HostileProvider

    def sign_in(self) -> None:
        assert went_on(self.client.get(path_of(sent_back(to_sign_in(self.client, "hostile")))))

    def hear(self, lie: Lie) -> TestResponse:
        self.provider.lie = lie
        try:
            location = to_step_up(self.client, "hostile")
            return self.client.get(path_of(sent_back(location)))
        finally:
            self.provider.lie = HONEST

    def is_timed(self) -> bool:
        """Tell whether the session knows when the provider last asked who it is."""
        with self.app.app_context(), db.engine.connect() as connection:
            return connection.scalars(select(UserSession.auth_time)).one() is not None


@pytest.fixture
def step_up(app: Flask, new_client: NewClient, providers: Outsiders) -> StepUp:
    somebody_there = StepUp(app=app, client=new_client(), provider=providers.hostile)
    somebody_there.sign_in()
    return somebody_there


def test_old_authentication_is_no_step_up(step_up: StepUp, new_tally: NewTally) -> None:
    """OC-9, GHSA-97r5-pg8x-p63p, ASVS 6.8.4."""
    tally = new_tally(SUBJECT, "an old authentication for a step-up")
    for _ in range(trials(50)):
        before, token = granted(step_up.app), token_of(step_up.client)

        with tally.trial():
            assert refused(step_up.hear(STALE)) == STALE.expected
            assert token_of(step_up.client) == token
            assert granted(step_up.app) == before
            assert went_on(step_up.hear(HONEST))
            assert token_of(step_up.client) != token
            assert step_up.is_timed()


def test_authentication_of_an_unknown_time_is_remembered_as_one(
    step_up: StepUp, new_tally: NewTally
) -> None:
    """OC-9: a step-up all the same, as docs/identity-providers.md has it."""
    with new_tally(SUBJECT, "an authentication of an unknown time for a step-up").trial():
        assert went_on(step_up.hear(UNTIMED))
        assert not step_up.is_timed()


def test_authentication_of_somebody_else_is_no_step_up(
    step_up: StepUp, new_tally: NewTally
) -> None:
    """GHSA-97r5-pg8x-p63p: an attacker's own account at the provider freshens nothing."""
    tally = new_tally(SUBJECT, "somebody else's authentication for a step-up")
    honest, token = step_up.provider.person, token_of(step_up.client)
    for number in range(trials(50)):
        step_up.provider.person = {**honest, "sub": f"somebody-else-{number}"}
        before = granted(step_up.app)

        with tally.trial():
            assert refused(step_up.hear(HONEST)) == "wrong_identity"
            assert token_of(step_up.client) == token
            assert granted(step_up.app) == before
    step_up.provider.person = honest
    assert went_on(step_up.hear(HONEST))
