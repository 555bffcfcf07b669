"""Secrets that a service hands out or is sent, noted as that happens, to be looked for later."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from enum import StrEnum
from threading import Lock
from typing import Any

from werkzeug.test import TestResponse

from tests.support.clients import WireBrowser
from tests.support.people import BROWSER_COOKIE, SESSION_COOKIE
from tests.support.provider_visits import parameters_of
from tests.support.secret_search import SecretSearch


class Kind(StrEnum):
    """What is secret."""

    SESSION = "session token"
    SWAPPED_SESSION = "session token that was swapped or ended"
    BROWSER = "mark of a browser"
    REGISTRATION = "challenge of a registration"
    AUTHENTICATION = "challenge of an authentication"
    REAUTHENTICATION = "challenge of a reauthentication"
    ENROLMENT = "challenge of an enrolment"
    SIGNATURE = "signature of an assertion"
    INVITATION = "invitation"
    FIRST_ADMINISTRATOR = "first administrator's link"
    RECOVERY_CODE = "recovery code"
    RECOVERY_LINK = "recovery link"
    KEY = "key of SECRET_KEYS"
    PASSWORD = "password in DATABASE_URL"  # noqa: S105 - a name
    CLIENT_SECRET = "client secret at a provider"  # noqa: S105 - a name
    CLIENT_CREDENTIALS = "Authorization header of a client"
    STATE = "state of an authorization request"
    NONCE = "nonce of an authorization request"
    VERIFIER = "PKCE verifier"
    CODE = "authorization code"
    CALLBACK = "query of a callback"
    PROVIDER_ACCESS = "access token of a provider"
    RENEWED_ACCESS = "access token of a provider after a refresh"
    PROVIDER_REFRESH = "refresh token of a provider"
    ID_TOKEN = "ID token"  # noqa: S105 - a name
    STRANGE = "secret of another service, sent by mistake"
    USER_HANDLE = "user handle"
    """Stored, and told to its owner's devices; no log needs it."""


_COOKIES = {SESSION_COOKIE: Kind.SESSION, BROWSER_COOKIE: Kind.BROWSER}
_CHALLENGES = {
    "/api/auth/registration/options": Kind.REGISTRATION,
    "/api/auth/authentication/options": Kind.AUTHENTICATION,
    "/api/auth/reauthentication/options": Kind.REAUTHENTICATION,
    "/api/auth/credentials/options": Kind.ENROLMENT,
}
_ASKED = {"state": Kind.STATE, "nonce": Kind.NONCE}
_BETRAYALS = ("Traceback", "sqlalchemy", "psycopg", "sqlite", "SELECT", "UPDATE", "relation")
"""What no answer to a fault of ours may hold (ASVS 16.5.1)."""


class Planted:
    """Notes secrets, and what was found of them in answers that did not hand them out."""

    def __init__(self) -> None:
        self.search = SecretSearch()
        self.values: dict[Kind, set[str]] = defaultdict(set)
        self.answers = 0
        self.findings: list[str] = []
        self.overhear: Callable[[], object] = lambda: None
        """Plants what outside parties were told meanwhile."""
        self._lock = Lock()

    def plant(self, kind: Kind, *secrets: str) -> None:
        """Look for these from now on."""
        with self._lock:
            for secret in secrets:
                self.values[kind].add(secret)
                self.search.add(kind, secret)

    def found_in(self, content: bytes, *, stored: bool = False) -> set[str]:
        """Give the kinds that are found where they must not stand; ``stored`` is a database."""
        return self.search.found_in(content) - ({Kind.USER_HANDLE} if stored else set())

    def check(self, answer: TestResponse) -> None:
        """Note what an answer hands out; all that was handed out before stays out of it."""
        self.overhear()
        content = as_sent(answer)
        found = self.found_in(content, stored=True)
        for kind, secret in _handed_out(answer):
            self.plant(kind, secret)
            content = content.replace(secret.encode(), b"", 1)
        found |= self.found_in(content, stored=True)
        if answer.status_code >= 500:
            found |= {word for word in _BETRAYALS if word.encode() in content}
        asked = f"{answer.request.method} {answer.request.path} {answer.status_code}"
        with self._lock:
            self.answers += 1
            self.findings += [f"{one} in the answer to {asked}" for one in sorted(found)]


class NotingBrowser(WireBrowser):
    """Asks over the wire; what it is given is planted, and looked for in what it is given later."""

    def __init__(self, port: int, planted: Planted, **options: bool) -> None:
        super().__init__("127.0.0.1", port, **options)
        self._planted = planted

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:  # noqa: ANN401 - as inherited
        before = self._session()
        self._planted.plant(Kind.SIGNATURE, *_signature(kwargs.get("json")))
        answer = super().open(*args, **kwargs)
        self._planted.check(answer)
        if before and before != self._session():
            self._planted.plant(Kind.SWAPPED_SESSION, before)
        return answer

    def _session(self) -> str | None:
        cookie = self.get_cookie(SESSION_COOKIE) if self._cookies is not None else None
        return cookie.value if cookie else None


def as_sent(answer: TestResponse) -> bytes:
    """Give an answer's headers and body."""
    headers = "\n".join(f"{name}: {value}" for name, value in answer.headers)
    return headers.encode() + b"\n\n" + answer.get_data()


def _handed_out(answer: TestResponse) -> Iterator[tuple[Kind, str]]:
    for cookie in answer.headers.getlist("Set-Cookie"):
        name, _, value = cookie.partition(";")[0].partition("=")
        if value:
            yield _COOKIES[name], value
    if answer.status_code >= 400:
        return
    told = answer.get_json() if answer.is_json else {}
    # To a provider, where the browser is to go next.
    asked = parameters_of(told.get("location") or answer.headers.get("Location", ""))
    yield from ((kind, asked[name]) for name, kind in _ASKED.items() if name in asked)
    if kind := _CHALLENGES.get(answer.request.path):
        yield kind, told["challenge"]
        if "user" in told:
            yield Kind.USER_HANDLE, told["user"]["id"]
    for code in told.get("codes", []):
        yield Kind.RECOVERY_CODE, code


def _signature(body: object) -> Iterator[str]:
    match body:
        case {"credential": {"response": {"signature": str(signature)}}}:
            yield signature
