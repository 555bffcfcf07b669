"""The four ceremonies that spend a challenge, and somebody who goes through any of them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count as counting

from flask import Flask
from sqlalchemy import delete, update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app import clock
from app.models import Challenge, Credential, UserSession
from app.services.tokens import hash_secret
from tests.support.authenticator import AT, SYNCED, UP, Json, decode
from tests.support.clients import Browser
from tests.support.people import (
    BROWSER_COOKIE,
    Person,
    begin_sign_up,
    hand_over,
    json_of,
    new_phone,
    post,
    sign_up,
    token_of,
)
from tests.support.tables import PASSING, Contents, contents, count
from tests.support.units import run_unit


@dataclass(frozen=True, kw_only=True)
class Ceremony:
    """One of the four: where it is finished, and what it needs."""

    path: str
    creates: bool
    """Makes a passkey; else it uses one."""
    public: bool
    """Needs nobody to be signed in, so that its challenge is bound to the browser alone."""

    def finish(self, client: Browser, credential: Json) -> TestResponse:
        return client.post(self.path, json={"credential": credential})


REGISTRATION = Ceremony(path="/api/auth/registration", creates=True, public=True)
AUTHENTICATION = Ceremony(path="/api/auth/authentication", creates=False, public=True)
REAUTHENTICATION = Ceremony(path="/api/auth/reauthentication", creates=False, public=False)
ENROLMENT = Ceremony(path="/api/auth/credentials", creates=True, public=False)
CEREMONIES = {
    "registration": REGISTRATION,
    "authentication": AUTHENTICATION,
    "reauthentication": REAUTHENTICATION,
    "enrolment": ENROLMENT,
}


@dataclass(kw_only=True)
class Scene:
    """Somebody signed in, with one more window of the same browser that nobody is signed in to.

    The ceremonies that need no session take place in that window, so that the person stays signed
    in whoever signs up there.
    """

    person: Person
    window: Browser
    _numbers: "counting[int]" = field(default_factory=counting, repr=False)

    def at(self, ceremony: Ceremony) -> Browser:
        return self.window if ceremony.public else self.person.client

    def begin(self, ceremony: Ceremony) -> Json:
        if ceremony is REGISTRATION:
            address = f"new{next(self._numbers)}@example.org"
            return json_of(begin_sign_up(self.window, email=address))
        return post(self.at(ceremony), f"{ceremony.path}/options")

    def answer(self, ceremony: Ceremony, options: Json, *, broken: bool = False) -> Json:
        """Answer as an honest authenticator does, or with user verification left out."""
        if ceremony.creates:
            flags = AT | UP if broken else AT | SYNCED
            return new_phone().create({**options, "excludeCredentials": []}, flags=flags)
        flags = UP if broken else SYNCED
        return self.person.phone.get(options, credential=self.person.credential, flags=flags)

    def finish(self, ceremony: Ceremony, credential: Json) -> TestResponse:
        return ceremony.finish(self.at(ceremony), credential)

    def succeeds(self, ceremony: Ceremony, options: Json | None = None) -> bool:
        """Go through the ceremony as one should, from its beginning or from its options on."""
        finished = self.finish(ceremony, self.answer(ceremony, options or self.begin(ceremony)))
        return finished.status_code == (201 if ceremony.creates else 200)

    def forget_spares(self, app: Flask) -> None:
        """Take away what was enrolled here: there is an end to how many passkeys one may have."""
        mine, kept = self.person.user["id"], self.person.credential.id

        def forget(session: Session) -> None:
            session.execute(
                delete(Credential).where(
                    Credential.user_id == mine, Credential.credential_id != kept
                )
            )

        run_unit(app, forget)


def open_scene(new_client: Callable[[], Browser]) -> Scene:
    """Sign somebody up, in a browser with two windows."""
    person = sign_up(new_client())
    return Scene(person=person, window=window_of(person.client, new_client))


def window_of(client: Browser, new_client: Callable[[], Browser]) -> Browser:
    """Open one more window of the same browser, in which nobody is signed in."""
    return hand_over(new_client(), token_of(client, BROWSER_COOKIE), BROWSER_COOKIE)


Granted = tuple[Contents, int]


def granted(app: Flask) -> Granted:
    """Tell of everything that a ceremony can bring about.

    Of sessions only how many there are: in between, when one was last seen may be put on record.
    """
    return contents(app, without=(*PASSING, "user_sessions")), count(app, UserSession)


def expire(app: Flask, options: Json) -> None:
    """Let the challenge of these options have expired a moment ago."""
    challenge = hash_secret(decode(options["challenge"]))

    def move(session: Session) -> None:
        ended = (
            update(Challenge)
            .where(Challenge.hash == challenge)
            .values(expires_at=clock.now())
            .returning(Challenge.hash)
        )
        assert session.scalars(ended).all() == [challenge]

    run_unit(app, move)
