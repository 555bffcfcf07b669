"""Ends of sessions that meet each other, or a step-up, in one moment."""

from functools import partial

import pytest

from app import clock
from tests.conftest import NewTally
from tests.support.besieged import Besieged, besiege
from tests.support.clients import Browser
from tests.support.counts import trials
from tests.support.crowds import at_once
from tests.support.deployments import Deployment
from tests.support.people import (
    hand_over,
    is_signed_in,
    post,
    refusal,
    sign_in,
    step_up,
    token_of,
)

NOT_SIGNED_IN = (401, "not_signed_in")
TOO_LATE = {NOT_SIGNED_IN, (400, "challenge_unusable")}
"""A session takes its challenges with it: the moment decides which of the two is missed first."""


@pytest.fixture
def besieged(deployment: Deployment) -> Besieged:
    return besiege(deployment)


def test_disabled_person_cannot_come_back_until_enabled(besieged: Besieged) -> None:
    """The sessions are refused, and no ceremony opens another one."""
    besieged.change_person(disabled_at=clock.now())

    refused = sign_in(besieged.deployment.browser(), besieged.person.phone)

    assert refusal(refused) == (403, "account_disabled")
    assert refusal(besieged.elsewhere.get("/api/users/me")) == NOT_SIGNED_IN
    besieged.change_person(disabled_at=None)
    besieged.sign_in()


def test_two_sessions_that_end_all_others_at_once_leave_exactly_one(
    besieged: Besieged, new_tally: NewTally
) -> None:
    """ASVS 7.4.3, 8.3.2: whoever was ended is refused, and not both are."""
    tally = new_tally("Sessions", "two sessions end all others at once")
    for _ in range(trials(20)):
        both = [besieged.victim, besieged.elsewhere]
        with tally.trial():
            said = at_once([partial(end_all_from, one) for one in both])
            assert sorted(said) == [(200, ""), NOT_SIGNED_IN]
            assert [is_signed_in(one) for one in both] == [one == (200, "") for one in said]
        besieged.sign_in()
        besieged.sign_in_elsewhere()


def end_all_from(browser: Browser) -> tuple[int, str]:
    answer = browser.delete("/api/auth/sessions")
    return (200, "") if answer.status_code == 200 else refusal(answer)


def test_step_up_at_the_moment_of_the_end_revives_nothing(
    besieged: Besieged, new_tally: NewTally
) -> None:
    """ASVS 7.4.1: whichever comes first, the session is over, and its new token as well."""
    tally = new_tally("Sessions", "a step-up while the session is ended elsewhere")
    for _ in range(trials(100)):
        before, path = token_of(besieged.victim), f"/api/auth/sessions/{besieged.session['id']}"
        options = post(besieged.victim, "/api/auth/reauthentication/options")
        body = {"credential": besieged.person.phone.get(options)}
        with tally.trial():
            stepped_up, ended = at_once(
                [
                    partial(besieged.victim.post, "/api/auth/reauthentication", json=body),
                    partial(besieged.elsewhere.delete, path),
                ]
            )
            assert ended.status_code == 204
            assert stepped_up.status_code == 200 or refusal(stepped_up) in TOO_LATE
            assert refusal(besieged.victim.get("/api/auth/session")) == NOT_SIGNED_IN
            old = hand_over(besieged.deployment.browser(), before)
            assert refusal(old.get("/api/auth/session")) == NOT_SIGNED_IN
        besieged.sign_in()
        assert step_up(besieged.victim, besieged.person.phone).status_code == 200
