"""Recovery codes under fire: refused ones stay good, and no old one outlives new ones or a link.

ASVS 6.4.1, 6.5.1, 15.4.2.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from threading import Event

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.models import RecoveryCode, User, UserSession
from app.services.authentication import AuthenticationCeremonies
from app.services.devices import Device
from app.services.people import get_user_by_address
from app.services.recovery import make_link_code, renew_codes
from tests.conftest import NewTally
from tests.support.authenticator import AT, UP
from tests.support.ceremonies import RP
from tests.support.clients import Browser
from tests.support.counts import trials
from tests.support.crowds import both_at_once
from tests.support.deployments import Deployment
from tests.support.people import (
    ADDRESS,
    enrol,
    hand_over,
    new_codes,
    new_phone,
    post,
    refusal,
    sign_up,
)
from tests.support.tables import change
from tests.support.units import run_unit, side_by_side, wait_for

SUBJECT = "Once means once"
RECOVERY, ENROLMENT = "/api/auth/recovery", "/api/auth/credentials"
UNUSABLE, SIGNED_OUT = (403, "recovery_code_unusable"), (401, "not_signed_in")

Refused = Callable[[Flask, Browser, str], TestResponse]


def malformed(_app: Flask, browser: Browser, code: str) -> TestResponse:
    return browser.post(RECOVERY, json={"code": code, "remember": True})


def from_another_site(_app: Flask, browser: Browser, code: str) -> TestResponse:
    headers = {"Sec-Fetch-Site": "cross-site"}
    return browser.post(RECOVERY, json={"code": code}, headers=headers)


def with_a_damaged_cookie(_app: Flask, browser: Browser, code: str) -> TestResponse:
    return hand_over(browser, "damaged").post(RECOVERY, json={"code": code})


def while_disabled(app: Flask, browser: Browser, code: str) -> TestResponse:
    change(app, User, disabled_at=datetime.now(UTC))
    answer = browser.post(RECOVERY, json={"code": code})
    change(app, User, disabled_at=None)
    return answer


REFUSED = [
    (malformed, (422, "invalid_body")),
    (from_another_site, (403, "cross_site_request")),
    (with_a_damaged_cookie, (400, "cookie_refused")),
    (while_disabled, UNUSABLE),
]


@pytest.mark.parametrize(("refuse", "expected"), REFUSED)
def test_refused_request_leaves_the_code(
    deployment: Deployment, new_tally: NewTally, refuse: Refused, expected: tuple[int, str]
) -> None:
    tally = new_tally(SUBJECT, "a recovery code after a request that was refused")
    person = sign_up(deployment.browser())
    for _ in range(trials(20)):
        browser, code = deployment.browser(), new_codes(person.client)[0]

        with tally.trial():
            assert refusal(refuse(deployment.app, browser, code)) == expected
            assert deployment.browser().post(RECOVERY, json={"code": code}).status_code == 200


def test_failed_enrolment_leaves_the_recovery_session_and_its_code_stays_spent(
    deployment: Deployment, new_tally: NewTally
) -> None:
    tally = new_tally(SUBJECT, "a recovery session after an enrolment that failed")
    person = sign_up(deployment.browser())
    for _ in range(trials(20)):
        browser, code = deployment.browser(), new_codes(person.client)[0]
        assert browser.post(RECOVERY, json={"code": code}).status_code == 200

        with tally.trial():
            post(browser, f"{ENROLMENT}/options")
            spoilt = enrol(browser, new_phone(), flags=AT | UP)
            assert refusal(spoilt) == (400, "attestation_rejected")
            again = deployment.browser().post(RECOVERY, json={"code": code})
            assert refusal(again) == UNUSABLE
            assert enrol(browser, new_phone()).status_code == 201


def take_back(app: Flask, how: str) -> str:
    """Give the person new codes, or a link; gives one that is good."""

    def renew(session: Session) -> str:
        user = get_user_by_address(session, ADDRESS)
        if how == "a link":
            return make_link_code(session, user=user)
        return renew_codes(session, user_id=user.id)[0]

    return run_unit(app, renew)


BOTH = pytest.mark.parametrize("how", ["new codes", "a link"])


@BOTH
def test_code_that_is_being_redeemed_opens_nothing_once_it_is_taken_back(
    deployment: Deployment, how: str
) -> None:
    """Whoever takes it back waits for the one who redeems it, and ends what that one opened."""
    app, (code, *_) = deployment.app, new_codes(sign_up(deployment.browser()).client)
    redeemed, taken_back = Event(), Event()

    def redeem(session: Session) -> None:
        settings = app.extensions["openbadges"].service
        AuthenticationCeremonies(relying_party=RP, settings=settings).recover(
            session, code=code, device=Device(label="Thief", network=None), replaces=None
        )
        session.flush()
        redeemed.set()
        taken_back.wait(0.3)

    def answer() -> str:
        wait_for(redeemed)
        good = take_back(app, how)
        taken_back.set()
        return good

    _, good = side_by_side([lambda: run_unit(app, redeem), answer])

    assert "enrol" not in purposes(app)
    assert deployment.browser().post(RECOVERY, json={"code": good}).status_code == 200
    assert "enrol" in purposes(app)


def purposes(app: Flask) -> set[str]:
    return set(run_unit(app, lambda s: s.scalars(select(UserSession.purpose)).all(), writes=False))


@BOTH
def test_code_redeemed_at_the_moment_it_is_taken_back_leaves_no_session_older_than_that(
    deployment: Deployment, new_tally: NewTally, how: str
) -> None:
    """Beside a link the person's own codes stay good, so that one may be redeemed after it."""
    tally = new_tally(SUBJECT, f"a recovery code redeemed at once with {how}")
    app, person = deployment.app, sign_up(deployment.browser())
    for _ in range(trials(100)):
        thief, code = deployment.browser(), new_codes(person.client)[0]

        answer, good = both_at_once(
            partial(thief.post, RECOVERY, json={"code": code}), partial(take_back, app, how)
        )

        with tally.trial():
            if how == "a link":
                assert answer.status_code == 200, "their own codes stay good beside it"
                assert not run_unit(app, older_than_the_link, writes=False)
            elif answer.status_code == 200:
                assert refusal(thief.post(f"{ENROLMENT}/options", json={})) == SIGNED_OUT
            else:
                assert refusal(answer) == UNUSABLE
            assert deployment.browser().post(RECOVERY, json={"code": good}).status_code == 200


def older_than_the_link(session: Session) -> list[str]:
    made_at = select(RecoveryCode.created_at).where(RecoveryCode.expires_at.is_not(None))
    query = select(UserSession.id).where(
        UserSession.purpose == "enrol", UserSession.created_at < made_at.scalar_subquery()
    )
    return list(session.scalars(query))
