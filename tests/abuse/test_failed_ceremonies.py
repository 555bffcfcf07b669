"""A ceremony that is cancelled or fails leaves what leads into it: invitation, code and session.

ASVS 2.3.3, 6.4.1, 6.5.1.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pytest
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from app.models import Invitation, User
from app.services.addresses import parse_address
from app.services.invitations import invite, invite_first_administrator
from tests.conftest import NewTally
from tests.support.authenticator import AT, UP, Json
from tests.support.clients import Browser
from tests.support.counts import trials
from tests.support.crowds import at_once
from tests.support.deployments import Deployment
from tests.support.people import (
    begin_sign_up,
    finish_sign_up,
    json_of,
    new_phone,
    refusal,
    sign_up,
)
from tests.support.presenters import PRESENTERS
from tests.support.scenes import expire
from tests.support.tables import count
from tests.support.units import run_unit

SUBJECT = "Once means once"
KNOWN_ID = b"the id of a passkey that is known"
RECOVERY = "/api/auth/recovery"


@dataclass(kw_only=True)
class Guest:
    """Somebody with an invitation, and ways to come to nothing with it."""

    deployment: Deployment
    address: str
    token: str
    browser: Browser

    def begin(self, browser: Browser | None = None) -> Json:
        begun = begin_sign_up(browser or self.browser, email=self.address, invitation=self.token)
        assert begun.status_code == 200, begun.text
        return json_of(begun)

    def cancel(self) -> None:
        self.begin()

    def break_a_rule(self) -> None:
        refused = finish_sign_up(self.browser, new_phone(), self.begin(), flags=AT | UP)
        assert refusal(refused) == (400, "attestation_rejected")

    def come_late(self) -> None:
        options = self.begin()
        expire(self.deployment.app, options)
        refused = finish_sign_up(self.browser, new_phone(), options)
        assert refusal(refused) == (400, "challenge_unusable")

    def register_a_known_passkey(self) -> None:
        refused = finish_sign_up(self.browser, new_phone(), self.begin(), credential_id=KNOWN_ID)
        assert refusal(refused) == (409, "credential_already_registered")

    def lose_the_address(self) -> None:
        """Somebody else takes it, and is gone again before the guest tries once more."""
        options = self.begin()
        sign_up(self.deployment.browser(), email=self.address)
        refused = finish_sign_up(self.browser, new_phone(), options)
        assert refusal(refused) == (409, "address_taken")
        gone = delete(User).where(User.email_canonical == self.address)
        run_unit(self.deployment.app, lambda session: session.execute(gone))

    def fail_sixteen_times_at_once(self) -> None:
        crowd = [self.deployment.browser() for _ in range(PRESENTERS)]
        begun = [self.begin(one) for one in crowd]
        refused = at_once(
            [
                partial(finish_sign_up, one, new_phone(), options, flags=AT | UP)
                for one, options in zip(crowd, begun, strict=True)
            ]
        )
        assert {refusal(one) for one in refused} == {(400, "attestation_rejected")}


FAILURES = {
    "cancelled": Guest.cancel,
    "a rule broken": Guest.break_a_rule,
    "too late": Guest.come_late,
    "a passkey known already": Guest.register_a_known_passkey,
    "an address lost": Guest.lose_the_address,
    "sixteen at once": Guest.fail_sixteen_times_at_once,
}


def invitation(session: Session, address: str) -> str:
    return invite(session, address=parse_address(address), role="user")


def first_link(session: Session, address: str) -> str:
    session.execute(update(User).values(role="user"))
    return invite_first_administrator(session)


@pytest.mark.parametrize("make", [invitation, first_link])
@pytest.mark.parametrize("fail", FAILURES.values(), ids=FAILURES)
def test_failed_sign_up_leaves_the_invitation(
    deployment: Deployment,
    new_tally: NewTally,
    fail: Callable[[Guest], None],
    make: Callable[..., str],
) -> None:
    tally = new_tally(SUBJECT, "an invitation after a ceremony that failed")
    app = deployment.app
    known = json_of(begin_sign_up(host := deployment.browser(), email="host@example.org"))
    assert finish_sign_up(host, new_phone(), known, credential_id=KNOWN_ID).status_code == 201
    for number in range(trials(20)):
        address = f"guest{number}@example.org"
        token = run_unit(app, partial(make, address=address))
        guest = Guest(
            deployment=deployment, address=address, token=token, browser=deployment.browser()
        )

        with tally.trial():
            fail(guest)
            assert count(app, Invitation) == 1
            sign_up(guest.browser, email=address, invitation=token)
            assert count(app, Invitation) == 0
