"""What the gate answers to Traefik's forwardAuth, asked as deploy/traefik has it ask.

Traefik itself is not at hand: these are its requests, as its source writes them.
"""

import re
import tomllib
from http.client import HTTPConnection, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.platforms import Platform
from tests.support.servers import ROOT
from tests.support.visitors import visit

NAVIGATION = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


@pytest.fixture(scope="module")
def forward_auth() -> dict[str, Any]:
    text = (ROOT / "deploy" / "traefik" / "openbadges.toml").read_text()
    found: dict[str, Any] = tomllib.loads(text)["http"]["middlewares"]["openbadges-wiki"]
    options: dict[str, Any] = found["forwardAuth"]
    assert options["trustForwardHeader"] is False
    return options


def ask(
    platform: Platform,
    forward_auth: dict[str, Any],
    method: str = "GET",
    uri: str = "/page?a=1&b=2",
    **sent: str,
) -> HTTPResponse:
    """Ask for a client's request as Traefik does: always by GET, what it says of it set last."""
    allowed = {name.lower() for name in forward_auth["authRequestHeaders"]}
    headers = {name: value for name, value in sent.items() if name.lower() in allowed}
    headers |= {
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Method": method,
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": platform.origin("wiki").partition("://")[2],
        "X-Forwarded-Uri": uri,
        "User-Agent": "Go-http-client/1.1",
        "Accept-Encoding": "gzip",
    }
    address = urlsplit(forward_auth["address"])
    connection = HTTPConnection("127.0.0.1", platform.gate.port, timeout=10)
    connection.request("GET", f"{address.path}?{address.query}", headers=headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


def test_identity_is_in_the_headers_that_are_passed_on(
    platform: Platform, forward_auth: dict[str, Any]
) -> None:
    ada = visit(platform, "wiki", email="ada@example.org", groups=("staff",))
    cookie = f"__Host-session={ada.token('wiki')}"

    answer = ask(platform, forward_auth, Cookie=cookie, **{"X-Auth-User-Id": "root"})

    assert answer.status == 204
    told = {name: value for name, value in answer.getheaders() if name.lower().startswith("x-")}
    passed_on = re.compile(forward_auth["authResponseHeadersRegex"], re.IGNORECASE)
    assert told
    assert all(passed_on.match(name) for name in told)
    assert answer.headers["X-Auth-User-Id"] == ada.user_id


def test_stranger_is_led_on_or_refused(platform: Platform, forward_auth: dict[str, Any]) -> None:
    led = ask(platform, forward_auth, **NAVIGATION)
    refused = [
        ask(platform, forward_auth),
        ask(platform, forward_auth, "POST", **NAVIGATION),
        ask(platform, forward_auth, Cookie="__Host-session=x"),
    ]

    start = f"{platform.origin('wiki')}/.identity/start?return_to=/page%3Fa%3D1%26b%3D2"
    assert (led.status, led.headers["Location"]) == (303, start)
    assert [answer.status for answer in refused] == [401] * 3
    assert not [one for one in (led, *refused) if one.headers["Set-Cookie"]]


def test_unsafe_request_of_another_site_is_refused(
    platform: Platform, forward_auth: dict[str, Any]
) -> None:
    cookie = f"__Host-session={visit(platform, 'wiki').token('wiki')}"
    foreign, own = {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "same-origin"}

    assert ask(platform, forward_auth, "POST", Cookie=cookie, **foreign).status == 403
    assert ask(platform, forward_auth, "POST", Cookie=cookie, **own).status == 204
