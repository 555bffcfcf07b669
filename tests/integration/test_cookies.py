"""The two cookies: what they are called, what protects them, and what is not taken for them.

A8; ASVS 3.3.1 to 3.3.5; CS-1, NI-6; CVE-2023-23934.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from werkzeug.test import TestResponse

from app import clock
from app.services.tokens import new_session_token
from tests.support.authenticator import decode
from tests.support.clients import Browser, InProcessBrowser
from tests.support.databases import ScratchDatabases
from tests.support.handed_over import HANDOVER_COOKIE
from tests.support.people import (
    BROWSER_COOKIE,
    SESSION_COOKIE,
    enrol,
    hand_over,
    is_signed_in,
    new_phone,
    refusal,
    sign_in,
    sign_up,
    step_up,
    token_of,
)
from tests.support.production import SecureBrowser, secure_browser, secure_phone, services
from tests.support.story import tell_story

BOTH = pytest.mark.parametrize("name", [SESSION_COOKIE, BROWSER_COOKIE])
OURS, OTHER = new_session_token(), new_session_token()
REFUSED = {
    "twice the same": "{name}={token}; {name}={token}",
    "a foreign one behind": "{name}={token}; {name}={other}",
    "a foreign one before": "{name}={other}; {name}={token}",
    "an empty one behind": "{name}={token}; {name}=",
    "quoted": '{name}="{token}"',
    "cut": "{name}={short}",
    "longer": "{name}={token}x",
    "oversized": "{name}={token}" + "x" * 6000,
    "empty": "{name}=",
    "without a value": "{name}",
    "escaped": "{name}={short}%41",
    "two in one": "{name}={token},{name}={token}",
    "outside ASCII": "{name}={short}\xe9",
}
NOT_SEEN = {
    "nameless": "={name}={token}",
    "behind a unicode space": "\xe2\x80\x80{name}={token}",
    "behind a no-break space": "\xa0{name}={token}",
    "behind a vertical tab": "\x0b{name}={token}",
    "in capitals": "{capitals}={token}",
    "with a space before the equals sign": "{name} ={token}",
    "as another's value": "other={name}={token}",
    "with a prefix": "x{name}={token}",
}


def ask(app: Flask, cookie: str, path: str = "/api/auth/session") -> TestResponse:
    """Ask with a Cookie header written by hand."""
    return InProcessBrowser(app, use_cookies=False).get(path, headers={"Cookie": cookie})


def written(pattern: str, *, name: str, token: str, other: str = OTHER) -> str:
    names = {"name": name, "capitals": name.upper()}
    return pattern.format(**names, token=token, other=other, short=token[:-1])


def attributes(answer: TestResponse) -> dict[str, tuple[str, set[str]]]:
    """Give each cookie that an answer sets: its value, and its attributes but for the date."""
    found = {}
    for header in answer.headers.getlist("Set-Cookie"):
        pair, *rest = header.split("; ")
        name, _, value = pair.partition("=")
        found[name] = (value, {one for one in rest if not one.startswith("Expires=")})
    return found


@BOTH
@pytest.mark.parametrize("pattern", REFUSED.values(), ids=REFUSED)
def test_damaged_cookie_is_refused_and_cleared(
    app: Flask, client: Browser, name: str, pattern: str
) -> None:
    """CVE-2026-25748: what cannot be read opens nothing."""
    sign_up(client)
    session, browser = token_of(client), token_of(client, BROWSER_COOKIE)
    rest = "" if name == SESSION_COOKIE else f"{SESSION_COOKIE}={session}; "
    token = session if name == SESSION_COOKIE else browser

    answer = ask(app, rest + written(pattern, name=name, token=token))

    assert refusal(answer) == (400, "cookie_refused")
    cleared = {"HttpOnly", "Max-Age=0", "Path=/", "SameSite=Lax"}
    assert attributes(answer) == dict.fromkeys((SESSION_COOKIE, BROWSER_COOKIE), ("", cleared))
    assert ask(app, f"{SESSION_COOKIE}={session}; {BROWSER_COOKIE}={browser}").status_code == 200


@pytest.mark.parametrize("pattern", NOT_SEEN.values(), ids=NOT_SEEN)
def test_what_only_resembles_the_cookie_is_not_seen(
    app: Flask, client: Browser, pattern: str
) -> None:
    sign_up(client)
    cookie = written(pattern, name=SESSION_COOKIE, token=token_of(client))

    answer = ask(app, cookie)

    assert refusal(answer) == (401, "not_signed_in")
    assert attributes(answer) == {}
    # Nor does it stand in the way of the real one.
    assert ask(app, f"{cookie}; {SESSION_COOKIE}={token_of(client)}").status_code == 200


@pytest.mark.parametrize("name", ["remember_token", "session", "_user_id"])
@pytest.mark.parametrize("value", ["x", "x|y", "1|" + "0" * 128, ""])
def test_cookie_of_another_application_changes_nothing(
    app: Flask, client: Browser, name: str, value: str
) -> None:
    person = sign_up(client)
    foreign = f"{name}={value}"

    signed_in = ask(app, f"{foreign}; {SESSION_COOKIE}={token_of(client)}", "/api/users/me")

    assert signed_in.get_json() == person.user
    assert refusal(ask(app, foreign)) == (401, "not_signed_in")


def test_401_clears_no_cookie(client: Browser) -> None:
    hand_over(client, OURS)

    answer = client.get("/api/auth/session")

    assert refusal(answer) == (401, "not_signed_in")
    assert attributes(answer) == {}
    assert token_of(client) == OURS


def test_unknown_token_is_never_adopted(client: Browser, new_client: Callable[[], Browser]) -> None:
    phone = sign_up(new_client()).phone
    hand_over(client, OURS)

    assert sign_in(client, phone).status_code == 200

    assert token_of(client) != OURS
    assert is_signed_in(client)
    assert not is_signed_in(hand_over(new_client(), OURS))


def test_browser_cookie_is_made_once(client: Browser) -> None:
    phone = new_phone()
    person = sign_up(client, phone)
    made = token_of(client, BROWSER_COOKIE)

    answers = [step_up(client, phone), enrol(client, new_phone()), sign_in(client, person.phone)]

    assert [answer.status_code for answer in answers] == [200, 201, 200]
    assert all(set(attributes(answer)) <= {SESSION_COOKIE} for answer in answers)
    assert token_of(client, BROWSER_COOKIE) == made


@pytest.mark.parametrize("path", ["/", "/account", "/healthz", "/api/auth/session", "/nothing"])
def test_browser_is_not_marked_where_no_ceremony_begins(client: Browser, path: str) -> None:
    assert attributes(client.get(path)) == {}


@pytest.mark.parametrize("page", ["/sign-in", "/sign-up", "/recovery"])
def test_browser_is_marked_by_the_page_that_begins_a_ceremony(client: Browser, page: str) -> None:
    assert set(attributes(client.get(page))) == {BROWSER_COOKIE}
    assert attributes(client.get(page)) == {}


def test_browser_is_marked_by_its_first_ceremony_at_the_latest(client: Browser) -> None:
    begun = client.post("/api/auth/authentication/options", json={})

    (value, attached) = attributes(begun)[BROWSER_COOKIE]
    assert len(decode(value)) == 32
    assert attached == {"HttpOnly", "Path=/", "SameSite=Lax", f"Max-Age={400 * 86400}"}


def test_no_answer_sets_another_cookie(new_client: Callable[[], Browser]) -> None:
    names = {name for _, answer in tell_story(new_client) for name in attributes(answer)}

    assert names == {SESSION_COOKIE, BROWSER_COOKIE, HANDOVER_COOKIE}


@pytest.fixture
def production(scratch_database: ScratchDatabases) -> Iterator[Flask]:
    with services(scratch_database) as make:
        yield make(REGISTRATION="open")


def test_cookies_of_production_are_bound_to_the_host(production: Flask) -> None:
    browser = secure_browser(production)

    options = browser.post(
        "/api/auth/registration/options", json={"email": "ada@example.org", "name": "Ada"}
    )
    finished = browser.post(
        "/api/auth/registration", json={"credential": secure_phone().create(options.get_json())}
    )

    protected = {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"}
    assert attributes(options)["__Host-browser"][1] == protected | {f"Max-Age={400 * 86400}"}
    (token, attached) = attributes(finished)["__Host-session"]
    assert attached - {f"Max-Age={30 * 86400 - 1}"} == protected
    assert len(token) == len("obs_") + 43
    assert browser.get("/api/auth/session").status_code == 200


@pytest.mark.parametrize("name", ["__Host-session", "__Host-browser"])
def test_cookies_of_production_are_read_as_strictly(production: Flask, name: str) -> None:
    browser = SecureBrowser(production, use_cookies=False)
    twice = {"Cookie": f"{name}={OURS}; {name}={OURS}"}

    answer = browser.get("/api/auth/session", headers=twice)

    assert refusal(answer) == (400, "cookie_refused")
    assert set(attributes(answer)) == {"__Host-session", "__Host-browser"}
    assert all("Secure" in attached for _, attached in attributes(answer).values())
    development = {"Cookie": f"{SESSION_COOKIE}={OURS}; {SESSION_COOKIE}={OURS}"}
    assert refusal(browser.get("/api/auth/session", headers=development))[0] == 401


def test_development_names_cookies_by_port(make_app: Callable[..., Flask]) -> None:
    app = make_app(PUBLIC_ORIGIN="http://localhost:9000")
    browser, base = InProcessBrowser(app), "http://localhost:9000"

    options = browser.post("/api/auth/authentication/options", json={}, base_url=base)

    assert set(attributes(options)) == {"openbadges_browser_9000"}


def test_cookies_age_is_what_is_left_of_the_session(client: Browser) -> None:
    with time_machine.travel(clock.now(), tick=False) as traveller:
        person = sign_up(client)
        traveller.shift(timedelta(days=1))

        renewed = step_up(client, person.phone)

    assert f"Max-Age={30 * 86400}" in attributes(renewed)[SESSION_COOKIE][1]
