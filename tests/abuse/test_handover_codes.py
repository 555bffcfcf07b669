"""Codes of hand-overs: one opens one session, in the browser that began, at one application.

A11, F13; OA-2, OA-3; ASVS 2.3.4, 15.4.2.
"""

from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import pytest
from flask import Flask

from app import clock
from app.blueprints.return_paths import handover_path
from app.models import HandoverCode
from app.services.tokens import hash_secret
from tests.conftest import NewTally
from tests.support.clients import Browser
from tests.support.counts import trials
from tests.support.crowds import at_once, both_at_once
from tests.support.handed_over import (
    FORUM,
    HANDOVER_COOKIE,
    WIKI,
    arrive,
    children,
    go,
    leads_to,
    register,
    set_out,
    take_cookie,
    token_at,
    way_back,
)
from tests.support.people import SESSION_COOKIE, Person, hand_over, is_signed_in, sign_up
from tests.support.presenters import PRESENTERS, cookies_in
from tests.support.sessions import open_session_of
from tests.support.tables import change, count

SUBJECT = "Once means once"
NewClient = Callable[[], Browser]


@dataclass(kw_only=True)
class Stage:
    """Somebody who goes to the wiki, and whoever would like to be there in their place."""

    app: Flask
    new_client: NewClient
    person: Person = field(init=False)

    def __post_init__(self) -> None:
        register(self.app)
        register(self.app, "forum", origins=[FORUM])
        self.person = sign_up(self.new_client())

    def begin(self, client: Browser | None = None, origin: str = WIKI) -> str:
        """Sign in anew, beside the service, and get a code, not yet presented."""
        client = client or self.person.client
        hand_over(client, open_session_of(self.app, self.person))
        client.delete_cookie(SESSION_COOKIE, domain=origin.removeprefix("http://")[:-5])
        return way_back(client, origin)

    def is_refused(self, browser: Browser, location: str) -> bool:
        """Present a code, and see that it opens nothing and leads nowhere."""
        before = [child.id for child in children(self.app)]
        answer = go(browser, location)
        led = answer.status_code != 400 or "Location" in answer.headers
        opened = SESSION_COOKIE in str(answer.headers.getlist("Set-Cookie"))
        return not (led or opened) and [child.id for child in children(self.app)] == before

    def succeeds(self) -> bool:
        browser = self.new_client()
        return leads_to(go(browser, self.begin(browser))) == f"{WIKI}/page"


@pytest.fixture
def stage(app: Flask, new_client: NewClient) -> Stage:
    return Stage(app=app, new_client=new_client)


def window_of(browser: Browser, stage: Stage) -> Browser:
    """Open one more window of a browser, at the wiki, with the mark that it has there."""
    window = stage.new_client()
    take_cookie(window, WIKI, token_at(browser, name=HANDOVER_COOKIE) or "", HANDOVER_COOKIE)
    return window


def test_sixteen_present_one_code(stage: Stage, new_tally: NewTally) -> None:
    tally = new_tally(SUBJECT, "sixteen with one hand-over code")
    for _ in range(trials(100)):
        location = stage.begin()
        crowd = [window_of(stage.person.client, stage) for _ in range(PRESENTERS)]
        before = len(children(stage.app))

        answers = at_once([partial(go, one, location) for one in crowd])

        with tally.trial():
            assert sorted(answer.status_code for answer in answers) == [303, *[400] * 15]
            assert cookies_in(answers) == 1
            assert len(children(stage.app)) == before + 1
            assert stage.succeeds()


def test_code_is_not_accepted_again(stage: Stage, new_tally: NewTally) -> None:
    tally = new_tally(SUBJECT, "a hand-over code again")
    for _ in range(trials(100)):
        location, client = stage.begin(), stage.person.client
        assert leads_to(go(client, location)) == f"{WIKI}/page"

        with tally.trial():
            assert stage.is_refused(client, location)
            assert stage.succeeds()


def test_code_is_not_accepted_late(stage: Stage, new_tally: NewTally) -> None:
    tally = new_tally(SUBJECT, "a hand-over code after its expiry")
    for _ in range(trials(100)):
        location = stage.begin()
        change(stage.app, HandoverCode, expires_at=clock.now())

        with tally.trial():
            assert stage.is_refused(stage.person.client, location)
            assert stage.succeeds()


@pytest.mark.parametrize("who", ["without a mark", "with a mark", "signed in as somebody else"])
def test_code_is_not_accepted_in_another_browser(
    stage: Stage, new_tally: NewTally, who: str
) -> None:
    """A11: a victim is not led into the session of an attacker, nor a thief into a victim's.

    And a code that turned up where it was not sent to is good for nobody any more.
    """
    tally = new_tally(SUBJECT, f"a hand-over code in another browser, {who}")
    other = stage.new_client()
    if who == "signed in as somebody else":
        sign_up(other, email="eve@example.org")
        arrive(other)
    held = token_at(other)
    for _ in range(trials(100)):
        location = stage.begin()
        if who == "with a mark":
            set_out(other)

        with tally.trial():
            assert stage.is_refused(other, location)
            assert token_at(other) == held
            assert stage.is_refused(stage.person.client, location)
            assert stage.succeeds()


def test_code_is_not_accepted_at_another_application(stage: Stage, new_tally: NewTally) -> None:
    tally = new_tally(SUBJECT, "a hand-over code at another application")
    client = stage.person.client
    for number in range(trials(100)):
        location = stage.begin()
        # The forum's host may know the browser by the same mark: whoever runs it chooses that.
        take_cookie(client, FORUM, token_at(client, name=HANDOVER_COOKIE) or "", HANDOVER_COOKIE)
        elsewhere = location.replace(WIKI, FORUM)
        path = elsewhere.removeprefix(FORUM).replace("/.identity/", "/.identity/wiki/")

        with tally.trial():
            if number % 2:
                assert client.get(path, base_url=FORUM).status_code == 421
            assert stage.is_refused(client, elsewhere)
            assert stage.succeeds()


def test_code_that_an_attacker_asks_a_victim_for_is_of_no_use(
    stage: Stage, new_tally: NewTally
) -> None:
    """The victim follows a link which says that the attacker's browser began."""
    tally = new_tally(SUBJECT, "a hand-over for an attacker's browser")
    attacker, victim = stage.new_client(), stage.person.client
    for _ in range(trials(50)):
        link = leads_to(set_out(attacker))
        location = leads_to(go(victim, link))

        with tally.trial():
            # It leads the victim, whose browser is not the one that is named, and burns there.
            assert stage.is_refused(victim, location)
            assert stage.is_refused(attacker, location)
            assert stage.succeeds()


def test_browser_without_a_mark_is_nobodys(stage: Stage) -> None:
    """Whoever asks for a code chooses which mark it is bound to: none may stand for having none."""
    nothing = urlsafe_b64encode(hash_secret("")).rstrip(b"=").decode()
    client = stage.person.client
    path = handover_path(app="wiki", origin=WIKI, browser=nothing, return_to="/page")

    location = leads_to(go(client, path))

    assert stage.is_refused(client, location)
    assert stage.succeeds()


def test_guessed_codes_open_nothing(stage: Stage, new_tally: NewTally) -> None:
    tally = new_tally(SUBJECT, "hand-over codes that nobody made")
    location = stage.begin()
    code = location.partition("code=")[2]
    guesses = [code[::-1], code[:-1], f"{code}A", code.swapcase(), "A" * 43, f"{code}%00", "' OR 1"]
    for guess in guesses:
        with tally.trial():
            assert stage.is_refused(
                stage.person.client, f"{WIKI}/.identity/callback?code={guess.replace(' ', '%20')}"
            )
    assert leads_to(go(stage.person.client, location)) == f"{WIKI}/page"


def test_arrival_and_the_end_of_its_root_at_once(stage: Stage, new_tally: NewTally) -> None:
    """Whichever comes first, no session at an application is left without its root."""
    tally = new_tally("Revocation", "an arrival at once with a sign-out")
    client = stage.person.client
    for _ in range(trials(100)):
        location, before = stage.begin(), [child.id for child in children(stage.app)]
        window = window_of(client, stage)

        arrived, ended = both_at_once(
            partial(go, window, location), partial(client.delete, "/api/auth/session")
        )

        with tally.trial():
            assert ended.status_code == 204
            assert arrived.status_code in {303, 400}
            assert not is_signed_in(client)
            assert [child.id for child in children(stage.app)] == before
            assert count(stage.app, HandoverCode) == 0
            assert stage.succeeds()
