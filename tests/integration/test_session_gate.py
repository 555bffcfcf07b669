"""Who gets what from the session gate, and what an application is told of them.

ASVS 8.2.1, 8.3.1, 8.3.2, 16.5.3; CVE-2026-25748.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote

import pytest
from flask import Flask
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.config import Settings
from app.models import Application, User, UserSession
from tests.support.connections import ask_once, written
from tests.support.databases import ScratchDatabases
from tests.support.deployments import deployed
from tests.support.gate_asking import (
    CHECK,
    GONE,
    GRANTED,
    NOT_ALLOWED,
    TOLD,
    WHO,
    Asked,
    Said,
    asked_gate,
)
from tests.support.gate_cast import (
    GOOD_FOR_THE_SERVICE,
    ODD_NAME,
    VAULT,
    WIKI,
    Cast,
    assemble,
    open_for,
)
from tests.support.gate_servers import gate_process
from tests.support.people import SESSION_COOKIE
from tests.support.raw_requests import Reply
from tests.support.rows import a_user
from tests.support.units import run_unit
from tests.support.variables import ORIGIN

CROSS_SITE = (403, "cross_site_request")


@pytest.fixture
def cast(app: Flask) -> Cast:
    return assemble(app)


@pytest.fixture
def asked(settings: Settings) -> Iterator[Asked]:
    with asked_gate(settings) as made:
        yield made


GRANTS: Mapping[str, set[str]] = {
    "": {*GOOD_FOR_THE_SERVICE},
    "?app=notes": {*GOOD_FOR_THE_SERVICE},
    "?app=tools": {"member"},
    "?app=wiki": {"wiki child", "wiki child of the outsider"},
    "?app=vault": {"vault child"},
    "?app=nowhere": set(),
    "?role=admin": {"admin"},
    "?role=user": {"member", "outsider", "nameless"},
    "?group=staff": {"member"},
    "?app=notes&role=user&group=ops": {"member"},
    "?app=wiki&group=staff": {"wiki child"},
    "?app=wiki&role=admin": set(),
}
"""By what is asked for, whose sessions of the cast are good for it; everybody else is refused."""


@pytest.mark.parametrize("query", GRANTS)
def test_exactly_those_are_let_in_who_may(asked: Asked, cast: Cast, query: str) -> None:
    said = {whose: asked.said(token, CHECK + query) for whose, token in cast.tokens.items()}

    assert {whose for whose, one in said.items() if one == GRANTED} == GRANTS[query]
    assert {one for one in said.values() if one != GRANTED} <= {GONE, NOT_ALLOWED}


def test_a_session_is_told_to_its_owner_alone(asked: Asked, cast: Cast) -> None:
    said = {whose: asked.said(token, WHO) for whose, token in cast.tokens.items()}

    assert {whose for whose, one in said.items() if one == TOLD} == {*GOOD_FOR_THE_SERVICE}
    assert said.pop("enrol") == (403, "enrolment_only")
    assert {one for one in said.values() if one != TOLD} == {GONE}


REFUSALS: Mapping[tuple[str, str], Said] = {
    ("wiki child", ""): GONE,
    ("wiki child", "?app=vault"): GONE,
    ("wiki child", "?app=notes"): GONE,
    ("member", "?app=wiki"): GONE,
    ("notes child", "?app=notes"): GONE,
    ("enrol", ""): GONE,
    ("disabled", ""): GONE,
    ("vault child of the outsider", "?app=vault"): NOT_ALLOWED,
    ("outsider", "?app=tools"): NOT_ALLOWED,
    ("member", "?app=nowhere"): NOT_ALLOWED,
    ("member", "?role=admin"): NOT_ALLOWED,
}


@pytest.mark.parametrize(("whose", "query"), REFUSALS)
def test_a_refusal_says_whether_to_sign_in(
    asked: Asked, cast: Cast, whose: str, query: str
) -> None:
    """A token that is somebody's at another host is nobody's here."""
    assert asked.said(cast.tokens[whose], CHECK + query) == REFUSALS[whose, query]


def identity(reply: Reply) -> dict[str, str]:
    assert reply.status == 204
    return {name: value for name, value in reply.headers if name != "Cache-Control"}


def test_an_application_is_told_who_it_is(asked: Asked, cast: Cast) -> None:
    told = identity(asked.reply(cast.tokens["member"]))

    moment = datetime.fromisoformat(told.pop("X-Auth-Time"))
    assert moment.utcoffset() is not None
    assert told == {
        "X-Auth-User-Id": cast.user_ids["member"],
        "X-Auth-Email": "ada@example.org",
        "X-Auth-Name": "Ada",
        "X-Auth-Role": "user",
        "X-Auth-Groups": "ops,staff",
        "X-Auth-Session-Id": cast.session_ids["member"],
        "X-Auth-Method": "passkey",
    }


def test_what_there_is_not_is_not_told(asked: Asked, cast: Cast) -> None:
    """Neither an address that nobody has proved."""
    told = identity(asked.reply(cast.tokens["nameless"]))
    assert told.keys().isdisjoint({"X-Auth-Name", "X-Auth-Email", "X-Auth-Groups"})

    told = identity(asked.reply(cast.tokens["outsider"]))
    assert "X-Auth-Email" not in told
    assert unquote(told["X-Auth-Name"]) == ODD_NAME


def test_a_header_map_renames(asked: Asked, cast: Cast) -> None:
    told = identity(asked.reply(cast.tokens["vault child"], f"{CHECK}?app=vault"))

    assert told["Remote-User"] == cast.user_ids["member"]
    assert told["Remote-Groups"] == "ops,staff"
    assert told["Remote-Name"] == "Ada"
    assert told["X-Auth-Session-Id"] == cast.session_ids["vault child"]
    assert told.keys().isdisjoint({"X-Auth-User-Id", "X-Auth-Groups", "X-Auth-Name"})


def test_a_check_sets_no_cookie_and_is_kept_nowhere(asked: Asked, cast: Cast) -> None:
    for token in (cast.tokens["member"], cast.tokens["expired"], "odd", None):
        reply = asked.reply(token)
        assert reply.header("cache-control") == "no-store"
        assert not reply.header("set-cookie")


ELSEWHERE: Mapping[tuple[str, str], set[str]] = {
    ("member", ""): {ORIGIN},
    ("member", "?app=notes"): {ORIGIN},
    ("wiki child", "?app=wiki"): {WIKI, "https://wiki.example.org"},
    ("vault child", "?app=vault"): {VAULT},
}


@pytest.mark.parametrize(("whose", "query"), ELSEWHERE)
def test_only_an_application_s_own_pages_may_change_something(
    asked: Asked, cast: Cast, whose: str, query: str
) -> None:
    """A6: SameSite keeps no sibling host out."""
    origins = {ORIGIN, WIKI, "https://wiki.example.org", VAULT, "null", "https://evil.example"}

    def granted(**headers: str) -> set[str]:
        return {
            origin
            for origin in origins
            if asked.said(cast.tokens[whose], CHECK + query, Origin=origin, **headers) == GRANTED
        }

    assert granted(X_Forwarded_Method="POST") == ELSEWHERE[whose, query]
    assert granted(X_Forwarded_Method="GET", Sec_WebSocket_Key="x") == ELSEWHERE[whose, query]
    assert granted(X_Forwarded_Method="GET") == origins
    for site in ("same-site", "cross-site"):
        headers = {"X_Forwarded_Method": "POST", "Sec_Fetch_Site": site}
        assert asked.said(cast.tokens[whose], CHECK + query, **headers) == CROSS_SITE


def test_access_is_decided_on_every_check(asked: Asked, app: Flask, cast: Cast) -> None:
    """ASVS 8.3.2: nothing is remembered of the check before."""
    member = cast.tokens["member"]

    def after(change: object, target: str, token: str = member) -> list[Said]:
        before = asked.said(token, target)
        run_unit(app, lambda session: session.execute(change))  # type: ignore[call-overload]
        return [before, asked.said(token, target)]

    mine, notes = User.id == cast.user_ids["member"], Application.id == "notes"
    for_notes = f"{CHECK}?app=notes"
    assert after(update(User).where(mine).values(groups=["ops"]), f"{CHECK}?group=staff") == [
        GRANTED,
        NOT_ALLOWED,
    ]
    assert after(update(Application).where(notes).values(allowed_groups=["x"]), for_notes) == [
        GRANTED,
        NOT_ALLOWED,
    ]
    assert after(update(Application).where(notes).values(allowed_groups=[]), for_notes) == [
        NOT_ALLOWED,
        GRANTED,
    ]
    renamed = update(Application).where(notes).values(header_map={"user_id": "Remote-User"})
    assert after(renamed, for_notes) == [GRANTED, GRANTED]
    assert "Remote-User" in identity(asked.reply(member, for_notes))
    assert after(delete(Application).where(notes), for_notes) == [GRANTED, NOT_ALLOWED]
    root = UserSession.id == cast.session_ids["member"]
    child = cast.tokens["wiki child"]
    assert after(delete(UserSession).where(root), f"{CHECK}?app=wiki", child) == [GRANTED, GONE]
    assert asked.said(member) == GONE


@pytest.mark.parametrize(
    ("query", "host", "to"),
    [
        ("", "", f"{ORIGIN}/sign-in?return_to="),
        ("?app=notes", "", f"{ORIGIN}/sign-in?return_to="),
        ("?app=wiki", "", f"{WIKI}/.identity/start?return_to="),
        ("?app=wiki", "wiki.example.org", "https://wiki.example.org/.identity/start?return_to="),
        ("?app=wiki", "evil.example", f"{WIKI}/.identity/start?return_to="),
    ],
)
def test_somebody_who_navigates_is_led_to_the_sign_in(
    asked: Asked, cast: Cast, query: str, host: str, to: str
) -> None:
    """Where the proxy hands the check's answer to the browser; never to a host that it names."""
    del cast
    target = f"{CHECK}{query or '?'}{'&' if query else ''}redirect=1"
    headers = {"Accept": "text/html", "X_Forwarded_Uri": "/a?b=c&d", "X_Forwarded_Host": host}

    reply = asked.reply(None, target, **headers)

    assert reply.status == 303
    assert reply.header("location") == f"{to}/a%3Fb%3Dc%26d"
    assert asked.said(None, target) == GONE
    assert asked.said(None, target, Accept="text/html", X_Forwarded_Method="POST") == GONE


NAMES = ("Ada", "Zoë", " Ada ", "100 %41", "Ada\r\nX-Auth-Role: admin", "a\x00b", "😀☃\u2028", "%")


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_every_name_reaches_the_other_side_of_both_servers(
    scratch_database: ScratchDatabases, tmp_path: Path
) -> None:
    """Both servers have an opinion of what a header may hold."""
    with (
        deployed(scratch_database(), tmp_path, workers=1) as deployment,
        gate_process(deployment.server.environment, tmp_path) as gate,
    ):
        tokens = run_unit(deployment.app, named)
        for port in (deployment.server.port, gate.port):
            for name, token in tokens.items():
                cookie = {"Cookie": f"{SESSION_COOKIE}={token}"}
                answer = ask_once(port, written("GET", CHECK, headers=cookie))
                assert answer.status == 204
                (value,) = answer.headers["x-auth-name"]
                assert unquote(value) == name
                assert answer.headers["x-auth-role"] == ["user"]
                told = json.loads(ask_once(port, written("GET", WHO, headers=cookie)).body)
                assert told["user"]["name"] == name


def named(session: Session) -> dict[str, str]:
    """Sign somebody of each name in; gives the tokens."""
    tokens = {}
    for name in NAMES:
        user = a_user(name=name)
        session.add(user)
        session.flush()
        row, tokens[name] = open_for(user)
        session.add(row)
    assert session.scalar(select(User.id).limit(1))
    return tokens
