"""F11: a challenge lasts five minutes and no longer than its session; the expired are swept away.

What else it is not good for is tried in `abuse/test_replayed_challenges.py`.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from app.models import Challenge
from tests.support.clients import Browser
from tests.support.people import post, refusal, sign_in
from tests.support.scenes import (
    CEREMONIES,
    ENROLMENT,
    REAUTHENTICATION,
    Ceremony,
    granted,
    open_scene,
)
from tests.support.tables import contents, count


@pytest.mark.parametrize("ceremony", CEREMONIES.values(), ids=CEREMONIES)
def test_challenge_is_good_until_it_expires_and_no_longer(
    app: Flask, new_client: Callable[[], Browser], ceremony: Ceremony
) -> None:
    with time_machine.travel("2031-01-01T00:00:00Z", tick=False) as time:
        scene = open_scene(new_client)
        late, in_time = (scene.answer(ceremony, scene.begin(ceremony)) for _ in range(2))
        before = granted(app)

        time.shift(timedelta(seconds=300))
        assert refusal(scene.finish(ceremony, late)) == (400, "challenge_unusable")
        assert granted(app) == before

        time.shift(timedelta(seconds=-1))
        assert scene.finish(ceremony, in_time).status_code in {200, 201}


@pytest.mark.parametrize("ceremony", [REAUTHENTICATION, ENROLMENT], ids=["step-up", "enrolment"])
def test_challenge_ends_with_the_session_that_began_the_ceremony(
    app: Flask, new_client: Callable[[], Browser], ceremony: Ceremony
) -> None:
    scene = open_scene(new_client)
    client = scene.person.client
    answer = scene.answer(ceremony, scene.begin(ceremony))
    assert client.delete("/api/auth/session").status_code == 204
    before = contents(app, without=())

    assert refusal(scene.finish(ceremony, answer)) == (401, "not_signed_in")

    assert contents(app, without=()) == before
    assert count(app, Challenge) == 0
    assert sign_in(client, scene.person.phone).status_code == 200
    assert scene.succeeds(ceremony)


def test_expired_challenges_are_swept_away_by_new_ones(app: Flask, client: Browser) -> None:
    with time_machine.travel("2031-01-01T00:00:00Z", tick=False) as time:
        for _ in range(22):
            post(client, "/api/auth/authentication/options")
        time.shift(timedelta(seconds=301))

        remaining = []
        for _ in range(2):
            post(client, "/api/auth/authentication/options")
            remaining.append(count(app, Challenge))

    assert remaining == [22 + 1 - 20, 2]
