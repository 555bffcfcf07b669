"""F11: a thousand challenges are presented once more, late, elsewhere or for something else.

None is accepted, and after each attempt the same ceremony, done properly, still is. What a
restart does to a challenge is tried in `faults/test_replays_after_a_restart.py`.

ASVS 2.3.1; CVE-2026-18963, CVE-2026-28787, CVE-2026-55167, CVE-2026-76214.
"""

from collections.abc import Callable
from itertools import permutations

import pytest
from flask import Flask

from tests.conftest import NewTally
from tests.support.clients import Browser
from tests.support.counts import trials
from tests.support.deployments import Deployment
from tests.support.people import (
    SESSION_COOKIE,
    hand_over,
    post,
    refusal,
    sign_in,
    sign_up,
    token_of,
)
from tests.support.scenes import CEREMONIES, Ceremony, Scene, expire, granted, open_scene, window_of

SUBJECT = "Once means once"
UNUSABLE = (400, "challenge_unusable")
EACH = pytest.mark.parametrize("ceremony", CEREMONIES.values(), ids=CEREMONIES)
PAIRS = list(permutations(CEREMONIES, 2))


@pytest.fixture
def scene(new_client: Callable[[], Browser]) -> Scene:
    return open_scene(new_client)


@EACH
@pytest.mark.parametrize("spent_by", ["the same answer", "another answer", "an answer refused"])
def test_challenge_is_not_accepted_again(
    app: Flask, scene: Scene, new_tally: NewTally, ceremony: Ceremony, spent_by: str
) -> None:
    """WA-R8, WA-A11: nor after an answer that was refused, else each allowed many attempts."""
    tally = new_tally(SUBJECT, "a challenge again")
    for _ in range(trials(20)):
        scene.forget_spares(app)
        options = scene.begin(ceremony)
        answer = scene.answer(ceremony, options, broken=spent_by == "an answer refused")
        first = scene.finish(ceremony, answer)
        assert first.status_code in ({400, 401} if "refused" in spent_by else {200, 201})
        if spent_by != "the same answer":
            answer = scene.answer(ceremony, options)
        before = granted(app)

        with tally.trial():
            assert refusal(scene.finish(ceremony, answer)) == UNUSABLE
            assert granted(app) == before
            assert scene.succeeds(ceremony)


@EACH
def test_challenge_is_not_accepted_late(
    app: Flask, scene: Scene, new_tally: NewTally, ceremony: Ceremony
) -> None:
    tally = new_tally(SUBJECT, "a challenge after its expiry")
    for _ in range(trials(50)):
        scene.forget_spares(app)
        options = scene.begin(ceremony)
        answer, before = scene.answer(ceremony, options), granted(app)
        expire(app, options)

        with tally.trial():
            assert refusal(scene.finish(ceremony, answer)) == UNUSABLE
            assert granted(app) == before
            assert scene.succeeds(ceremony)


@pytest.mark.parametrize(("begun", "finished"), PAIRS, ids=[" for ".join(pair) for pair in PAIRS])
def test_challenge_is_accepted_for_no_other_purpose(
    app: Flask, scene: Scene, new_tally: NewTally, begun: str, finished: str
) -> None:
    tally = new_tally(SUBJECT, "a challenge for another purpose")
    its_own, other = CEREMONIES[begun], CEREMONIES[finished]
    for _ in range(trials(20)):
        scene.forget_spares(app)
        options, others_options = scene.begin(its_own), scene.begin(other)
        swapped = {**others_options, "challenge": options["challenge"]}
        answer, before = scene.answer(other, swapped), granted(app)

        with tally.trial():
            assert refusal(scene.finish(other, answer)) == UNUSABLE
            assert granted(app) == before
            assert scene.succeeds(other, others_options)
            assert scene.succeeds(its_own, options)


Thief = Callable[[Scene, Callable[[], Browser]], Browser]


def stranger(_scene: Scene, new_client: Callable[[], Browser]) -> Browser:
    return new_client()


def browser_that_began_another(_scene: Scene, new_client: Callable[[], Browser]) -> Browser:
    browser = new_client()
    post(browser, "/api/auth/authentication/options")
    return browser


def somebody_signed_in(_scene: Scene, new_client: Callable[[], Browser]) -> Browser:
    return sign_up(new_client(), email="eve@example.org").client


def other_session_in_the_same_browser(scene: Scene, new_client: Callable[[], Browser]) -> Browser:
    window = window_of(scene.person.client, new_client)
    assert sign_in(window, scene.person.phone).status_code == 200
    return window


def other_person_in_the_same_browser(scene: Scene, new_client: Callable[[], Browser]) -> Browser:
    window = window_of(scene.person.client, new_client)
    return sign_up(window, email="eve@example.org").client


def same_session_in_another_browser(_scene: Scene, new_client: Callable[[], Browser]) -> Browser:
    return browser_that_began_another(_scene, new_client)


PUBLIC = [name for name, one in CEREMONIES.items() if one.public]
BOUND = [name for name in CEREMONIES if name not in PUBLIC]
THIEVES = [
    *((name, thief) for name in PUBLIC for thief in (stranger, browser_that_began_another)),
    *((name, somebody_signed_in) for name in PUBLIC),
    *((name, other_session_in_the_same_browser) for name in BOUND),
    *((name, other_person_in_the_same_browser) for name in BOUND),
    *((name, same_session_in_another_browser) for name in BOUND),
]


@pytest.mark.parametrize(
    ("name", "enter"), THIEVES, ids=[f"{name} by {enter.__name__}" for name, enter in THIEVES]
)
def test_challenge_is_not_accepted_in_another_browser_or_session(
    deployment: Deployment, scene: Scene, new_tally: NewTally, name: str, enter: Thief
) -> None:
    """The owner's own answer is accepted after it: nobody else can use their challenge up."""
    tally, ceremony = new_tally(SUBJECT, "a challenge elsewhere"), CEREMONIES[name]
    app, thief = deployment.app, enter(scene, deployment.browser)
    for _ in range(trials(20)):
        scene.forget_spares(app)
        if enter is same_session_in_another_browser:
            hand_over(thief, token_of(scene.person.client))
        answer, before = scene.answer(ceremony, scene.begin(ceremony)), granted(app)
        cookie = thief.get_cookie(SESSION_COOKIE)

        with tally.trial():
            assert refusal(ceremony.finish(thief, answer)) == UNUSABLE
            assert thief.get_cookie(SESSION_COOKIE) == cookie
            assert granted(app) == before
            assert scene.finish(ceremony, answer).status_code in {200, 201}
