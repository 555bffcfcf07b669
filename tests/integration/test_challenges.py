"""F11: a challenge is good once, in time, for its ceremony, in its browser and its session.

ASVS 2.3.1; CVE-2026-18963, CVE-2026-28787, CVE-2026-55167, CVE-2026-76214.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import permutations

import pytest
import time_machine
from flask import Flask
from werkzeug.test import TestResponse

from app.models import Challenge
from tests.support.authenticator import AT, SYNCED, UP, Json
from tests.support.clients import Browser
from tests.support.people import (
    BROWSER_COOKIE,
    Person,
    begin_sign_up,
    hand_over,
    is_signed_in,
    json_of,
    new_phone,
    post,
    refusal,
    sign_in,
    sign_up,
    token_of,
)
from tests.support.tables import contents, count

UNUSABLE = (400, "challenge_unusable")
LATER = ("webauthn_challenges", "user_sessions")
"""What changes as time goes by: when a session was last seen is on record."""


@dataclass(frozen=True)
class Ceremony:
    """One of the four, in the browser of a person who is signed in."""

    path: str
    creates: bool

    def begin(self, person: Person) -> Json:
        if self.path.endswith("/registration"):
            return json_of(begin_sign_up(person.client, email="new@example.org"))
        return post(person.client, f"{self.path}/options")

    def answer(self, person: Person, options: Json, *, broken: bool = False) -> Json:
        """Answer as an honest authenticator does, or with user verification left out."""
        if self.creates:
            flags = AT | UP if broken else AT | SYNCED
            return new_phone().create({**options, "excludeCredentials": []}, flags=flags)
        flags = UP if broken else SYNCED
        return person.phone.get(options, credential=person.credential, flags=flags)

    def finish(self, client: Browser, credential: Json) -> TestResponse:
        return client.post(self.path, json={"credential": credential})


CEREMONIES = {
    "registration": Ceremony("/api/auth/registration", creates=True),
    "authentication": Ceremony("/api/auth/authentication", creates=False),
    "reauthentication": Ceremony("/api/auth/reauthentication", creates=False),
    "enrolment": Ceremony("/api/auth/credentials", creates=True),
}
EACH = pytest.mark.parametrize("ceremony", CEREMONIES.values(), ids=CEREMONIES)
BOUND_TO_A_SESSION = pytest.mark.parametrize("name", ["reauthentication", "enrolment"])
PAIRS = list(permutations(CEREMONIES, 2))


@pytest.mark.parametrize(("begun", "finished"), PAIRS, ids=[" for ".join(pair) for pair in PAIRS])
def test_challenge_of_one_ceremony_is_good_for_no_other(
    app: Flask, client: Browser, begun: str, finished: str
) -> None:
    person, ceremony = sign_up(client), CEREMONIES[finished]
    options, before = ceremony.begin(person), contents(app)
    swapped = {**options, "challenge": CEREMONIES[begun].begin(person)["challenge"]}

    refused = ceremony.finish(client, ceremony.answer(person, swapped))

    assert refusal(refused) == UNUSABLE
    assert contents(app) == before
    assert ceremony.finish(client, ceremony.answer(person, options)).status_code in {200, 201}


@EACH
def test_challenge_is_good_until_it_expires_and_no_longer(
    app: Flask, client: Browser, ceremony: Ceremony
) -> None:
    with time_machine.travel("2031-01-01T00:00:00Z", tick=False) as time:
        person = sign_up(client)
        late, in_time = (ceremony.answer(person, ceremony.begin(person)) for _ in range(2))
        before = contents(app, without=LATER)

        time.shift(timedelta(seconds=300))
        assert refusal(ceremony.finish(client, late)) == UNUSABLE
        assert contents(app, without=LATER) == before

        time.shift(timedelta(seconds=-1))
        assert ceremony.finish(client, in_time).status_code in {200, 201}


@EACH
def test_answer_that_was_accepted_is_not_accepted_again(
    app: Flask, client: Browser, ceremony: Ceremony
) -> None:
    person = sign_up(client)
    answer = ceremony.answer(person, ceremony.begin(person))
    assert ceremony.finish(client, answer).status_code in {200, 201}
    before = contents(app)

    for _ in range(2):
        assert refusal(ceremony.finish(client, answer)) == UNUSABLE

    assert contents(app) == before


@EACH
def test_challenge_is_spent_although_verification_failed(
    app: Flask, client: Browser, ceremony: Ceremony
) -> None:
    """WA-R8, WA-A11: else one challenge would allow any number of attempts."""
    person = sign_up(client)
    options = ceremony.begin(person)
    spoilt, good = ceremony.answer(person, options, broken=True), ceremony.answer(person, options)
    before = contents(app)

    code = refusal(ceremony.finish(client, spoilt))[1]
    assert code in {"attestation_rejected", "assertion_rejected"}
    assert refusal(ceremony.finish(client, good)) == UNUSABLE

    assert contents(app) == before
    again = ceremony.answer(person, ceremony.begin(person))
    assert ceremony.finish(client, again).status_code in {200, 201}


@pytest.mark.parametrize("name", ["registration", "authentication"])
def test_challenge_of_another_browser_is_refused(
    app: Flask, client: Browser, new_client: Callable[[], Browser], name: str
) -> None:
    person, ceremony = sign_up(client), CEREMONIES[name]
    stranger, marked = new_client(), new_client()
    post(marked, "/api/auth/authentication/options")
    answer = ceremony.answer(person, ceremony.begin(person))
    before = contents(app)

    for thief in (stranger, marked):
        assert refusal(ceremony.finish(thief, answer)) == UNUSABLE
        assert not is_signed_in(thief)

    assert contents(app) == before
    assert ceremony.finish(client, answer).status_code in {200, 201}


@BOUND_TO_A_SESSION
def test_challenge_of_another_session_of_the_same_person_and_browser_is_refused(
    app: Flask, client: Browser, new_client: Callable[[], Browser], name: str
) -> None:
    person, ceremony = sign_up(client), CEREMONIES[name]
    twin = hand_over(new_client(), token_of(client, BROWSER_COOKIE), BROWSER_COOKIE)
    assert sign_in(twin, person.phone).status_code == 200
    answer = ceremony.answer(person, ceremony.begin(person))
    before = contents(app)

    assert refusal(ceremony.finish(twin, answer)) == UNUSABLE

    assert contents(app) == before
    assert ceremony.finish(client, answer).status_code in {200, 201}


@BOUND_TO_A_SESSION
def test_challenge_ends_with_the_session_that_began_the_ceremony(
    app: Flask, client: Browser, name: str
) -> None:
    person, ceremony = sign_up(client), CEREMONIES[name]
    answer = ceremony.answer(person, ceremony.begin(person))
    assert client.delete("/api/auth/session").status_code == 204
    before = contents(app, without=())

    assert refusal(ceremony.finish(client, answer)) == (401, "not_signed_in")

    assert contents(app, without=()) == before
    assert count(app, Challenge) == 0
    assert sign_in(client, person.phone).status_code == 200
    assert (
        ceremony.finish(client, ceremony.answer(person, ceremony.begin(person))).status_code < 300
    )


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
