"""A10: only a page of ours changes anything (ASVS 3.5.1 to 3.5.3, CS-2, NI-5).

Every state-changing route, taken from the URL map, meets every mixture of content type,
Sec-Fetch-Site, Origin and cookies, and every path every other method. The requests are honest:
each would have its effect, and in each allowed mixture it has. What the tables hold is compared.
"""

import random
from collections.abc import Callable

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.conftest import NewTally
from tests.support.clients import Browser
from tests.support.connections import RawAnswer, ask_once
from tests.support.counts import trials
from tests.support.deployments import Deployment
from tests.support.honest_requests import BODIES, Requests, changing_routes
from tests.support.origin_cells import CELLS, HONEST, Cell
from tests.support.people import post, refusal, sign_up
from tests.support.tables import contents

FOREIGN = (403, "cross_site_request")
NOT_SIGNED_IN = (401, "not_signed_in")
DONE = {200, 201, 204}

BEGINS_WITHOUT_COOKIES = {
    "POST /api/auth/authentication/options",
    "POST /api/auth/recovery",
    "POST /api/auth/registration/options",
}
FINISHES_IN_ITS_BROWSER = {"POST /api/auth/authentication", "POST /api/auth/registration"}
ELSEWHERE = {route for route in BODIES if "/.identity/" in route}
"""On the host of an application, whose own origin is the one that counts there."""
SIGN_OUT = {"DELETE /api/auth/session", *ELSEWHERE}
PUBLIC = {*BEGINS_WITHOUT_COOKIES, *FINISHES_IN_ITS_BROWSER, *SIGN_OUT}
TAKE_NOTHING = {
    "PATCH /api/users/me",
    "POST /api/oauth/<provider:provider>/reauthenticate",
    *(route for route, body in BODIES.items() if body is Requests.nothing),
}
ROUTES = pytest.mark.parametrize("route", BODIES)


def expected(route: str, cell: Cell) -> tuple[int, str] | None:
    """Give the refusal that a mixture deserves on a route; None where it is carried out."""
    if not cell.is_ours:
        return FOREIGN
    if not cell.cookies and route not in PUBLIC:
        return NOT_SIGNED_IN
    if not cell.is_allowed:
        return (415, "unsupported_content_type")
    if cell.content_type == "no body" and route not in TAKE_NOTHING:
        return (422, "invalid_body")
    if not cell.cookies and route in FINISHES_IN_ITS_BROWSER:
        return (400, "challenge_unusable")
    return None


def has_effect(route: str, cell: Cell) -> bool:
    """Tell whether rows change; whoever has no session has none to sign out of."""
    return expected(route, cell) is None and (cell.cookies or route not in SIGN_OUT)


def told(answer: TestResponse | RawAnswer, route: str) -> tuple[int, str | None] | None:
    """Give status and code of a refusal; a page has the status alone, and the code is believed."""
    if route not in ELSEWHERE:
        return answer.said if isinstance(answer, RawAnswer) else refusal(answer)
    status = answer.status if isinstance(answer, RawAnswer) else answer.status_code
    return {FOREIGN[0]: FOREIGN, 415: (415, "unsupported_content_type")}.get(status)


def refused_cells(route: str) -> list[Cell]:
    """Give all in the full run, else a tenth, and those that are honest but for one thing."""
    cells = [cell for cell in CELLS if expected(route, cell) is not None]
    drawn = random.Random(10).sample(cells, trials(len(cells)))  # noqa: S311 - the same each time
    return drawn + [cell for cell in cells if cell.differs_in_one and cell not in drawn]


def test_every_route_that_can_change_something_is_tried(app: Flask) -> None:
    assert changing_routes(app) == set(BODIES)


@ROUTES
def test_only_a_page_of_ours_changes_anything(app: Flask, new_tally: NewTally, route: str) -> None:
    """A10, ASVS 3.5.1, 3.5.2, 3.5.3."""
    tally = new_tally("Same-origin", "mixtures that are refused")
    request = Requests.of_somebody(app).new(route)
    before = contents(app, without=())
    for cell in refused_cells(route):
        with tally.trial():
            assert told(request.send(cell), route) == expected(route, cell), cell
    assert contents(app, without=()) == before
    assert request.send(HONEST).status_code in DONE
    assert contents(app, without=()) != before


@ROUTES
def test_every_allowed_mixture_changes_something(
    app: Flask, new_tally: NewTally, route: str
) -> None:
    """A10: a service that refuses everything would be safe as well."""
    tally = new_tally("Same-origin", "mixtures that are allowed")
    requests = Requests.of_somebody(app)
    for cell in [cell for cell in CELLS if expected(route, cell) is None]:
        request = requests.new(route)
        before = contents(app, without=())
        with tally.trial():
            answer = request.send(cell)
            assert answer.status_code in DONE, f"{cell}: {answer.text}"
            assert (contents(app, without=()) != before) is has_effect(route, cell), cell


ASKED_WRONGLY = {400, 401, 403, 422}
"""Without a code, as no navigation, of a page that says no, without a query."""
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND")
READING = {"GET", "HEAD", "OPTIONS"}


def paths(app: Flask) -> dict[str, set[str]]:
    """Give the methods of every path."""
    found: dict[str, set[str]] = {}
    for rule in app.url_map.iter_rules():
        if rule.endpoint != "static":
            found.setdefault(rule.rule, set()).update(rule.methods or set())
    return found


def test_no_other_method_changes_anything(app: Flask, new_tally: NewTally) -> None:
    """A10, ASVS 3.5.3: reading neither, whoever asks."""
    tally = new_tally("Same-origin", "other methods on every path")
    cells = [cell for cell in CELLS if cell.cookies]
    chance = random.Random(11)  # noqa: S311 - the same cells every time
    for number, (path, allowed) in enumerate(paths(app).items()):
        method = f"{min(allowed & {'POST', 'PATCH', 'DELETE'}, default='GET')} {path}"
        is_elsewhere = path.startswith("/.identity/")
        request = Requests.of_somebody(app, email=f"ada{number}@example.org").new(method)
        # Whoever sets out to a provider leaves a request behind, which is nobody's yet.
        passing = ("oauth_sessions",) if path.endswith("/authorize") else ()
        before = contents(app, without=passing)
        for other in METHODS:
            if other in allowed - READING:
                continue
            for cell in chance.sample(cells, trials(60)):
                with tally.trial():
                    status = request.send(cell, method=other).status_code
                    # Where there is no such method, nobody asks whose host it is.
                    expects = HONEST if is_elsewhere else cell
                    assert status in statuses(other, allowed, expects), f"{other} {path}: {cell}"
        assert contents(app, without=passing) == before, path


def statuses(method: str, allowed: set[str], cell: Cell) -> set[int]:
    """Give what a method that changes nothing is answered with on a path."""
    if method not in READING:
        return {405} if cell.is_ours else {403}
    return {200, 204, 302, 303, *ASKED_WRONGLY, 404, 405} if method in allowed else {405}


@ROUTES
def test_mixtures_over_the_wire_are_answered_alike(
    deployment: Deployment, new_tally: NewTally, route: str
) -> None:
    """A10, against the real server: what it makes of headers is what the rule reads."""
    tally = new_tally("Same-origin", "mixtures over the wire")
    app, port = deployment.app, deployment.server.port
    request = Requests.of_somebody(app).new(route)
    cells = [cell for cell in CELLS if expected(route, cell) is not None]
    before = contents(app, without=())
    for cell in random.Random(12).sample(cells, trials(40)):  # noqa: S311 - the same each time
        with tally.trial():
            said = told(ask_once(port, request.written(cell)), route)
            assert said == expected(route, cell), cell
    assert contents(app, without=()) == before
    assert ask_once(port, request.written(HONEST)).status in DONE
    assert contents(app, without=()) != before


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method"])
def test_reading_in_disguise_changes_nothing(app: Flask, client: Browser, header: str) -> None:
    """ASVS 3.5.3: a method is what the request line says."""
    sign_up(client)
    client.sec_fetch_site = "cross-site"
    before = contents(app, without=())

    answer = client.get("/api/auth/session?_method=DELETE", headers={header: "DELETE"})

    assert answer.status_code == 200
    assert contents(app, without=()) == before


def test_answers_allow_no_other_origin_to_read_them(client: Browser) -> None:
    sign_up(client)
    client.sec_fetch_site = "cross-site"

    for method in sorted(READING):
        answer = client.open("/api/users/me", method=method, headers={"Origin": "null"})
        assert not [name for name in dict(answer.headers) if name.startswith("Access-Control")]


def test_attackers_own_passkey_signs_nobody_in_from_another_site(
    client: Browser, new_client: Callable[[], Browser]
) -> None:
    """A11."""
    attacker = sign_up(new_client(), email="eve@example.org")
    options = post(client, "/api/auth/authentication/options")
    body = {"credential": attacker.phone.get(options)}
    client.sec_fetch_site = "cross-site"

    answer = client.post("/api/auth/authentication", json=body)

    assert refusal(answer) == FOREIGN
    assert client.get("/api/auth/session").status_code == 401
    client.sec_fetch_site = "same-origin"
    assert client.post("/api/auth/authentication", json=body).status_code == 200
