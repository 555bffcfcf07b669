"""Applications on hosts of their own, and a browser that goes there: as their proxies lead it."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any
from urllib.parse import quote, urlsplit

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.models import Application, User, UserSession
from app.session_gate import SessionGate
from tests.support.clients import Browser
from tests.support.people import SESSION_COOKIE
from tests.support.units import run_unit
from tests.support.variables import ORIGIN

WIKI, FORUM = "http://wiki.localhost:8000", "http://forum.localhost:8000"
HANDOVER_COOKIE = "openbadges_handover_8000"
NAVIGATION: Mapping[str, str] = {
    "Sec-Fetch-Site": "cross-site",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
    "Accept": "text/html",
}


def register(
    app: Flask,
    application_id: str = "wiki",
    *,
    origins: Sequence[str] = (WIKI,),
    allowed_groups: Sequence[str] = (),
) -> None:
    """Register an application, called by its id with a capital."""
    run_unit(
        app,
        lambda session: session.add(
            Application(
                id=application_id,
                name=application_id.capitalize(),
                origins=[*origins],
                allowed_groups=[*allowed_groups],
            )
        ),
    )


def application_at(origin: str) -> str:
    """Name the application that a test's origin belongs to."""
    return (urlsplit(origin).hostname or "").partition(".")[0]


def go(browser: Browser, location: str, **headers: str) -> TestResponse:
    """Follow a link, as a browser does, and the host's proxy behind it."""
    parts = urlsplit(location)
    origin = f"{parts.scheme}://{parts.netloc}" if parts.netloc else ORIGIN
    path = parts.path.replace("/.identity/", f"/.identity/{application_at(origin)}/", 1)
    target = f"{path}?{parts.query}" if parts.query else path
    return browser.get(target, base_url=origin, headers={**NAVIGATION, **headers})


def set_out(browser: Browser, origin: str = WIKI, return_to: str = "/page") -> TestResponse:
    """Open a page of an application as a stranger there, whose proxy asks us what to do."""
    path = f"/.identity/{application_at(origin)}/start"
    return browser.get(
        path,
        base_url=origin,
        headers={
            **NAVIGATION,
            "X-Forwarded-Uri": quote(return_to, safe="/?&=%#"),
            "X-Forwarded-Method": "GET",
        },
    )


def leads_to(answer: TestResponse) -> str:
    """Give where an answer leads, after seeing that it leads somewhere."""
    assert answer.status_code == 303, (answer.status_code, answer.text)
    return answer.headers["Location"]


def way_back(browser: Browser, origin: str = WIKI, return_to: str = "/page") -> str:
    """Get a code for somebody signed in; gives the address that their browser is sent to."""
    location = leads_to(go(browser, leads_to(set_out(browser, origin, return_to))))
    assert location.startswith(f"{origin}/.identity/callback?code="), location
    return location


def arrive(browser: Browser, origin: str = WIKI, return_to: str = "/page") -> str:
    """Go all the way, and give the token of the application's session."""
    finished = go(browser, way_back(browser, origin, return_to))
    assert leads_to(finished) == f"{origin}{return_to}"
    return token_at(browser, origin) or ""


def token_at(browser: Browser, origin: str = WIKI, name: str = SESSION_COOKIE) -> str | None:
    """Give the value of a cookie that the browser keeps for an origin's host."""
    cookie = browser.get_cookie(name, domain=urlsplit(origin).hostname or "")
    return cookie.value if cookie else None


def take_cookie(browser: Browser, origin: str, value: str, name: str = SESSION_COOKIE) -> None:
    """Give the browser a cookie for an origin's host, as an attacker or a test can come by it."""
    browser.set_cookie(name, value, domain=urlsplit(origin).hostname or "")


def verify(app: Flask, token: str | None, query: str = "app=wiki", **environ: Any) -> int:  # noqa: ANN401
    """Ask the session gate, as a proxy does with a request's cookie; gives the status."""
    given: list[str] = []
    request = {
        "PATH_INFO": "/api/auth/verify",
        "REQUEST_METHOD": "GET",
        "QUERY_STRING": query,
        "HTTP_HOST": "localhost:8000",
        "HTTP_COOKIE": f"{SESSION_COOKIE}={token}" if token else "",
        **environ,
    }
    gate = SessionGate(app.extensions["openbadges"])
    with closing(gate.checks):
        list(gate(request, lambda status, _headers: given.append(status)))
        gate.checks._last_seen.write()
    return int(given[0].partition(" ")[0])


def children(app: Flask) -> list[UserSession]:
    """Give the sessions at applications, oldest first."""

    def unit(session: Session) -> list[UserSession]:
        query = select(UserSession).where(UserSession.parent_id.is_not(None))
        found = list(session.scalars(query.order_by(UserSession.id)))
        session.expunge_all()
        return found

    return run_unit(app, unit, writes=False)


def put_into(app: Flask, user_id: str, *groups: str) -> None:
    """Let somebody be in these groups and no others."""

    def unit(session: Session) -> None:
        session.get_one(User, user_id).groups = [*groups]

    run_unit(app, unit)
