"""The answers of the session gate: byte for byte those that the application behind it gives."""

from http import HTTPStatus

from pydantic_core import to_json

from app.answer_headers import API_POLICY, refusal_headers, standing_headers
from app.config import ServiceSettings
from app.errors import ServiceError
from app.statuses import problem_document, status_of

Headers = list[tuple[str, str]]
Answer = tuple[str, Headers, bytes]
"""Status line, headers, body."""


class GateAnswers:
    """What is always the same, made once."""

    def __init__(self, settings: ServiceSettings) -> None:
        """Take the settings on which headers depend."""
        self._standing: Headers = [
            *standing_headers(settings).items(),
            ("Content-Security-Policy", API_POLICY),
            ("Vary", "Cookie"),
            ("Cache-Control", "no-store"),
        ]

    def refusal(self, refusal: type[ServiceError]) -> Answer:
        """Refuse, with a problem document."""
        status = status_of(refusal)
        body = problem_document(status, refusal.code, refusal.sentence).encode()
        headers = [
            *self._standing,
            *refusal_headers(status).items(),
            ("Content-Type", "application/problem+json"),
            ("Content-Length", str(len(body))),
        ]
        return f"{status} {HTTPStatus(status).phrase}", headers, body

    def document(self, value: object) -> Answer:
        """Answer in JSON."""
        body = to_json(value)
        headers = [
            *self._standing,
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
        ]
        return "200 OK", headers, body

    def identity(self, headers: Headers) -> Answer:
        """Let the proxy pass a request on, with these headers; it reads no others."""
        return "204 No Content", [("Cache-Control", "no-store"), *headers], b""

    def redirect(self, location: str) -> Answer:
        """Lead a browser on."""
        headers = [*self._standing, ("Location", location), ("Content-Length", "0")]
        return "303 See Other", headers, b""
