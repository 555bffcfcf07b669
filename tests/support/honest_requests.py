"""For every route that changes something: the request with which it does what it is for."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from urllib.parse import urlsplit

from flask import Flask
from werkzeug.test import TestResponse

from app import clock
from app.models import Application, Credential
from tests.support.authenticator import Json
from tests.support.clients import Browser, InProcessBrowser
from tests.support.connections import written
from tests.support.handed_over import WIKI, arrive, register
from tests.support.origin_cells import Cell
from tests.support.outsiders import linked_account
from tests.support.people import (
    ADDRESS,
    BROWSER_COOKIE,
    SESSION_COOKIE,
    Person,
    add_passkey,
    begin_sign_up,
    hand_over,
    json_of,
    new_codes,
    new_phone,
    post,
    sign_up,
)
from tests.support.sessions import listed, open_session_of
from tests.support.tables import change
from tests.support.tables import count as count_rows
from tests.support.variables import ORIGIN

PROVIDER = ("<provider:provider>", "github")
APPLICATION = ("<application:application_id>", "wiki")
FILE = ("<file>", "identity.css")
CHANGING = {"POST", "PUT", "PATCH", "DELETE"}


def changing_routes(app: Flask) -> set[str]:
    """Name the routes of the URL map whose methods may change something."""
    return {
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) & CHANGING
    }


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request that has its effect if it is let through."""

    app: Flask
    victim: Browser
    method: str
    path: str
    body: Json
    origin: str = ORIGIN
    """Of the host that is asked, and of the page that may ask it."""

    def send(self, cell: Cell, *, method: str | None = None) -> TestResponse:
        """Ask the application of this process, by another method where one is named."""
        client = self.victim if cell.cookies else InProcessBrowser(self.app, use_cookies=False)
        client.sec_fetch_site = None
        headers = {name: value for name, value in self._headers(cell).items() if value is not None}
        data = None if cell.content_type == "no body" else json.dumps(self.body).encode()
        try:
            return client.open(
                self.path,
                method=method or self.method,
                base_url=self.origin,
                headers=headers,
                data=data,
                buffered=True,
            )
        finally:
            client.sec_fetch_site = "same-origin"

    def written(self, cell: Cell) -> bytes:
        """Write it as it goes over the wire."""
        cookies = "; ".join(
            f"{name}={cookie.value}"
            for name in (SESSION_COOKIE, BROWSER_COOKIE)
            if cell.cookies and (cookie := self.victim.get_cookie(name, domain=self._host))
        )
        host = urlsplit(self.origin).netloc
        headers = {"Host": host, "Cookie": cookies or None, **self._headers(cell)}
        body = None if cell.content_type == "no body" else self.body
        return written(self.method, self.path, body=body, headers=headers)

    @property
    def _host(self) -> str:
        return urlsplit(self.origin).hostname or ""

    def _headers(self, cell: Cell) -> dict[str, str | None]:
        """Give what the mixture says; the origin that is ours is the one of the host."""
        origin = self.origin if cell.origin == ORIGIN else cell.origin
        return {**cell.headers, "Origin": origin}


@dataclass(kw_only=True)
class Requests:
    """Somebody with an account, and honest requests of theirs."""

    app: Flask
    person: Person
    numbers: "count[int]"

    @classmethod
    def of_somebody(cls, app: Flask, *, email: str = ADDRESS) -> "Requests":
        client = InProcessBrowser(app, app.response_class)
        return cls(app=app, person=sign_up(client, email=email), numbers=count())

    def new(self, route: str) -> Request:
        """Make a request that would change something now, in a session that was just opened."""
        hand_over(self.person.client, open_session_of(self.app, self.person))
        method, path = route.split()
        is_elsewhere = path.startswith("/.identity/")
        if is_elsewhere:
            self._go_to_the_wiki()
        path = path.replace("<id:id>", self._row_id(path)).replace(*PROVIDER)
        return Request(
            app=self.app,
            victim=self.person.client,
            method=method,
            path=path.replace(*APPLICATION).replace(*FILE),
            body=BODIES.get(route, Requests.nothing)(self),
            origin=WIKI if is_elsewhere else ORIGIN,
        )

    def _go_to_the_wiki(self) -> None:
        if not count_rows(self.app, Application):
            register(self.app)
        self.person.client.delete_cookie(SESSION_COOKIE, domain="wiki.localhost")
        arrive(self.person.client)

    def _row_id(self, path: str) -> str:
        if path.startswith("/api/auth/credentials/<"):
            return str(add_passkey(self.person)["id"])
        if path.startswith("/api/oauth/accounts/<"):
            return linked_account(self.app, self.person)
        if path.startswith("/api/auth/sessions/<"):
            open_session_of(self.app, self.person)
            return str(next(one["id"] for one in listed(self.person.client) if not one["current"]))
        return ""

    def nothing(self) -> Json:
        return {}

    def an_identity_alone(self) -> Json:
        """Have a linked account, and no passkey that could be used in its place."""
        linked_account(self.app, self.person)
        change(self.app, Credential, quarantined_at=clock.now())
        return {}

    def a_name(self) -> Json:
        return {"name": f"Mallory {next(self.numbers)}"}

    def an_address(self) -> Json:
        return {"email": f"eve{next(self.numbers)}@example.org", "name": "Eve"}

    def a_code(self) -> Json:
        return {"code": new_codes(self.person.client)[0]}

    def an_account(self) -> Json:
        email = f"eve{next(self.numbers)}@example.org"
        options = json_of(begin_sign_up(self.person.client, email=email))
        return {"credential": new_phone().create(options)}

    def a_passkey(self) -> Json:
        options = post(self.person.client, "/api/auth/credentials/options")
        return {"credential": new_phone().create(options)}

    def a_sign_in(self) -> Json:
        options = post(self.person.client, "/api/auth/authentication/options")
        return {"credential": self.person.phone.get(options, credential=self.person.credential)}

    def a_step_up(self) -> Json:
        options = post(self.person.client, "/api/auth/reauthentication/options")
        return {"credential": self.person.phone.get(options, credential=self.person.credential)}


BODIES: dict[str, Callable[[Requests], Json]] = {
    "POST /.identity/<application:application_id>/sign-out": Requests.nothing,
    "POST /.identity/<application:application_id>/sign-out/everywhere": Requests.nothing,
    "POST /api/auth/authentication": Requests.a_sign_in,
    "POST /api/auth/authentication/options": Requests.nothing,
    "POST /api/auth/credentials": Requests.a_passkey,
    "DELETE /api/auth/credentials/<id:id>": Requests.nothing,
    "PATCH /api/auth/credentials/<id:id>": Requests.a_name,
    "POST /api/auth/credentials/options": Requests.nothing,
    "POST /api/auth/reauthentication": Requests.a_step_up,
    "POST /api/auth/reauthentication/options": Requests.nothing,
    "POST /api/auth/recovery": Requests.a_code,
    "POST /api/auth/recovery-codes": Requests.nothing,
    "POST /api/auth/registration": Requests.an_account,
    "POST /api/auth/registration/options": Requests.an_address,
    "DELETE /api/auth/session": Requests.nothing,
    "DELETE /api/auth/sessions": Requests.nothing,
    "DELETE /api/auth/sessions/<id:id>": Requests.nothing,
    "DELETE /api/oauth/accounts/<id:id>": Requests.nothing,
    "POST /api/oauth/<provider:provider>/link": Requests.nothing,
    "POST /api/oauth/<provider:provider>/reauthenticate": Requests.an_identity_alone,
    "PATCH /api/users/me": Requests.a_name,
}
"""A new route finds no body here, and fails the test that compares this with the URL map."""
