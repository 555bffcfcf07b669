"""A person at several browsers who does whatever changes the database, and writes it all down."""

from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from random import Random

from werkzeug.test import TestResponse

from tests.support.authenticator import Authenticator, Json
from tests.support.clients import Browser
from tests.support.journal import Journal
from tests.support.people import SESSION_COOKIE, json_of, new_phone, refusal, token_of

FIRST_NAME = "First"
_MOST = 4
"""How many browsers, and how many passkeys, somebody has at once."""


class RefusedError(Exception):
    """The service answered that it did not do what it was asked for."""

    def __init__(self, answer: TestResponse) -> None:
        self.answer = answer
        self.refusal = refusal(answer)
        super().__init__(str(self.refusal))


@dataclass(kw_only=True)
class Passkey:
    phone: Authenticator
    credential_id: str
    row_id: str | None = None


@dataclass(kw_only=True)
class Seat:
    """A browser that is signed in."""

    browser: Browser
    session: str


@dataclass(kw_only=True)
class Life:
    """One person from sign-up on.

    Every operation raises ``RefusedError``, and ``NoAnswerError`` after which nobody knows what
    is true of the person: the life is over then.
    """

    email: str
    new_browser: Callable[[], Browser]
    journal: Journal
    chance: Random
    invitation: str | None = None
    passkeys: list[Passkey] = field(default_factory=list)
    seats: list[Seat] = field(default_factory=list)
    recovering: list[Seat] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)

    def choices(self) -> list[Callable[[], None]]:
        """Give the operations that are possible now."""
        possible = {
            self.sign_in: len(self.seats) < _MOST,
            self.sign_in_again: bool(self.seats),
            self.sign_out: len(self.seats) > 1,
            self.step_up: bool(self.seats),
            self.enrol: bool(self.seats) and len(self.passkeys) < _MOST,
            self.rename: bool(self.seats),
            self.remove: bool(self.seats) and len(self.passkeys) > 1,
            self.renew_codes: bool(self.seats),
            self.redeem: bool(self.codes) and len(self.recovering) < _MOST,
            self.enrol_recovered: bool(self.recovering) and len(self.passkeys) < _MOST,
        }
        return [operation for operation, is_possible in possible.items() if is_possible]

    def sign_up(self) -> None:
        browser = self.new_browser()
        body = {"email": self.email, "name": "Ada"}
        body |= {"invitation": self.invitation} if self.invitation else {}
        options = self._prepare(browser, "/api/auth/registration/options", body)
        passkey, request = self._new_passkey(options, FIRST_NAME)
        asked = {"passkey": passkey.credential_id, "name": FIRST_NAME}
        told = self._ask("sign_up", browser, "/api/auth/registration", request, **asked)
        self.passkeys.append(passkey)
        self.seats.append(_seat(browser, told))

    def sign_in(self) -> None:
        browser = self.new_browser()
        told = self._authenticate("sign_in", browser, "authentication")
        self.seats.append(_seat(browser, told))

    def sign_in_again(self) -> None:
        """Sign in where somebody is signed in: that session ends."""
        seat = self.chance.choice(self.seats)
        replaced = {"replaces": seat.session}
        told = self._authenticate("sign_in", seat.browser, "authentication", **replaced)
        self.seats.remove(seat)
        self.seats.append(_seat(seat.browser, told))

    def step_up(self) -> None:
        seat = self.chance.choice(self.seats)
        self._authenticate("step_up", seat.browser, "reauthentication", of=seat.session)

    def sign_out(self) -> None:
        seat = self.chance.choice(self.seats)
        self._ask("sign_out", seat.browser, "/api/auth/session", method="DELETE", of=seat.session)
        self.seats.remove(seat)

    def enrol(self) -> None:
        self._enrol("enrol", self.chance.choice(self.seats))

    def enrol_recovered(self) -> None:
        """Add a passkey where a recovery code opened the account."""
        seat = self.chance.choice(self.recovering)
        told = self._enrol("enrol_recovered", seat, of=seat.session)
        self.recovering.remove(seat)
        self.seats.append(_seat(seat.browser, told))

    def rename(self) -> None:
        browser = self.chance.choice(self.seats).browser
        passkey = self.chance.choice(self.passkeys)
        path = f"/api/auth/credentials/{self._row_id(browser, passkey)}"
        name = f"Number {self.chance.randrange(1_000_000)}"
        asked = {"passkey": passkey.credential_id, "name": name}
        self._ask("rename", browser, path, {"name": name}, method="PATCH", **asked)

    def remove(self) -> None:
        browser = self.chance.choice(self.seats).browser
        passkey = self.chance.choice(self.passkeys)
        path = f"/api/auth/credentials/{self._row_id(browser, passkey)}"
        self._ask("remove", browser, path, method="DELETE", passkey=passkey.credential_id)
        self.passkeys.remove(passkey)

    def renew_codes(self) -> None:
        browser = self.chance.choice(self.seats).browser
        made = self._ask("renew_codes", browser, "/api/auth/recovery-codes", {})
        self.codes = made["codes"]
        self.recovering = []

    def redeem(self) -> None:
        browser, code = self.new_browser(), self.chance.choice(self.codes)
        told = self._ask("redeem", browser, "/api/auth/recovery", {"code": code}, code=code)
        self.codes.remove(code)
        self.recovering.append(_seat(browser, told))

    def _authenticate(self, operation: str, browser: Browser, kind: str, **asked: str) -> Json:
        options = self._prepare(browser, f"/api/auth/{kind}/options", {})
        passkey = self.chance.choice(self.passkeys)
        (credentials,) = passkey.phone.credentials.values()
        assertion = passkey.phone.get(options, credential=credentials[-1])
        request = {"credential": assertion}
        return self._ask(operation, browser, f"/api/auth/{kind}", request, **asked)

    def _enrol(self, operation: str, seat: Seat, **asked: str) -> Json:
        options = self._prepare(seat.browser, "/api/auth/credentials/options", {})
        name = f"Number {self.chance.randrange(1_000_000)}"
        passkey, request = self._new_passkey(options, name)
        asked |= {"passkey": passkey.credential_id, "name": name}
        told = self._ask(operation, seat.browser, "/api/auth/credentials", request, **asked)
        passkey.row_id = told["credential"]["id"]
        self.passkeys.append(passkey)
        return told

    def _new_passkey(self, options: Json, name: str) -> tuple[Passkey, Json]:
        phone = new_phone()
        response = phone.create(options)
        (credentials,) = phone.credentials.values()
        passkey = Passkey(phone=phone, credential_id=credentials[0].id.hex())
        return passkey, {"credential": response, "credential_name": name}

    def _row_id(self, browser: Browser, passkey: Passkey) -> str:
        if passkey.row_id is None:
            # The answer to a sign-up does not tell: the first one that was added.
            listed = browser.get("/api/auth/credentials")
            passkey.row_id = self._granted("list", listed)["items"][0]["id"]
        return passkey.row_id

    def _prepare(self, browser: Browser, path: str, body: Json) -> Json:
        return self._granted("prepare", browser.post(path, json=body))

    def _ask(
        self,
        operation: str,
        browser: Browser,
        path: str,
        body: Json | None = None,
        *,
        method: str = "POST",
        **asked: str,
    ) -> Json:
        self.journal.ask(operation, email=self.email, **asked)
        told = self._granted(operation, browser.open(path, method=method, json=body))
        if "session" in told:
            asked |= {"session": told["session"]["id"], "token": token_of(browser)}
        self.journal.acknowledge(operation, email=self.email, **asked, codes=told.get("codes", []))
        return told

    def _granted(self, operation: str, answer: TestResponse) -> Json:
        if answer.status_code < HTTPStatus.BAD_REQUEST:
            return json_of(answer) if answer.data else {}
        error = RefusedError(answer)
        self.journal.refuse(
            operation,
            email=self.email,
            refusal=error.refusal,
            retry_after=answer.headers.get("Retry-After"),
            signs_in=any(SESSION_COOKIE in one for one in answer.headers.getlist("Set-Cookie")),
            text=answer.text,
        )
        raise error


def _seat(browser: Browser, told: Json) -> Seat:
    return Seat(browser=browser, session=told["session"]["id"])
