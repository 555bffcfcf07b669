"""What a check asks for, and whether a person and a request have it."""

from collections.abc import Mapping

import pytest

from app.services.access import (
    Requirement,
    fits,
    is_from_elsewhere,
    is_navigation,
    may_use,
    read_requirement,
)

WIKI, EVIL = "https://wiki.example.test", "https://evil.example"
SAFE, UNSAFE = ("GET", "HEAD", "OPTIONS"), ("POST", "PUT", "PATCH", "DELETE", "get", "", "TRACE")

GOOD = {
    "": Requirement(),
    "app=wiki": Requirement(app="wiki"),
    "role=admin": Requirement(role="admin"),
    "group=a%2Cb": Requirement(group="a,b"),
    "group=%C3%A9&app=wiki&role=user": Requirement(app="wiki", role="user", group="é"),
    "redirect=1": Requirement(redirect=True),
    "redirect=0&app=wiki": Requirement(app="wiki"),
}
ODD = [
    "app",
    "app=",
    "=wiki",
    "app=wiki&",
    "&",
    "&&",
    "app=wiki&&role=user",
    "app=a&app=a",
    "app=a&app=b",
    "redirect=",
    "redirect=2",
    "redirect=1&redirect=1",
    "x=1",
    "app=wiki&x=1",
    "App=wiki",
    "app[]=wiki",
    "app%00=wiki",
    "app=%00",
    "role=a%00b",
    "group=%ff",
    "app=%c3%28",
    "app=%ED%A0%80",
]


@pytest.mark.parametrize("query", GOOD)
def test_query_says_what_is_asked_for(query: str) -> None:
    assert read_requirement(query) == GOOD[query]


@pytest.mark.parametrize("query", ODD)
def test_odd_query_is_no_requirement(query: str) -> None:
    """Not a weaker one, least of all none."""
    assert read_requirement(query) is None


def test_nothing_asked_for_fits_everybody() -> None:
    assert fits(Requirement(), role="user", groups=[])
    assert may_use([], allowed_groups=[])


@pytest.mark.parametrize(
    ("asked", "good"),
    [
        (Requirement(role="user"), True),
        (Requirement(role="admin"), False),
        (Requirement(role="User"), False),
        (Requirement(group="staff"), True),
        (Requirement(group="sta"), False),
        (Requirement(group="ops,staff"), False),
        (Requirement(role="user", group="staff"), True),
        (Requirement(role="admin", group="staff"), False),
        (Requirement(role="user", group="nobody"), False),
    ],
)
def test_all_that_is_asked_for_has_to_fit(asked: Requirement, good: bool) -> None:  # noqa: FBT001
    assert fits(asked, role="user", groups=["ops", "staff"]) is good


def test_one_allowed_group_is_enough() -> None:
    assert may_use(["ops"], allowed_groups=["staff", "ops"])
    assert not may_use(["op", "opsy"], allowed_groups=["staff", "ops"])
    assert not may_use([], allowed_groups=["staff"])


def original(method: str | None = None, **headers: str) -> Mapping[str, str]:
    """Describe the request that a proxy asks about."""
    environ = {"REQUEST_METHOD": "GET"} | {f"HTTP_{name}": value for name, value in headers.items()}
    return environ if method is None else environ | {"HTTP_X_FORWARDED_METHOD": method}


@pytest.mark.parametrize("method", [None, *UNSAFE])
@pytest.mark.parametrize(
    ("headers", "elsewhere"),
    [
        ({}, False),
        ({"SEC_FETCH_SITE": "same-origin"}, False),
        ({"SEC_FETCH_SITE": "none"}, False),
        ({"SEC_FETCH_SITE": "same-site"}, True),
        ({"SEC_FETCH_SITE": "cross-site"}, True),
        ({"SEC_FETCH_SITE": "same-origin", "ORIGIN": EVIL}, False),
        ({"SEC_FETCH_SITE": "cross-site", "ORIGIN": WIKI}, True),
        ({"ORIGIN": WIKI}, False),
        ({"ORIGIN": EVIL}, True),
        ({"ORIGIN": "null"}, True),
        ({"ORIGIN": WIKI + ".evil.example"}, True),
        ({"ORIGIN": WIKI.upper()}, True),
        ({"ORIGIN": ""}, True),
    ],
)
def test_another_site_may_change_nothing(
    method: str | None,
    headers: dict[str, str],
    elsewhere: bool,  # noqa: FBT001
) -> None:
    """Nor where the proxy does not say what is asked for."""
    assert is_from_elsewhere(original(method, **headers), [WIKI]) is elsewhere


@pytest.mark.parametrize("method", SAFE)
@pytest.mark.parametrize("site", ["same-site", "cross-site"])
def test_another_site_may_lead_here(method: str, site: str) -> None:
    assert not is_from_elsewhere(original(method, SEC_FETCH_SITE=site, ORIGIN=EVIL), [WIKI])


def test_another_site_may_open_no_websocket() -> None:
    """It begins as a GET, and no browser asks its server for leave."""
    key = {"SEC_WEBSOCKET_KEY": "dGhlIHNhbXBsZSBub25jZQ=="}

    assert is_from_elsewhere(original("GET", **key, SEC_FETCH_SITE="cross-site"), [WIKI])
    assert is_from_elsewhere(original("GET", **key, ORIGIN=EVIL), [WIKI])
    assert not is_from_elsewhere(original("GET", **key, ORIGIN=WIKI), [WIKI])


@pytest.mark.parametrize(
    ("method", "headers", "navigates"),
    [
        ("GET", {"SEC_FETCH_MODE": "navigate", "SEC_FETCH_DEST": "document"}, True),
        ("GET", {"SEC_FETCH_MODE": "navigate"}, True),
        ("GET", {"SEC_FETCH_MODE": "navigate", "SEC_FETCH_DEST": "iframe"}, False),
        ("GET", {"SEC_FETCH_MODE": "cors", "ACCEPT": "text/html"}, False),
        ("GET", {"ACCEPT": "text/html,application/xhtml+xml,*/*"}, True),
        ("GET", {"ACCEPT": "*/*"}, False),
        ("GET", {}, False),
        (None, {"SEC_FETCH_MODE": "navigate"}, True),
        ("POST", {"SEC_FETCH_MODE": "navigate", "SEC_FETCH_DEST": "document"}, False),
        ("HEAD", {"ACCEPT": "text/html"}, False),
    ],
)
def test_a_person_who_follows_a_link_navigates(
    method: str | None,
    headers: dict[str, str],
    navigates: bool,  # noqa: FBT001
) -> None:
    assert is_navigation(original(method, **headers)) is navigates
