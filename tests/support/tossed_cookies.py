"""Cookies that an attacker tosses, and a person who is signed in with their own."""

import json
from dataclasses import dataclass

from tests.support.connections import RawAnswer, ask_once, written
from tests.support.deployments import Deployment
from tests.support.people import BROWSER_COOKIE, SESSION_COOKIE, Person, hand_over, token_of
from tests.support.sessions import open_session_of

REFUSED = (400, "cookie_refused")
NOBODY = (401, "not_signed_in")
UNREADABLE, TOO_LARGE = (400, None), (431, None)
"""The server's own refusals, before the service sees anything."""
THE_PERSON = (200, None)
SIGN_IN = "/api/auth/authentication"

TOSSED = {
    "behind the own": ("{name}={own}; {name}={evil}", REFUSED),
    "before the own": ("{name}={evil}; {name}={own}", REFUSED),
    "on both sides": ("{name}={evil}; {name}={own}; {name}={evil}", REFUSED),
    "without spaces": ("{name}={evil};{name}={own}", REFUSED),
    "the own one twice": ("{name}={own}; {name}={own}", REFUSED),
    "an empty one before": ("{name}=; {name}={own}", REFUSED),
    "one without a value": ("{name}; {name}={own}", REFUSED),
    "behind a tab": ("\t{name}={evil}; {name}={own}", REFUSED),
    "behind a comma": ("{name}={own},{name}={evil}", REFUSED),
    "quoted": ('{name}="{evil}"', REFUSED),
    "quoted before the own": ('{name}="{evil}"; {name}={own}', REFUSED),
    "quoted sandwich of both": ('a="b; {name}={evil}; c"; {name}={own}', REFUSED),
    "oversize": ("{name}={evil}{pad}", REFUSED),
    "oversize beside the own": ("{name}={own}; {name}={evil}{pad}", REFUSED),
    "behind a NUL": ("{name}={own}\0; {name}={evil}", UNREADABLE),
    "behind a vertical tab": ("\x0b{name}={evil}; {name}={own}", UNREADABLE),
    "in a header beyond the limit": ("{name}={evil}; pad={pad}{pad}{pad}", TOO_LARGE),
    "quoted sandwich of the own": ('a="b; {name}={own}; c=d"', THE_PERSON),
    "unicode space": ("\xe2\x80\x80{name}={evil}; {name}={own}", THE_PERSON),
    "ideographic space": ("\xe3\x80\x80{name}={evil}; {name}={own}", THE_PERSON),
    "next line": ("\xc2\x85{name}={evil}; {name}={own}", THE_PERSON),
    "no-break space": ("\xa0{name}={evil}; {name}={own}", THE_PERSON),
    "nameless": ("={name}={evil}; {name}={own}", THE_PERSON),
    "in capitals": ("{capitals}={evil}; {name}={own}", THE_PERSON),
    "space before the equals sign": ("{name} ={evil}; {name}={own}", THE_PERSON),
    "as a host's own": ("__Host-{name}={evil}; {name}={own}", THE_PERSON),
    "of another port": ("{name}1={evil}; {name}={own}", THE_PERSON),
    "with attributes of old": ("$Version=1; {name}={own}; $Path=/; $Domain=x", THE_PERSON),
    "unicode space alone": ("\xe2\x80\x80{name}={evil}", NOBODY),
    "nameless alone": ("={name}={evil}", NOBODY),
    "in capitals alone": ("{capitals}={evil}", NOBODY),
}
"""What the Cookie header says, and what `GET /api/auth/session` answers."""


@dataclass(frozen=True, kw_only=True)
class Cookies:
    """A person and an attacker, both signed in; what is sent is written by hand."""

    deployment: Deployment
    person: Person
    attacker: Person

    def ask(self, method: str, path: str, cookie: str, *, body: object = None) -> RawAnswer:
        request = written(method, path, body=body, headers={"Cookie": cookie})
        return ask_once(self.deployment.server.port, request)

    def toss(self, pattern: str, name: str) -> str:
        """Write a header in which the pattern stands for one cookie; the other is the person's."""
        own, evil = (token_of(one.client, name) for one in (self.person, self.attacker))
        tossed = pattern.format(
            name=name, capitals=name.upper(), own=own, evil=evil, pad="x" * 4000
        )
        return f"{self.own(other_than=name)}; {tossed}"

    def own(self, *, other_than: str = "") -> str:
        return "; ".join(
            f"{name}={token_of(self.person.client, name)}"
            for name in (SESSION_COOKIE, BROWSER_COOKIE)
            if name != other_than
        )

    def begin_sign_in(self, cookie: str) -> RawAnswer:
        return self.ask("POST", f"{SIGN_IN}/options", cookie, body={})

    def finish_sign_in(self, begun: RawAnswer, cookie: str) -> RawAnswer:
        credential = self.person.phone.get(json.loads(begun.body))
        return self.ask("POST", SIGN_IN, cookie, body={"credential": credential})

    def is_of_the_person(self, answer: RawAnswer) -> bool:
        """Tell whether an answer is about a session, and about whose."""
        if answer.said != THE_PERSON:
            return False
        return bool(json.loads(answer.body)["user"] == self.person.user)

    def assert_unharmed(self) -> None:
        """See that the cookies which the person had all along are still good."""
        assert self.is_of_the_person(self.ask("GET", "/api/auth/session", self.own()))

    def renew(self) -> None:
        """Sign the person in anew, where a trial has replaced the session."""
        hand_over(self.person.client, open_session_of(self.deployment.app, self.person))
