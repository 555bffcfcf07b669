"""Only a page of ours changes anything (ASVS 3.5.1 to 3.5.3, CS-2, NI-5, A10, A11).

Every state-changing route, taken from the URL map, meets every combination of content type, what
the browser says of the page that asks, and cookies. The bodies are honest: each would have its
effect, and in the one honest cell it has.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass
from itertools import product
from operator import ne

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.support.authenticator import Json
from tests.support.clients import Browser, InProcessBrowser
from tests.support.databases import EngineName
from tests.support.people import (
    Person,
    add_passkey,
    begin_sign_up,
    json_of,
    new_codes,
    new_phone,
    post,
    refusal,
    sign_in,
    sign_up,
)
from tests.support.tables import contents
from tests.support.variables import ORIGIN

SITES = ("same-origin", "same-site", "cross-site", "none", None)
ORIGINS = (ORIGIN, "https://evil.example", "null", None)
CONTENT_TYPES = (
    "application/json",
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    None,  # a body that does not say what it is
    "no body",
)

ROUTES = (
    "POST /api/auth/authentication",
    "POST /api/auth/authentication/options",
    "POST /api/auth/credentials",
    "DELETE /api/auth/credentials/<id:id>",
    "PATCH /api/auth/credentials/<id:id>",
    "POST /api/auth/credentials/options",
    "POST /api/auth/reauthentication",
    "POST /api/auth/reauthentication/options",
    "POST /api/auth/recovery",
    "POST /api/auth/recovery-codes",
    "POST /api/auth/registration",
    "POST /api/auth/registration/options",
    "DELETE /api/auth/session",
    "DELETE /api/auth/sessions",
    "DELETE /api/auth/sessions/<id:id>",
    "PATCH /api/users/me",
)


def test_routes_are_those_of_the_url_map(app: Flask) -> None:
    changing = {"POST", "PUT", "PATCH", "DELETE"}
    found = {
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) & changing
    }

    assert found == set(ROUTES)


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One combination of what a request can say."""

    content_type: str | None
    site: str | None
    origin: str | None
    cookies: bool

    @property
    def same_origin(self) -> bool:
        """Tell whether a page of ours, or no browser at all, made the request."""
        if self.site is None and self.origin is None:
            return not self.cookies
        return self.site in {"same-origin", None} and self.origin in {ORIGIN, None}

    @property
    def json_or_nothing(self) -> bool:
        return self.content_type in {"application/json", "no body"}


CELLS = [
    Cell(content_type=content_type, site=site, origin=origin, cookies=cookies)
    for content_type, site, origin, cookies in product(CONTENT_TYPES, SITES, ORIGINS, (True, False))
]
HONEST = Cell(content_type="application/json", site="same-origin", origin=ORIGIN, cookies=True)


def cells(engine_name: EngineName) -> list[Cell]:
    """Give every combination on SQLite; on PostgreSQL those that are honest but for one thing.

    The rule reads the request alone, so that the engine has no part in it. What the engine has a
    part in, that a refusal leaves all rows as they were, every route shows on both.
    """
    if engine_name == "sqlite":
        return CELLS
    return [cell for cell in CELLS if sum(map(ne, astuple(cell), astuple(HONEST))) <= 1]


@dataclass(frozen=True, kw_only=True)
class Attack:
    """A request that would have its effect if it were let through."""

    app: Flask
    victim: Browser
    method: str
    path: str
    body: Json

    def send(self, cell: Cell) -> TestResponse:
        client = self.victim if cell.cookies else InProcessBrowser(self.app, use_cookies=False)
        client.sec_fetch_site = cell.site
        return client.open(
            self.path,
            method=self.method,
            headers={} if cell.origin is None else {"Origin": cell.origin},
            data=None if cell.content_type == "no body" else json.dumps(self.body).encode(),
            content_type=None if cell.content_type == "no body" else cell.content_type,
        )


@pytest.fixture
def attack(app: Flask, client: Browser, new_client: Callable[[], Browser]) -> Callable[..., Attack]:
    def prepare(route: str) -> Attack:
        method, path = route.split()
        person = sign_up(client)
        ids = {
            "credentials": add_passkey(person)["id"],
            "sessions": json_of(sign_in(new_client(), person.phone))["session"]["id"],
        }
        return Attack(
            app=app,
            victim=client,
            method=method,
            path=path.replace("<id:id>", str(ids.get(path.split("/")[3]))),
            body=dict(honest_body(route, person)),
        )

    return prepare


def honest_body(route: str, person: Person) -> Iterator[tuple[str, object]]:
    """Give the members of a body with which the route does what it is for."""
    method, path = route.split()
    client, phone = person.client, person.phone
    if path.endswith(("/authentication", "/reauthentication")):
        yield "credential", phone.get(post(client, f"{path}/options"))
    elif route == "POST /api/auth/credentials":
        yield "credential", new_phone().create(post(client, f"{path}/options"))
    elif path.endswith("/registration"):
        options = begin_sign_up(client, email="eve@example.org")
        yield "credential", new_phone().create(json_of(options))
    elif path.endswith("/registration/options"):
        yield from {"email": "eve@example.org", "name": "Eve"}.items()
    elif path.endswith("/recovery"):
        yield "code", new_codes(client)[0]
    elif method == "PATCH":
        yield "name", "Mallory's"


@pytest.mark.parametrize("route", ROUTES)
def test_only_a_page_of_ours_changes_anything(
    app: Flask, attack: Callable[..., Attack], engine_name: EngineName, route: str
) -> None:
    request = attack(route)
    before = contents(app, without=())

    wrong = {}
    for cell in cells(engine_name):
        if not cell.same_origin and refusal(request.send(cell)) != (403, "cross_site_request"):
            wrong[cell] = "let through from elsewhere"
        if cell.same_origin and not cell.json_or_nothing:
            expected = {(415, "unsupported_content_type")}
            expected |= set() if cell.cookies else {(401, "not_signed_in")}
            if refusal(request.send(cell)) not in expected:
                wrong[cell] = "let through in another form"

    assert wrong == {}
    assert contents(app, without=()) == before
    assert request.send(HONEST).status_code in {200, 201, 204}
    assert contents(app, without=()) != before


@pytest.mark.parametrize("route", ROUTES)
def test_allowed_requests_are_not_taken_for_foreign_ones(
    attack: Callable[..., Attack], engine_name: EngineName, route: str
) -> None:
    request = attack(route)

    for cell in cells(engine_name):
        if cell.same_origin and cell.json_or_nothing:
            answer = request.send(cell)
            assert answer.status_code not in {415, 421, 500, 503}, (cell, answer.text)
            assert "cross_site_request" not in answer.text, cell


@pytest.mark.parametrize("path", ["/api/auth/session", "/account", "/healthz", "/sign-in"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reading_needs_no_proof_and_changes_nothing(
    app: Flask, client: Browser, path: str, method: str
) -> None:
    sign_up(client)
    client.sec_fetch_site = "cross-site"
    before = contents(app, without=())

    answer = client.open(path, method=method, headers={"Origin": "https://evil.example"})

    assert answer.status_code in {200, 302}
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert contents(app, without=()) == before


def test_attackers_own_passkey_signs_nobody_in_from_another_site(
    client: Browser, new_client: Callable[[], Browser]
) -> None:
    attacker = sign_up(new_client(), email="eve@example.org")
    options = post(client, "/api/auth/authentication/options")
    body = {"credential": attacker.phone.get(options)}
    client.sec_fetch_site = "cross-site"

    answer = client.post("/api/auth/authentication", json=body)

    assert refusal(answer) == (403, "cross_site_request")
    assert client.get("/api/auth/session").status_code == 401
    client.sec_fetch_site = "same-origin"
    assert client.post("/api/auth/authentication", json=body).status_code == 200
