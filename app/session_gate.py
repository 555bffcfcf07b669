"""Who is this request? The two answers that every application asks for, before Flask is reached.

`GET /api/auth/verify` tells a proxy by status and headers, `GET /api/auth/session` a page in JSON.
Each is one lookup by the token's hash on a held connection, and nothing is kept between two
requests: a session that ended, or a person who was disabled, is refused on the very next one.
Everything else falls through to the application behind. Whatever goes wrong denies.
"""

import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from urllib.parse import quote

import structlog

from app.config import Settings
from app.cookie_header import cookie_reader
from app.errors import (
    CrossSiteRequest,
    DatabaseUnavailable,
    EnrolmentOnly,
    MalformedRequest,
    NotAllowed,
    NotFound,
    NotSignedIn,
    ServiceError,
)
from app.gate_answers import Answer, GateAnswers, Headers
from app.services.access import (
    Requirement,
    fits,
    is_from_elsewhere,
    is_navigation,
    may_use,
    read_requirement,
)
from app.services.identity_headers import DEFAULT_NAMES, header_value
from app.services.tokens import is_browser_token, is_session_token
from app.session_checks import Checked, CheckedFor, Described, Row, SessionChecks

Environ = dict[str, Any]
StartResponse = Callable[[str, Headers], object]
WSGIApplication = Callable[[Environ, StartResponse], Iterable[bytes]]

_log = structlog.get_logger(__name__)
_METHODS = {"GET", "HEAD"}


class SessionGate:
    """A WSGI callable (PEP 3333), in front of another one or alone."""

    def __init__(self, settings: Settings, *, rest: WSGIApplication | None = None) -> None:
        """Take the settings, and what answers everything else; alone, all else is refused."""
        service = settings.service
        self.checks = SessionChecks(settings)
        self.failures = 0
        """How many checks the database did not answer."""
        self._next_line_at = 0.0
        self._answers = GateAnswers(service)
        self._rest = rest or self._refuse_the_rest
        self._paths = {"/api/auth/verify": self.verify, "/api/auth/session": self.session}
        self._session_cookies = cookie_reader(service.session_cookie)
        self._browser_cookies = cookie_reader(service.browser_cookie)
        self._origin = service.public_origin
        self._hosts = service.hosts

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer the two paths, exactly, where they are read and no body is sent."""
        answer_to = self._paths.get(environ["PATH_INFO"])
        method = environ["REQUEST_METHOD"]
        if answer_to is None or method not in _METHODS or _has_body(environ):
            return self._rest(environ, start_response)
        answer = answer_to(environ)
        if answer is None:
            return self._rest(environ, start_response)
        status, headers, body = answer
        start_response(status, headers)
        return (body,) if body and method == "GET" else ()

    def verify(self, environ: Environ) -> Answer | None:
        """Tell a proxy whether to pass a request on, and whose it is; None for an odd query."""
        asked = read_requirement(environ.get("QUERY_STRING", ""))
        if asked is None:
            return None
        try:
            return self._answers.identity(self._identify(environ, asked))
        except ServiceError as refusal:
            return self._lead_on(environ, asked, refusal)

    def session(self, environ: Environ) -> Answer | None:
        """Tell a page who is signed in; None for what only the application behind can refuse."""
        header = environ.get("HTTP_COOKIE", "")
        tokens, browsers = self._session_cookies(header), self._browser_cookies(header)
        is_plain = len(tokens) <= 1 and len(browsers) <= 1
        is_ours = all(map(is_session_token, tokens)) and all(map(is_browser_token, browsers))
        if not (is_plain and is_ours and environ.get("HTTP_HOST", "").lower() in self._hosts):
            return None
        try:
            return self._describe(tokens[0] if tokens else None)
        except ServiceError as refusal:
            return self._refuse(refusal)

    def _identify(self, environ: Environ, asked: Requirement) -> Headers:
        tokens = self._session_cookies(environ.get("HTTP_COOKIE", ""))
        if len(tokens) != 1 or not is_session_token(tokens[0]):
            raise NotSignedIn
        row = self.checks.find(CheckedFor if asked.app else Checked, tokens[0], asked.app)
        if row is None or row.purpose != "full":
            raise NotSignedIn
        groups = self.checks.list_of(row.groups)
        names, origins = DEFAULT_NAMES, [self._origin]
        if asked.app is None:
            if row.application_id is not None:
                raise NotSignedIn
        else:
            names, origins = self._admit(row, groups)
        if not fits(asked, role=row.role, groups=groups):
            raise NotAllowed
        if is_from_elsewhere(environ, origins):
            raise CrossSiteRequest
        return self._headers(row, names)

    def _admit(self, row: Row, groups: list[str]) -> tuple[tuple[str, ...], list[str]]:
        """Give the application's header names and origins. Raises what keeps the person out."""
        if row.asked_id is None:
            raise NotAllowed
        origins = self.checks.list_of(row.origins)
        # On a host of its own an application has a session of its own; under a path of ours it
        # shares the one that the service itself is used with.
        owner = None if self._origin in origins else row.asked_id
        if row.application_id != owner:
            raise NotSignedIn
        if not may_use(groups, allowed_groups=self.checks.list_of(row.allowed_groups)):
            raise NotAllowed
        return self.checks.names_of(row.header_map), origins

    def _headers(self, row: Row, names: tuple[str, ...]) -> Headers:
        values = (
            row.user_id,
            header_value(row.email) if row.is_proved and row.email else "",
            header_value(row.name),
            row.role,
            self.checks.groups_header(row.groups),
            row.id,
            row.authenticated_with,
            _rfc3339(self.checks.moment(row.authenticated_at)),
        )
        return [(name, value) for name, value in zip(names, values, strict=True) if value]

    def _describe(self, token: str | None) -> Answer:
        row = None if token is None else self.checks.find(Described, token)
        if row is None or row.application_id is not None:
            raise NotSignedIn
        if row.purpose != "full":
            raise EnrolmentOnly
        moment = self.checks.moment
        user = {
            "id": row.user_id,
            "email": row.email,
            "email_verified": bool(row.is_proved),
            "name": row.name,
            "role": row.role,
            "locale": row.locale,
            "created_at": moment(row.user_created_at),
        }
        session = {
            "id": row.id,
            "created_at": moment(row.created_at),
            "authenticated_at": moment(row.authenticated_at),
            "authenticated_with": row.authenticated_with,
            "expires_at": moment(row.expires_at),
            "idle_expires_at": moment(row.idle_expires_at),
        }
        return self._answers.document({"user": user, "session": session})

    def _lead_on(self, environ: Environ, asked: Requirement, refusal: ServiceError) -> Answer:
        """Refuse; or redirect a person, for proxies that hand our answer to them."""
        is_for_people = asked.redirect and is_navigation(environ)
        if not (is_for_people and isinstance(refusal, NotSignedIn | NotAllowed)):
            return self._refuse(refusal)
        try:
            origins = self.checks.origins_of(asked.app) if asked.app else [self._origin]
        except DatabaseUnavailable as unavailable:
            return self._refuse(unavailable)
        if not origins:
            return self._refuse(refusal)
        host = environ.get("HTTP_X_FORWARDED_HOST")
        origin = next((one for one in origins if one.partition("://")[2] == host), origins[0])
        back = f"return_to={quote(environ.get('HTTP_X_FORWARDED_URI', '/'), safe='/')}"
        if origin == self._origin:
            pages = f"/sign-in?{back}", f"/not-allowed?app={asked.app or ''}&{back}"
        else:
            pages = f"/.identity/start?{back}", "/.identity/refused"
        return self._answers.redirect(origin + pages[isinstance(refusal, NotAllowed)])

    def _refuse(self, refusal: ServiceError) -> Answer:
        if isinstance(refusal, DatabaseUnavailable):
            self._note_failure(refusal)
        return self._answers.refusal(type(refusal))

    def _note_failure(self, error: DatabaseUnavailable) -> None:
        # A line a second, however many thousand checks fail in it.
        self.failures += 1
        now = time.monotonic()
        if now >= self._next_line_at:
            self._next_line_at = now + 1
            cause = str(error.__cause__ or error.reason)
            _log.error("session_checks_failed", failures=self.failures, error=cause)

    def _refuse_the_rest(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        refusal = MalformedRequest if environ["PATH_INFO"] in self._paths else NotFound
        status, headers, body = self._answers.refusal(refusal)
        start_response(status, headers)
        return () if environ["REQUEST_METHOD"] == "HEAD" else (body,)


def _has_body(environ: Environ) -> bool:
    return environ.get("CONTENT_LENGTH", "") not in {"", "0"} or "HTTP_TRANSFER_ENCODING" in environ


def _rfc3339(moment: datetime) -> str:
    return f"{moment.isoformat(timespec='seconds')[:19]}Z"
