"""F11, F12, F10: a restart revives no challenge and no state, and spends none either.

CVE-2026-9802.
"""

from collections.abc import Iterator, Sequence

import pytest
from sqlalchemy.orm import Session

from app import clock
from app.models import AuthorizationRequest, Identity, User
from app.services.tokens import hash_secret
from tests.conftest import NewTally
from tests.faults.conftest import Deploy
from tests.support.authenticator import Json
from tests.support.clients import Browser
from tests.support.counts import trials
from tests.support.deployments import Deployment
from tests.support.outside_accounts import refused, went_on
from tests.support.outsiders import (
    Outsiders,
    outsiders,
    sign_in_at,
    somebody,
    to_link,
    to_sign_in,
    visit,
)
from tests.support.people import is_signed_in, refusal
from tests.support.provider_visits import delivered_to, parameters_of, with_parameters
from tests.support.scenes import CEREMONIES, Ceremony, Scene, expire, granted, open_scene
from tests.support.tables import count
from tests.support.units import run_unit

UNUSABLE = (400, "challenge_unusable")
STATE_UNUSABLE = "authorization_request_unusable"
NEXT = dict(zip(CEREMONIES, [*list(CEREMONIES)[1:], *list(CEREMONIES)[:1]], strict=True))
"""For each ceremony another one, for which its challenge is not good."""


def spent(scene: Scene, ceremony: Ceremony) -> Json:
    """Give an answer that was accepted."""
    answer = scene.answer(ceremony, scene.begin(ceremony))
    assert scene.finish(ceremony, answer).status_code in {200, 201}
    return answer


def misused(scene: Scene, ceremony: Ceremony, other: Ceremony) -> Json:
    """Give an answer to a challenge that was made for another ceremony."""
    challenge = scene.begin(other)["challenge"]
    return scene.answer(ceremony, {**scene.begin(ceremony), "challenge": challenge})


def restart(deployment: Deployment, number: int) -> None:
    """Restart in an orderly way, or after everything was killed."""
    if number % 2:
        deployment.server.stop()
    else:
        deployment.server.kill()
    deployment.server.start()


def attempts_after_a_restart(
    scene: Scene, deployment: Deployment, number: int
) -> list[tuple[Ceremony, Json]]:
    """Begin and answer before a restart what must be refused after it."""
    late = [(one, scene.begin(one)) for one in CEREMONIES.values()]
    late_answers = [(one, scene.answer(one, options)) for one, options in late]
    used = [(one, spent(scene, one)) for one in CEREMONIES.values()]
    swapped = [
        (one, misused(scene, one, CEREMONIES[NEXT[name]])) for name, one in CEREMONIES.items()
    ]
    for _, options in late:
        expire(deployment.app, options)
    restart(deployment, number)
    return [*late_answers, *used, *swapped]


def test_challenge_is_good_after_a_restart_for_what_it_was_good_for_before(
    deploy: Deploy, new_tally: NewTally
) -> None:
    tally = new_tally("Once means once", "a challenge after a restart")
    deployment = deploy()
    app, scene = deployment.app, open_scene(deployment.browser)
    for number in range(trials(10)):
        scene.forget_spares(app)
        unused = {name: scene.begin(one) for name, one in CEREMONIES.items()}

        for ceremony, answer in attempts_after_a_restart(scene, deployment, number):
            before = granted(app)
            with tally.trial():
                assert refusal(scene.finish(ceremony, answer)) == UNUSABLE
                assert granted(app) == before
                assert scene.succeeds(ceremony)

        for name, options in unused.items():
            assert scene.succeeds(CEREMONIES[name], options), f"{name} begun before the restart"


Answer = tuple[Browser, str]
"""A browser, and the path that a provider sent it back to."""


@pytest.fixture
def providers() -> Iterator[Outsiders]:
    """Give the identity providers that the service knows."""
    with outsiders() as parties:
        yield parties


def answer_to(client: Browser, providers: Outsiders) -> Answer:
    """Begin to sign in and come back with an answer, not yet presented."""
    return client, visit(providers.github, somebody(), to_sign_in(client))


def answers_that_are_spent(deployment: Deployment, providers: Outsiders) -> Sequence[Answer]:
    """Give answers that are spent: by a sign-in, by a refusal, and by a wrong code."""
    accepted, denied, injected = (answer_to(deployment.browser(), providers) for _ in range(3))
    assert went_on(accepted[0].get(accepted[1]))
    no = with_parameters(denied[1], error="access_denied", code=None)
    assert refused(denied[0].get(no)) == "authorization_denied"
    wrong = with_parameters(injected[1], code="x" * 20)
    assert refused(injected[0].get(wrong)) == "identity_rejected"
    return [accepted, denied, injected]


def expired_answer(deployment: Deployment, providers: Outsiders) -> Answer:
    """Give an answer that is too late; the next round trip that is begun sweeps it away."""
    client, answer = answer_to(deployment.browser(), providers)
    state_hash = hash_secret(parameters_of(answer)["state"])

    def expire_request(session: Session) -> None:
        request = session.get_one(AuthorizationRequest, state_hash)
        request.expires_at = clock.now()

    run_unit(deployment.app, expire_request)
    return client, answer


def unused_answers(deployment: Deployment, providers: Outsiders) -> Sequence[Answer]:
    """Give answers that are good: to sign in for the first time, and to link an account."""
    owner = deployment.browser()
    assert went_on(sign_in_at(owner, providers.github, somebody()))
    link = visit(providers.github, somebody(), to_link(owner))
    return [answer_to(deployment.browser(), providers), (owner, link)]


@pytest.mark.parametrize("how", ["killed", "stopped"])
def test_state_is_good_after_a_restart_for_what_it_was_good_for_before(
    deploy: Deploy, providers: Outsiders, new_tally: NewTally, how: str
) -> None:
    """F12, CVE-2026-9802: in its own browser, at its own provider, in time, and once."""
    tally = new_tally("Once means once", f"a state after a restart, the service {how}")
    deployment = deploy(**providers.variables())
    app = deployment.app
    for _ in range(trials(10)):
        spent_ones = answers_that_are_spent(deployment, providers)
        unused = unused_answers(deployment, providers)
        late = expired_answer(deployment, providers)
        restart(deployment, ["killed", "stopped"].index(how))

        elsewhere = [(client, delivered_to("ghe", answer)) for client, answer in unused]
        strangers = [(deployment.browser(), answer) for _, answer in unused]
        before = count(app, User, Identity)
        for client, answer in [late, *spent_ones, *elsewhere, *strangers]:
            with tally.trial():
                assert refused(client.get(answer)) == STATE_UNUSABLE
                assert count(app, User, Identity) == before
                assert went_on(sign_in_at(deployment.browser(), providers.github, somebody()))
                before += 2
        for client, answer in unused:
            assert went_on(client.get(answer)), "begun before the restart"
            assert is_signed_in(client)
            assert refused(client.get(answer)) == STATE_UNUSABLE
