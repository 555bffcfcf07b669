"""One kind of ceremony, set up so that thousands of attempts need no more than their last request.

A real ceremony is begun once; the row of its challenge is then copied in the database, under the
hashes of challenges that only the test knows.
"""

import json
import secrets
from base64 import urlsafe_b64encode
from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import insert, select

from app import clock
from app.database import WRITES
from app.extensions import db
from app.models import Challenge, Purpose
from app.services.tokens import hash_secret
from tests.support.authenticator import Authenticator, Json, bent, decode, encode
from tests.support.clients import Browser
from tests.support.hostile_ceremonies import CREATING, Case
from tests.support.people import BROWSER_COOKIE, SESSION_COOKIE, hand_over
from tests.support.raw_requests import Line, Request
from tests.support.variables import ORIGIN

PATHS = {
    Purpose.REGISTRATION: "/api/auth/registration",
    Purpose.AUTHENTICATION: "/api/auth/authentication",
    Purpose.REAUTHENTICATION: "/api/auth/reauthentication",
    Purpose.ENROLMENT: "/api/auth/credentials",
}
_AT_ONCE = 200


@dataclass(kw_only=True)
class Stage:
    """A browser that has begun a ceremony, and the phones that may answer it."""

    app: Flask
    purpose: Purpose
    client: Browser
    phones: list[Authenticator]
    _options: Json = field(init=False)
    _row: dict[str, Any] = field(init=False)
    _challenges: deque[bytes] = field(default_factory=deque, init=False)
    _made: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        body = {"email": "somebody@example.org", "name": "Ada"}
        begun = self.client.post(
            f"{PATHS[self.purpose]}/options",
            json=body if self.purpose is Purpose.REGISTRATION else {},
        )
        assert begun.status_code == 200, begun.text
        self._options = begun.get_json()
        hashed = hash_secret(decode(self._options["challenge"]))
        with self.app.app_context(), db.engine.connect() as connection:
            found = connection.execute(select(Challenge.__table__).where(Challenge.hash == hashed))
            self._row = dict(found.mappings().one())

    def request(self, case: Case | None = None) -> Request:
        """Give the last request of a ceremony of its own; an honest one without a case."""
        case = case or Case()
        phone = self.phones[self._made % len(self.phones)]
        self._made += 1
        options = {**self._options, "challenge": encode(self._next_challenge())}
        credential = self._answer(phone, options, case)
        if case.spoil is not None:
            case.spoil(credential)
        body = json.dumps(bent({"credential": credential}, case.members)).encode()
        return Request(
            method="POST",
            target=PATHS[self.purpose].encode(),
            headers=self._headers(),
            body=case.body(body) if case.body is not None else body,
        )

    def succeed(self, line: Line) -> None:
        """See that the honest ceremony still succeeds, and take the token where it is swapped."""
        reply = line.ask(self.request())
        assert reply.status in {200, 201}, (reply.status, reply.body)
        if self.purpose is Purpose.REAUTHENTICATION:
            hand_over(self.client, reply.cookie(SESSION_COOKIE) or "")

    def _answer(self, phone: Authenticator, options: Json, case: Case) -> Json:
        twists = case.twists.copy()
        if case.client_data is not None:
            kind = "webauthn.create" if self.purpose in CREATING else "webauthn.get"
            honest = {"type": kind, "challenge": options["challenge"], "origin": ORIGIN}
            twists["client_data_json"] = case.client_data(json.dumps(honest).encode())
        if self.purpose in CREATING:
            new = Authenticator(
                origin=ORIGIN,
                algorithm=phone.algorithm,
                attestation="packed" if case.self_signed else "none",
            )
            return new.create({**options, "excludeCredentials": []}, **twists)
        return phone.get(options, **twists)

    def _headers(self) -> list[tuple[bytes, bytes]]:
        cookies = (self.client.get_cookie(name) for name in (SESSION_COOKIE, BROWSER_COOKIE))
        values = [f"{cookie.key}={cookie.value}" for cookie in cookies if cookie is not None]
        return [
            (b"Content-Type", b"application/json"),
            (b"Sec-Fetch-Site", b"same-origin"),
            (b"Cookie", "; ".join(values).encode()),
        ]

    def _next_challenge(self) -> bytes:
        if not self._challenges:
            self._challenges.extend(secrets.token_bytes(32) for _ in range(_AT_ONCE))
            expires_at = clock.now() + timedelta(hours=1)
            rows = [
                {
                    **self._row,
                    "hash": hash_secret(challenge),
                    "payload": self._payload(self._made + number),
                    "expires_at": expires_at,
                }
                for number, challenge in enumerate(self._challenges)
            ]
            with (
                self.app.app_context(),
                db.engine.execution_options(**{WRITES: True}).begin() as connection,
            ):
                connection.execute(insert(Challenge), rows)
        return self._challenges.popleft()

    def _payload(self, number: int) -> Json:
        payload: Json = self._row["payload"]
        if self.purpose is not Purpose.REGISTRATION:
            return payload
        handle = urlsafe_b64encode(secrets.token_bytes(64)).decode()
        return {**payload, "email": f"ada{number}@example.org", "user_handle": handle}
