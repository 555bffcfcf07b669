"""A9: nobody comes out of a ceremony with the token they went in with, whoever put it there.

The cookie that the browser holds beforehand is one that was never made, one whose session is over,
or the attacker's own, which is good until then. (ASVS 7.2.4, CS-1.)
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from app.services.tokens import new_session_token
from tests.conftest import NewTally
from tests.support.clients import Browser
from tests.support.counts import trials
from tests.support.deployments import Deployment
from tests.support.people import (
    enrol,
    hand_over,
    json_of,
    new_codes,
    new_phone,
    post,
    refusal,
    sign_in,
    sign_up,
    step_up,
    token_of,
)
from tests.support.sessions import open_session_of

NOT_SIGNED_IN = (401, "not_signed_in")
UNUSABLE = (400, "challenge_unusable")
STEP_UP = "/api/auth/reauthentication"


@dataclass(frozen=True, kw_only=True)
class Planted:
    """A browser in which an attacker has put a cookie."""

    browser: Browser
    token: str
    opens: bool
    """The token is that of the attacker's own session."""


Plant = Callable[[], Planted]


@pytest.fixture
def plant(deployment: Deployment) -> Plant:
    attacker = sign_up(deployment.browser(), email="eve@example.org")
    chance = random.Random(9)  # noqa: S311 - the same choices every time

    def prepare() -> Planted:
        kind = chance.choice(("never made", "ended", "the attacker's"))
        token = (
            new_session_token()
            if kind == "never made"
            else open_session_of(deployment.app, attacker)
        )
        browser = hand_over(deployment.browser(), token)
        if kind == "ended":
            assert browser.delete("/api/auth/session").status_code == 204
        hand_over(browser, token)
        return Planted(browser=browser, token=token, opens=kind == "the attacker's")

    return prepare


def assert_renewed(deployment: Deployment, browser: Browser, old: str, owner: object) -> None:
    """See that the browser left with a new token of the right person, and the old one is dead."""
    assert token_of(browser) != old
    assert_dead(deployment, old)
    assert json_of(browser.get("/api/auth/session"))["user"]["id"] == owner


def assert_dead(deployment: Deployment, token: str) -> None:
    answer = hand_over(deployment.browser(), token).get("/api/auth/session")
    assert refusal(answer) == NOT_SIGNED_IN


def test_sign_up_adopts_no_planted_token(
    deployment: Deployment, plant: Plant, new_tally: NewTally
) -> None:
    """A9."""
    tally = new_tally("Sessions", "fixation: sign-up")
    for number in range(trials(100)):
        planted = plant()
        person = sign_up(planted.browser, email=f"ada{number}@example.org")
        with tally.trial():
            assert_renewed(deployment, planted.browser, planted.token, person.user["id"])


def test_sign_in_adopts_no_planted_token(
    deployment: Deployment, plant: Plant, new_tally: NewTally
) -> None:
    """A9."""
    tally = new_tally("Sessions", "fixation: sign-in")
    person = sign_up(deployment.browser())
    for _ in range(trials(100)):
        planted = plant()
        with tally.trial():
            assert sign_in(planted.browser, person.phone).status_code == 200
            assert_renewed(deployment, planted.browser, planted.token, person.user["id"])


def test_step_up_swaps_a_token_that_somebody_knows(
    deployment: Deployment, new_tally: NewTally
) -> None:
    """A9."""
    tally = new_tally("Sessions", "fixation: step-up")
    person = sign_up(deployment.browser())
    for _ in range(trials(100)):
        known = open_session_of(deployment.app, person)
        browser = hand_over(deployment.browser(), known)
        with tally.trial():
            assert step_up(browser, person.phone).status_code == 200
            assert_renewed(deployment, browser, known, person.user["id"])


def test_token_that_is_planted_during_a_step_up_gains_nothing(
    deployment: Deployment, plant: Plant, new_tally: NewTally
) -> None:
    """A9: the challenge was made for the session that was there when the ceremony began."""
    tally = new_tally("Sessions", "a cookie planted during a step-up")
    person = sign_up(deployment.browser())
    for _ in range(trials(100)):
        own, planted = token_of(person.client), plant()
        options = post(person.client, f"{STEP_UP}/options")
        answer = {"credential": person.phone.get(options)}
        with tally.trial():
            tossed = hand_over(person.client, planted.token).post(STEP_UP, json=answer)
            assert refusal(tossed) == (UNUSABLE if planted.opens else NOT_SIGNED_IN)
            assert token_of(person.client) == planted.token
        assert step_up(hand_over(person.client, own), person.phone).status_code == 200


def test_recovery_and_the_enrolment_after_it_adopt_no_planted_token(
    deployment: Deployment, plant: Plant, new_tally: NewTally
) -> None:
    """A9."""
    recovery = new_tally("Sessions", "fixation: recovery")
    enrolment = new_tally("Sessions", "fixation: enrolment after a recovery")
    codes: list[str] = []
    person = sign_up(deployment.browser())
    for number in range(trials(100)):
        if not codes:
            person = sign_up(deployment.browser(), email=f"ada{number}@example.org")
            codes = new_codes(person.client)
        planted = plant()
        browser = planted.browser
        with recovery.trial():
            assert browser.post("/api/auth/recovery", json={"code": codes.pop()}).status_code == 200
            assert token_of(browser) != planted.token
            assert_dead(deployment, planted.token)
        before = token_of(browser)
        with enrolment.trial():
            assert enrol(browser, new_phone()).status_code == 201
            assert_renewed(deployment, browser, before, person.user["id"])
