"""Where the way to an application leads, whatever it is asked for.

A15; OA-1; ASVS 1.2.2, 3.7.2; CS-4.
"""

from urllib.parse import quote, urlsplit

import pytest
from flask import Flask

from tests.support.clients import Browser
from tests.support.handed_over import (
    FORUM,
    NAVIGATION,
    WIKI,
    go,
    leads_to,
    register,
    set_out,
)
from tests.support.markup import Page
from tests.support.people import SESSION_COOKIE, Person, sign_up
from tests.support.return_targets import EVIL
from tests.support.variables import ORIGIN


@pytest.fixture
def ada(app: Flask, client: Browser) -> Person:
    register(app)
    register(app, "forum", origins=[FORUM, "https://forum.example.org"])
    register(app, "inside", origins=[ORIGIN])
    return sign_up(client)


def test_no_target_leads_off_the_application(ada: Person) -> None:
    allowed = {f"{WIKI}/"}
    led_astray = []
    for payload in (*EVIL, "/.identity/start", "/.identity/sign-out", "/.identity"):
        begun = go(ada.client, f"{WIKI}/.identity/start?return_to={quote(payload, safe='')}")
        made = go(ada.client, leads_to(begun))
        arrived = go(ada.client, leads_to(made))
        ada.client.delete_cookie(SESSION_COOKIE, domain="wiki.localhost")
        hosts = [urlsplit(leads_to(one)).netloc for one in (begun, made, arrived)]
        if hosts != ["localhost:8000", *["wiki.localhost:8000"] * 2] or (
            leads_to(arrived) not in allowed
        ):
            led_astray.append((payload, leads_to(arrived)))

    assert led_astray == []


def test_no_target_leads_off_the_application_by_its_proxy(ada: Person) -> None:
    led_astray = []
    for payload in EVIL:
        if not payload.isascii() or not payload.isprintable():
            continue
        begun = ada.client.get(
            "/.identity/wiki/start",
            base_url=WIKI,
            headers={**NAVIGATION, "X-Forwarded-Uri": payload},
        )
        if not leads_to(begun).endswith("&return_to=/"):
            led_astray.append(payload)

    assert led_astray == []


def test_no_target_leads_off_the_application_from_the_identity_host(ada: Person) -> None:
    mark = leads_to(set_out(ada.client)).partition("browser=")[2][:43]
    led_astray = []
    for payload in EVIL:
        query = {"app": "wiki", "origin": WIKI, "browser": mark, "return_to": payload}
        made = ada.client.get("/api/auth/handover", query_string=query)
        arrived = go(ada.client, leads_to(made))
        ada.client.delete_cookie(SESSION_COOKIE, domain="wiki.localhost")
        if leads_to(arrived) != f"{WIKI}/":
            led_astray.append(payload)

    assert led_astray == []


WAY = f"/api/auth/handover?app=wiki&origin={WIKI}&browser={'x' * 43}&return_to=/page"


@pytest.mark.parametrize(
    "path",
    [
        WAY.replace("/api", "//api"),
        WAY.replace("/api/", "/api/./"),
        WAY.replace("handover", "session"),
        WAY.replace("handover", "handover/"),
        WAY.replace("handover", "../oauth/github/authorize"),
        WAY.replace("app=wiki", "app=Wiki"),
        WAY.replace("app=wiki", "app=wiki&app=forum"),
        WAY.replace("app=wiki&", ""),
        WAY.replace("x" * 43, "x" * 42),
        WAY.replace(WIKI, "javascript:alert(1)"),
        WAY.replace(WIKI, "https://evil.example/x"),
        WAY.replace(WIKI, "https://a@evil.example"),
        WAY.replace("/page", "//evil example"),
        WAY.replace("/page", "page"),
        f"{WAY}&more=1",
        f"{WAY}#x",
        f"{WAY}\n",
        f"{WAY}/{'x' * 2000}",
        f"https://evil.example{WAY}",
        f"/\\evil.example{WAY}",
    ],
)
def test_only_the_way_to_an_application_is_gone_on_to_within_the_api(
    client: Browser, path: str
) -> None:
    for page in ("/sign-in", "/sign-up"):
        answer = client.get(page, query_string={"return_to": path})
        assert [*Page(answer).values("data-return-to")] == ["/account"]

        honest = client.get(page, query_string={"return_to": WAY})
        assert [*Page(honest).values("data-return-to")] == [WAY]
