"""No page leads anywhere but here, whatever ``return_to`` says.

A15; ASVS 1.2.2, 3.7.2; CS-4; CVE-2021-32618, CVE-2023-49438, CVE-2024-56734, CVE-2025-27143 and
CVE-2025-71403.
"""

from collections.abc import Callable
from html.parser import HTMLParser
from urllib.parse import quote

import pytest

from tests.support.clients import Browser
from tests.support.people import sign_up
from tests.support.return_targets import EVIL, HONEST


class Targets(HTMLParser):
    """Where a page can lead: its links, and where its script goes."""

    def __init__(self, page: str) -> None:
        """Read the page."""
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {"href", "data-return-to", "action", "formaction"} if tag != "link" else set()
        self.found += [value or "" for name, value in attrs if name in names]


def targets(client: Browser, path: str, return_to: str) -> list[str]:
    """Give where a page leads; a redirect is one more way to lead somewhere."""
    answer = client.get(f"{path}?return_to={quote(return_to, safe='')}")
    if "Location" in answer.headers:
        assert answer.status_code == 302
        return [answer.headers["Location"]]
    assert answer.status_code == 200
    return Targets(answer.text).found


ASKED = {
    "sign-in": ("/sign-in", "a stranger"),
    "sign-in of somebody signed in": ("/sign-in", "Ada"),
    "sign-up": ("/sign-up", "a stranger"),
    "sign-up of somebody signed in": ("/sign-up", "Ada"),
}
Ask = Callable[[str], list[str]]


@pytest.fixture(params=ASKED.values(), ids=list(ASKED))
def ask(client: Browser, request: pytest.FixtureRequest) -> Ask:
    """Ask a page that takes a target, and give where it leads then."""
    path, who = request.param
    if who == "Ada":
        sign_up(client)
    return lambda return_to: targets(client, path, return_to)


def test_hostile_target_is_replaced_by_the_account(ask: Ask) -> None:
    usual = ask("/account")
    assert "/account" in usual
    assert len(EVIL) >= 40

    led_astray = [payload for payload in EVIL if ask(payload) != usual]

    assert led_astray == []


@pytest.mark.parametrize("return_to", HONEST)
def test_honest_target_is_kept(ask: Ask, return_to: str) -> None:
    assert return_to in ask(return_to)


def test_second_target_is_not_looked_at(client: Browser) -> None:
    answer = client.get("/sign-in?return_to=/account%23a&return_to=//evil.example")

    assert "/account#a" in Targets(answer.text).found
    assert "evil" not in answer.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("//evil.example", 404),
        ("///evil.example/..", 404),
        ("//sign-in", 200),
        ("/api/auth//session", 404),
        ("/account/", 404),
    ],
)
def test_no_path_is_answered_by_a_redirect_made_of_it(
    client: Browser, path: str, status: int
) -> None:
    # As it stands on the wire: the test client would take the first for a host.
    answer = client.get("/", environ_overrides={"PATH_INFO": path})

    assert answer.status_code == status
    assert "Location" not in answer.headers
