"""F11, F10: a restart revives no challenge, and spends none either.

CVE-2026-9802.
"""

from tests.conftest import NewTally
from tests.faults.conftest import Deploy
from tests.support.authenticator import Json
from tests.support.counts import trials
from tests.support.deployments import Deployment
from tests.support.people import refusal
from tests.support.scenes import CEREMONIES, Ceremony, Scene, expire, granted, open_scene

UNUSABLE = (400, "challenge_unusable")
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
