"""A8: a cookie that an attacker tosses beside the person's own, or instead of it, is not adopted.

A neighbouring host, or a page on another port, can make a browser send cookies that the service
never set. The headers are written by hand and sent over the wire, so that nothing between the
test and the service tidies them up (CVE-2023-23934, CVE-2026-25748).
"""

import random
from collections.abc import Iterator

import pytest

from app.services.tokens import new_session_token
from tests.conftest import NewTally
from tests.support.authenticator import Json
from tests.support.connections import RawAnswer, ask_once, written
from tests.support.counts import trials
from tests.support.deployments import Deployment
from tests.support.people import BROWSER_COOKIE, SESSION_COOKIE, sign_up, token_of
from tests.support.tossed_cookies import NOBODY, REFUSED, THE_PERSON, TOSSED, Cookies


@pytest.fixture
def cookies(deployment: Deployment) -> Cookies:
    return Cookies(
        deployment=deployment,
        person=sign_up(deployment.browser()),
        attacker=sign_up(deployment.browser(), email="eve@example.org"),
    )


def cookies_set(answer: RawAnswer) -> Json:
    """Give the cookies that an answer sets, by name."""
    pairs = (line.partition(";")[0].partition("=") for line in answer.headers.get("set-cookie", []))
    return {name: value for name, _, value in pairs}


def test_tossed_session_cookie_is_not_adopted_by_reading(
    cookies: Cookies, new_tally: NewTally
) -> None:
    """A8."""
    tally = new_tally("Sessions", "a session cookie tossed: reading")
    for how, (pattern, expected) in TOSSED.items():
        with tally.trial():
            answer = cookies.ask("GET", "/api/auth/session", cookies.toss(pattern, SESSION_COOKIE))
            assert answer.said == expected, how
            assert cookies.is_of_the_person(answer) is (expected == THE_PERSON), how
            cleared = dict.fromkeys((SESSION_COOKIE, BROWSER_COOKIE), "")
            assert cookies_set(answer) == (cleared if expected == REFUSED else {}), how
            cookies.assert_unharmed()


def test_tossed_session_cookie_is_not_adopted_by_a_sign_in(
    cookies: Cookies, new_tally: NewTally
) -> None:
    """A8, A9."""
    tally = new_tally("Sessions", "a session cookie tossed: sign-in")
    for how, (pattern, expected) in TOSSED.items():
        cookie = cookies.toss(pattern, SESSION_COOKIE)
        known = {token_of(one.client) for one in (cookies.person, cookies.attacker)}
        with tally.trial():
            begun = cookies.begin_sign_in(cookie)
            if expected not in {THE_PERSON, NOBODY}:
                assert begun.said == expected, how
                # With the cookies that were the person's all along, the same ceremony succeeds.
                cookie = cookies.own()
                begun = cookies.begin_sign_in(cookie)
            finished = cookies.finish_sign_in(begun, cookie)
            assert cookies.is_of_the_person(finished), how
            assert cookies_set(finished).keys() == {SESSION_COOKIE}, how
            assert cookies_set(finished)[SESSION_COOKIE] not in known, how
        cookies.renew()


def test_tossed_browser_cookie_begins_and_ends_no_ceremony(
    cookies: Cookies, new_tally: NewTally
) -> None:
    """A8: a ceremony of the attacker's browser is not finished in the person's, nor the reverse."""
    tally = new_tally("Sessions", "a browser cookie tossed")
    for how, (pattern, expected) in TOSSED.items():
        if expected != REFUSED:
            continue
        cookie = cookies.toss(pattern, BROWSER_COOKIE)
        with tally.trial():
            assert cookies.begin_sign_in(cookie).said == REFUSED, how
            begun = cookies.begin_sign_in(cookies.own())
            assert cookies.finish_sign_in(begun, cookie).said == REFUSED, how
            # A refused cookie has used nothing up.
            assert cookies.is_of_the_person(cookies.finish_sign_in(begun, cookies.own())), how
        cookies.renew()


@pytest.mark.parametrize("first", ["own", "evil"])
def test_cookies_in_two_header_lines_are_not_adopted(
    cookies: Cookies, new_tally: NewTally, first: str
) -> None:
    """A8: the server joins lines with a comma, which no cookie of ours holds."""
    tokens = {"own": token_of(cookies.person.client), "evil": token_of(cookies.attacker.client)}
    second = "evil" if first == "own" else "own"
    lines = [f"Cookie: {SESSION_COOKIE}={tokens[one]}" for one in (first, second)]
    request = written("GET", "/api/auth/session").replace(
        b"\r\n\r\n", f"\r\n{lines[0]}\r\n{lines[1]}\r\n\r\n".encode()
    )
    with new_tally("Sessions", "cookies in two header lines").trial():
        assert ask_once(cookies.deployment.server.port, request).said == REFUSED
        cookies.assert_unharmed()


SEPARATORS = (";", "; ", " ; ", ";\t", ";;", "; ; ")
PIECES = (
    *("{name}={evil}", "{name}={unknown}", "{name}=", "{name}", '{name}="{evil}"'),
    *("={name}={evil}", "\xe2\x80\x80{name}={evil}", "\xa0{name}={evil}", "{name} ={evil}"),
    *('a="', '"', "a=b", "=", "\\", "{capitals}={evil}", "$Version=1", "\xff", "{name}[]={evil}"),
)


def headers_at_random() -> Iterator[str]:
    """Put cookie headers together, each with the person's own cookie as a browser writes it."""
    chance = random.Random(8)  # noqa: S311 - the same headers every time
    while True:
        pieces = chance.choices(PIECES, k=chance.randrange(5))
        pieces.insert(chance.randrange(len(pieces) + 1), "{name}={own}")
        yield "".join(piece + chance.choice(SEPARATORS) for piece in pieces)


def test_no_cookie_header_makes_the_person_somebody_else(
    cookies: Cookies, new_tally: NewTally
) -> None:
    """A8: the person is told from one whole cookie, or refused."""
    tally = new_tally("Sessions", "cookie headers put together at random")
    values = {
        "name": SESSION_COOKIE,
        "capitals": SESSION_COOKIE.upper(),
        "own": token_of(cookies.person.client),
        "evil": token_of(cookies.attacker.client),
        "unknown": new_session_token(),
    }
    heard = set()
    for _, header in zip(range(trials(1000)), headers_at_random(), strict=False):
        names = [part.strip(" \t").partition("=")[0] for part in header.split(";")]
        expected = THE_PERSON if names.count("{name}") == 1 else REFUSED
        with tally.trial():
            answer = cookies.ask("GET", "/api/auth/session", header.format(**values))
            assert answer.said == expected, header
            assert cookies.is_of_the_person(answer) is (expected == THE_PERSON), header
        heard.add(answer.said)
    assert heard == {THE_PERSON, REFUSED}
