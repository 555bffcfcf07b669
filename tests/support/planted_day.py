"""A day of a service at its most talkative: all that can be done, and much that goes wrong.

What people are handed is planted by their browsers, what operators print by the commands here.
"""

import re
import secrets
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import urlencode

from werkzeug.test import TestResponse

from tests.support.authenticator import SYNCED, UV
from tests.support.commands import run_flask
from tests.support.deployments import Deployment
from tests.support.outsiders import Outsiders, path_of
from tests.support.people import (
    Person,
    begin_sign_up,
    finish_sign_up,
    hand_over,
    json_of,
    new_phone,
    post,
    refusal,
    sign_in,
    sign_up,
    step_up,
    token_of,
)
from tests.support.planted_secrets import Kind, NotingBrowser, Planted
from tests.support.provider_visits import parameters_of, sent_back
from tests.support.secret_places import Storage, processes_of, shown_by
from tests.support.story import tell_story
from tests.support.units import engine_of

ADDRESSES = (f"person-{number}@example.org" for number in count())


@dataclass(kw_only=True)
class Day:
    """A service under way, what is secret in it, and what it left outside of its log."""

    deployment: Deployment
    storage: Storage
    planted: Planted
    outsiders: Outsiders
    told: list[str] = field(default_factory=list)
    """What commands and refused boots wrote that may be shown to anybody."""
    shown: set[bytes] = field(default_factory=set)
    """Names and arguments of processes, as everybody on the machine can see them."""

    def browser(self) -> NotingBrowser:
        return NotingBrowser(self.deployment.server.port, self.planted)

    def newcomer(self, invitation: str | None = None) -> Person:
        """Create an account at an address of its own."""
        return sign_up(self.browser(), email=next(ADDRESSES), invitation=invitation)

    def visit(self, location: str) -> str:
        """Go to a provider; gives the path and query that it sends back to, which is planted."""
        callback = path_of(sent_back(location))
        given = parameters_of(callback)
        if "code" in given:
            both = {name: given[name] for name in ("code", "state")}
            self.planted.plant(Kind.CODE, both["code"])
            self.planted.plant(Kind.CALLBACK, urlencode(both))
        return callback

    def command(self, *arguments: str) -> str:
        """Run a command as an operator does; what it prints is for them, what it logs is not."""
        done = run_flask(*arguments, variables=self.deployment.server.environment)
        self.told.append(done.stderr)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def stored(self) -> bytes:
        """Give what is in the database's files."""
        # A process that closes a file loses the locks that SQLite holds there for it.
        engine_of(self.deployment.app).dispose()
        return self.storage.files()

    def look(self) -> None:
        """See what the processes show of themselves at this moment."""
        processes = [
            *processes_of(self.deployment.server.process.pid),
            *self.storage.processes(),
        ]
        self.shown |= {shown_by(process) for process in processes}


def operate(day: Day) -> None:
    """Hand out what an operator hands out; each is used once, and refused the second time."""
    address = next(ADDRESSES)
    first = take_link(day, Kind.FIRST_ADMINISTRATOR, "welcome")
    day.newcomer(invitation=first)
    invitation = take_link(day, Kind.INVITATION, "users", "invite", address)
    elsewhere = begin_sign_up(day.browser(), email=next(ADDRESSES), invitation=invitation)
    assert refusal(elsewhere) == (403, "invitation_unusable")
    sign_up(day.browser(), email=address, invitation=invitation)
    again = begin_sign_up(day.browser(), email=next(ADDRESSES), invitation=invitation)
    assert refusal(again) == (403, "invitation_unusable")
    code = take_link(day, Kind.RECOVERY_LINK, "users", "recover", address)
    answers = [day.browser().post("/api/auth/recovery", json={"code": code}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 403]


def take_link(day: Day, kind: Kind, *command: str) -> str:
    found = re.search(r"#(?:invitation|code)=([A-Za-z0-9_-]+)", day.command(*command))
    assert found is not None
    day.planted.plant(kind, found[1])
    return found[1]


def live(day: Day) -> None:
    """Go through every operation and every page."""
    for label, answer in tell_story(day.browser):
        assert answer.status_code < 400 or "(anonymous)" in label, (label, answer.text)
    day.look()


def be_refused(day: Day) -> None:
    """Do right what is then done wrong: again, elsewhere, too late, with the wrong key."""
    person, other, path = day.newcomer(), day.newcomer(), "/api/auth/authentication"
    options = post(person.client, f"{path}/options")
    assertion = {"credential": person.phone.get(options)}
    before = token_of(person.client)
    answers = [
        day.browser().post(path, json=assertion),
        person.client.post(path, json=assertion),
        person.client.post(path, json=assertion),
        hand_over(day.browser(), before).get("/api/auth/session"),
        sign_in(day.browser(), person.phone, signature=secrets.token_bytes(64)),
        step_up(other.client, person.phone, credential=person.credential),
        begin_sign_up(day.browser(), email=person.user["email"]),
        _sign_up_unverified(day.browser()),
    ]
    assert [answer.status_code for answer in answers] == [400, 200, 400, 401, 401, 401, 409, 400]
    assert [refusal(answer)[1] for answer in answers if answer.status_code != 200] == [
        "challenge_unusable",
        "challenge_unusable",
        "not_signed_in",
        "assertion_rejected",
        "assertion_rejected",
        "address_taken",
        "attestation_rejected",
    ]


def _sign_up_unverified(browser: NotingBrowser) -> TestResponse:
    options = json_of(begin_sign_up(browser, email=next(ADDRESSES)))
    return finish_sign_up(browser, new_phone(), options, flags=SYNCED & ~UV)
