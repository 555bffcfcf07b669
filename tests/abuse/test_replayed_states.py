"""F12: a thousand answers of providers are presented once more, late, elsewhere or to another end.

None is accepted, and after each attempt an honest sign-in is. CVE-2025-68158, CVE-2026-41425,
CVE-2026-73419, CVE-2026-114607; ASVS 2.3.1, 10.1.2.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from flask import Flask

from app import clock
from app.models import AuthorizationRequest, Identity, User, UserSession
from tests.conftest import NewTally
from tests.support.clients import Browser
from tests.support.counts import trials
from tests.support.outside_accounts import refused, went_on
from tests.support.outsiders import (
    Outsiders,
    sign_in_at,
    somebody,
    to_link,
    to_sign_in,
    to_step_up,
    visit,
)
from tests.support.people import BROWSER_COOKIE, hand_over, is_signed_in, sign_up, token_of
from tests.support.provider_visits import delivered_to, with_parameters
from tests.support.tables import change, count

NewClient = Callable[[], Browser]
SUBJECT = "Once means once"
UNUSABLE = "authorization_request_unusable"


@dataclass(kw_only=True)
class Stage:
    """Somebody with an outside account, and the way to another attempt."""

    app: Flask
    providers: Outsiders
    new_client: NewClient
    client: Browser = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.new_client()

    def answer(self) -> str:
        """Begin to sign in and come back with an answer, not yet presented."""
        return visit(self.providers.github, somebody(), to_sign_in(self.client))

    def granted(self) -> tuple[int, int, int]:
        return count(self.app, User), count(self.app, Identity), count(self.app, UserSession)

    def succeeds(self) -> bool:
        return went_on(sign_in_at(self.new_client(), self.providers.github, somebody()))


@pytest.fixture
def stage(app: Flask, providers: Outsiders, new_client: NewClient) -> Stage:
    return Stage(app=app, providers=providers, new_client=new_client)


@pytest.mark.parametrize("first", ["accepted", "denied", "with a bad code", "mixed up"])
def test_an_answer_is_not_accepted_again(stage: Stage, new_tally: NewTally, first: str) -> None:
    """P2: nor after one that was refused."""
    tally = new_tally(SUBJECT, "a state again")
    for _ in range(trials(60)):
        answer = stage.answer()
        spent = {
            "accepted": answer,
            "denied": with_parameters(answer, error="access_denied", code=None),
            "with a bad code": with_parameters(answer, code="x" * 20),
            "mixed up": with_parameters(answer, iss="https://evil.example"),
        }[first]
        assert went_on(stage.client.get(spent)) == (first == "accepted")
        before = stage.granted()

        with tally.trial():
            assert refused(stage.client.get(answer)) == UNUSABLE
            assert stage.granted() == before
            assert stage.succeeds()


def test_an_answer_is_not_accepted_late(stage: Stage, new_tally: NewTally) -> None:
    tally = new_tally(SUBJECT, "a state after its expiry")
    for _ in range(trials(160)):
        answer, before = stage.answer(), stage.granted()
        change(stage.app, AuthorizationRequest, expires_at=clock.now())

        with tally.trial():
            assert refused(stage.client.get(answer)) == UNUSABLE
            assert stage.granted() == before
            assert stage.succeeds()


def test_an_answer_is_not_accepted_in_another_browser(stage: Stage, new_tally: NewTally) -> None:
    """A11: neither a stranger's nor one that has a round trip of its own under way."""
    tally = new_tally(SUBJECT, "a state in another browser")
    for number in range(trials(200)):
        answer, before, other = stage.answer(), stage.granted(), stage.new_client()
        if number % 2:
            to_sign_in(other)

        with tally.trial():
            assert refused(other.get(answer)) == UNUSABLE
            assert not is_signed_in(other)
            assert stage.granted() == before
            assert went_on(stage.client.get(answer))


def test_an_answer_is_not_accepted_at_another_provider(stage: Stage, new_tally: NewTally) -> None:
    """OA-4."""
    tally = new_tally(SUBJECT, "a state at another provider")
    for number in range(trials(200)):
        answer, before = stage.answer(), stage.granted()
        other = "ghe" if number % 2 else "hostile"

        with tally.trial():
            assert refused(stage.client.get(delivered_to(other, answer))) == UNUSABLE
            assert stage.granted() == before
            assert went_on(stage.client.get(answer))


def test_an_answer_is_not_accepted_to_another_end(stage: Stage, new_tally: NewTally) -> None:
    """CVE-2026-18963: what began in a session, to link or to step up, ends in no other."""
    tally = new_tally(SUBJECT, "a state for another purpose or session")
    client = stage.client
    sign_up(client)
    for number in range(trials(200)):
        account = somebody()
        owner = stage.new_client()
        sign_in_at(owner, stage.providers.github, account)
        begin = to_step_up if number % 2 else to_link
        answer = visit(stage.providers.github, account, begin(owner))
        tab = hand_over(stage.new_client(), token_of(owner, BROWSER_COOKIE), BROWSER_COOKIE)
        before = stage.granted()

        with tally.trial():
            # The same browser, without the session that began it, and with another person's.
            assert refused(tab.get(answer)) == UNUSABLE
            assert refused(hand_over(tab, token_of(client)).get(answer)) == UNUSABLE
            assert stage.granted() == before
            assert went_on(owner.get(answer))


def test_a_code_is_good_for_the_request_that_asked_for_it(
    stage: Stage, new_tally: NewTally
) -> None:
    """OA-3, code injection: a stolen code fits no verifier but its own."""
    tally = new_tally(SUBJECT, "another request's code")
    for _ in range(trials(100)):
        victim = stage.new_client()
        stolen = visit(stage.providers.github, somebody(), to_sign_in(victim))
        answer, before = stage.answer(), stage.granted()
        code = dict(part.split("=") for part in stolen.partition("?")[2].split("&"))["code"]

        with tally.trial():
            assert refused(stage.client.get(with_parameters(answer, code=code))) == (
                "identity_rejected"
            )
            assert stage.granted() == before
            assert stage.succeeds()
