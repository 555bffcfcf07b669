"""F13: sixteen present one value at the same moment to four workers, and exactly one is let in.

Five hundred values in all; after each, the same thing done alone succeeds. ASVS 2.3.4, 15.4.2;
CVE-2026-82761, CVE-2026-107276.
"""

from collections.abc import Callable, Iterator
from functools import partial

import pytest
from flask import Flask

from app.models import Credential, User
from app.services.people import get_user_by_address
from app.services.recovery import make_link_code
from tests.conftest import NewTally
from tests.support.counts import trials
from tests.support.crowds import at_once
from tests.support.deployments import Deployment
from tests.support.people import (
    ADDRESS,
    hand_over,
    new_codes,
    new_phone,
    post,
    sign_in,
    token_of,
)
from tests.support.presenters import PRESENTERS, a_crowd, cookies_in, present, the_one
from tests.support.scenes import (
    AUTHENTICATION,
    CEREMONIES,
    ENROLMENT,
    REAUTHENTICATION,
    REGISTRATION,
    Scene,
    open_scene,
    window_of,
)
from tests.support.tables import count
from tests.support.units import run_unit

SUBJECT = "Once means once"
SPENT = (400, "challenge_unusable")
SIGNED_OUT = (401, "not_signed_in")
BROUGHT = {REGISTRATION: (1, 1, 1), AUTHENTICATION: (0, 0, 1), REAUTHENTICATION: (0, 0, 1)} | {
    ENROLMENT: (0, 1, 0)
}
"""How many people, passkeys and session cookies one success makes."""


@pytest.mark.parametrize("name", CEREMONIES)
def test_one_challenge_is_accepted_once(
    deployment: Deployment, new_tally: NewTally, name: str
) -> None:
    tally, ceremony = new_tally(SUBJECT, f"sixteen with one challenge, {name}"), CEREMONIES[name]
    app, scene = deployment.app, open_scene(deployment.browser)
    crowd = [window_of(scene.person.client, deployment.browser) for _ in range(PRESENTERS)]
    # Whoever comes when a step-up has swapped the session's token is a stranger already.
    refusals = {SPENT, SIGNED_OUT} if ceremony is REAUTHENTICATION else {SPENT}
    for _ in range(trials(70)):
        scene.forget_spares(app)
        for browser in crowd if not ceremony.public else []:
            hand_over(browser, token_of(scene.person.client))
        answer = scene.answer(ceremony, scene.begin(ceremony))
        before = count(app, User), count(app, Credential)

        answers = present(crowd, ceremony.path, {"credential": answer})

        with tally.trial():
            winner = the_one(crowd, answers, *refusals)
            after = count(app, User) - before[0], count(app, Credential) - before[1]
            assert (*after, cookies_in(answers)) == BROUGHT[ceremony]
            if not ceremony.public:
                hand_over(scene.person.client, token_of(winner))
            assert scene.succeeds(ceremony)


def of_the_person(_app: Flask, scene: Scene) -> Iterator[str]:
    while True:
        # Past twenty sessions the oldest end, and the ones that codes lead to count.
        client, phone = scene.person.client, scene.person.phone
        assert sign_in(client, phone, credential=scene.person.credential).status_code == 200
        yield from new_codes(client)


def of_an_operator(app: Flask, _scene: Scene) -> Iterator[str]:
    while True:
        yield run_unit(app, lambda s: make_link_code(s, user=get_user_by_address(s, ADDRESS)))


@pytest.mark.parametrize(
    ("codes_of", "values"), [(of_the_person, trials(80)), (of_an_operator, trials(40))]
)
def test_one_code_opens_one_session(
    deployment: Deployment,
    new_tally: NewTally,
    codes_of: Callable[[Flask, Scene], Iterator[str]],
    values: int,
) -> None:
    """ASVS 6.5.1; CVE-2026-37982."""
    tally = new_tally(SUBJECT, f"sixteen with one code, {codes_of.__name__}".replace("_", " "))
    crowd, scene = a_crowd(deployment.browser), open_scene(deployment.browser)
    codes = codes_of(deployment.app, scene)
    for _ in range(values):
        answers = present(crowd, "/api/auth/recovery", {"code": next(codes)})

        with tally.trial():
            winner = the_one(crowd, answers, (403, "recovery_code_unusable"))
            assert cookies_in(answers) == 1
            assert post(winner, f"{ENROLMENT.path}/options")
            alone = deployment.browser().post("/api/auth/recovery", json={"code": next(codes)})
            assert alone.status_code == 200


def test_one_recovery_session_enrols_one_passkey(
    deployment: Deployment, new_tally: NewTally
) -> None:
    """CVE-2026-37982: each of the sixteen has a challenge of its own."""
    tally = new_tally(SUBJECT, "sixteen enrolments in one recovery session")
    app, scene = deployment.app, open_scene(deployment.browser)
    codes = of_the_person(app, scene)
    for _ in range(trials(20)):
        scene.forget_spares(app)
        window = window_of(scene.person.client, deployment.browser)
        window.post("/api/auth/recovery", json={"code": next(codes)})
        crowd = [
            hand_over(window_of(window, deployment.browser), token_of(window))
            for _ in range(PRESENTERS)
        ]
        begun = [post(one, f"{ENROLMENT.path}/options") for one in crowd]
        made = [{"credential": new_phone().create(options)} for options in begun]
        before = count(app, Credential)

        answers = at_once(
            [
                partial(one.post, ENROLMENT.path, json=body)
                for one, body in zip(crowd, made, strict=True)
            ]
        )

        with tally.trial():
            the_one(crowd, answers, SIGNED_OUT, SPENT)
            assert count(app, Credential) - before == cookies_in(answers) == 1
            alone = deployment.browser()
            alone.post("/api/auth/recovery", json={"code": next(codes)})
            made_alone = new_phone().create(post(alone, f"{ENROLMENT.path}/options"))
            assert ENROLMENT.finish(alone, made_alone).status_code == 201
