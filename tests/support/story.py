"""A session of real calls: every operation and every page, answered as they mean to answer.

    for label, response in tell_story(new_client):
        …

Each step is one request. Its label is the route's endpoint, with a remark in brackets where the
route is called once more under other circumstances.
"""

from collections.abc import Callable, Iterator
from typing import cast

from flask import Flask
from werkzeug.test import TestResponse

from tests.support.authenticator import Authenticator
from tests.support.clients import Browser, InProcessBrowser
from tests.support.handed_over import WIKI, go, leads_to, register, set_out
from tests.support.outside_accounts import (
    QuietProvider,
    come_back,
    provider_settings,
    state_in,
    switched_on,
)
from tests.support.people import (
    begin_sign_up,
    json_of,
    new_phone,
)

Step = tuple[str, TestResponse]


def tell_story(new_client: Callable[[], Browser]) -> Iterator[Step]:
    """Sign up, look around, change everything, sign out, recover; give each answer."""
    ada, phone = new_client(), new_phone()
    yield from _look_around(ada, "anonymous")
    yield from _sign_up(ada, phone)
    yield from _look_around(ada, None)
    yield from _change_things(ada, phone)
    yield from _end_sessions(ada, new_client, phone)
    yield from _recover(ada, new_client())
    if isinstance(ada, InProcessBrowser):
        grace = new_client()
        yield from _sign_in_outside(grace)
        register(ada.application)
        yield from _go_to_the_wiki(grace, new_client())


def _sign_up(browser: Browser, phone: Authenticator) -> Iterator[Step]:
    options = begin_sign_up(browser)
    yield "auth.begin_registration", options
    yield (
        "auth.finish_registration",
        browser.post("/api/auth/registration", json={"credential": phone.create(json_of(options))}),
    )


def _look_around(browser: Browser, who: str | None) -> Iterator[Step]:
    remark = f" ({who})" if who else ""
    for page in ("start", "sign_in", "sign_up", "recovery"):
        path = "/" if page == "start" else f"/{page.replace('_', '-')}"
        yield f"pages.show_{page}{remark}", browser.get(path)
    if who:
        for name in ("healthz", "readyz", "openapi.json", "docs"):
            yield f"system.{name.partition('.')[0]}", browser.get(f"/{name}")
        return
    yield "pages.show_account", browser.get("/account")
    for endpoint, path in (
        ("auth.get_session", "/api/auth/session"),
        ("auth.verify", "/api/auth/verify"),
        ("auth.list_sessions", "/api/auth/sessions?limit=2"),
        ("auth.list_credentials", "/api/auth/credentials"),
        ("auth.count_recovery_codes", "/api/auth/recovery-codes"),
        ("users.get_me", "/api/users/me"),
    ):
        yield endpoint, browser.get(path)


def _change_things(browser: Browser, phone: Authenticator) -> Iterator[Step]:
    yield (
        "users.change_me",
        browser.patch("/api/users/me", json={"name": "Ada King", "locale": "en"}),
    )
    options = browser.post("/api/auth/reauthentication/options", json={})
    yield "auth.begin_reauthentication", options
    yield (
        "auth.finish_reauthentication",
        browser.post(
            "/api/auth/reauthentication", json={"credential": phone.get(json_of(options))}
        ),
    )
    options = browser.post("/api/auth/credentials/options", json={})
    yield "auth.begin_enrolment", options
    added = browser.post(
        "/api/auth/credentials",
        json={
            "credential": new_phone().create(json_of(options)),
            "credential_name": "Key ring",
        },
    )
    yield "auth.finish_enrolment", added
    path = f"/api/auth/credentials/{json_of(added)['credential']['id']}"
    yield "auth.rename_credential", browser.patch(path, json={"name": "Blue key"})
    yield "auth.remove_credential", browser.delete(path)


def _end_sessions(
    browser: Browser, new_client: Callable[[], Browser], phone: Authenticator
) -> Iterator[Step]:
    others = [new_client(), new_client()]
    ids = []
    for remark, other in zip(("", " (again)"), others, strict=True):
        options = other.post("/api/auth/authentication/options", json={})
        yield f"auth.begin_authentication{remark}", options
        signed_in = other.post(
            "/api/auth/authentication", json={"credential": phone.get(json_of(options))}
        )
        yield f"auth.finish_authentication{remark}", signed_in
        ids.append(json_of(signed_in)["session"]["id"])
    yield "auth.end_session", browser.delete(f"/api/auth/sessions/{ids[0]}")
    yield "auth.end_other_sessions", browser.delete("/api/auth/sessions")


def _recover(browser: Browser, other: Browser) -> Iterator[Step]:
    codes = browser.post("/api/auth/recovery-codes", json={})
    yield "auth.renew_recovery_codes", codes
    code = json_of(codes)["codes"][0].lower()
    yield "auth.sign_out", browser.delete("/api/auth/session")
    yield (
        "auth.recover",
        other.post("/api/auth/recovery", json={"code": code}),
    )
    options = other.post("/api/auth/credentials/options", json={})
    yield "auth.begin_enrolment (recovering)", options
    credential = new_phone().create(json_of(options))
    yield (
        "auth.finish_enrolment (recovering)",
        other.post("/api/auth/credentials", json={"credential": credential}),
    )


def _sign_in_outside(browser: Browser) -> Iterator[Step]:
    github = QuietProvider(settings=provider_settings())
    github.add("grace", email="grace@example.org", email_verified=True)
    github.add("spare")
    with switched_on(cast("Flask", browser.application), github):
        yield "oauth.list_providers", browser.get("/api/oauth/providers")
        begun = browser.get("/api/oauth/github/authorize")
        yield "oauth.authorize", begun
        state = state_in(begun.headers["Location"])
        yield "oauth.receive_callback", come_back(browser, state, code="grace")
        yield (
            "oauth.receive_callback (refused)",
            (refused := come_back(browser, state, code="grace")),
        )
        yield "pages.show_refusal", browser.get(refused.headers["Location"])
        for purpose, code in (("link", "spare"), ("reauthenticate", "grace")):
            begun = browser.post(f"/api/oauth/github/{purpose}", json={})
            name = "link" if purpose == "link" else "outside_reauthentication"
            yield f"oauth.begin_{name}", begun
            state = state_in(json_of(begun)["location"])
            yield f"oauth.receive_callback ({purpose})", come_back(browser, state, code=code)
        listed = browser.get("/api/oauth/accounts")
        yield "oauth.list_accounts", listed
        (_, spare) = json_of(listed)["items"]
        yield "oauth.unlink_account", browser.delete(f"/api/oauth/accounts/{spare['id']}")


def _go_to_the_wiki(browser: Browser, stranger: Browser) -> Iterator[Step]:
    begun = set_out(stranger)
    yield "handover.start (anonymous)", begun
    to_sign_in = go(stranger, leads_to(begun))
    yield "handover.hand_over (anonymous)", to_sign_in
    yield "pages.show_sign_in on the way (anonymous)", go(stranger, leads_to(to_sign_in))
    begun = set_out(browser)
    yield "handover.start", begun
    made = go(browser, leads_to(begun))
    yield "handover.hand_over", made
    yield "handover.callback", go(browser, leads_to(made))
    yield "handover.callback (refused)", go(browser, leads_to(made))
    for name in ("refused", "sign-out"):
        yield f"handover.show_{name.replace('-', '_')}", go(browser, f"{WIKI}/.identity/{name}")
    file = "/.identity/wiki/static/identity.css"
    yield "handover.send_file", browser.get(file, base_url=WIKI, buffered=True)
    yield "pages.show_not_allowed", browser.get("/not-allowed?app=wiki")
    path = "/.identity/wiki/sign-out"
    yield "handover.sign_out_here", browser.post(path, base_url=WIKI)
    begun = set_out(browser)
    yield "handover.start (again)", begun
    made = go(browser, leads_to(begun))
    yield "handover.hand_over (again)", made
    yield "handover.callback (again)", go(browser, leads_to(made))
    yield "handover.sign_out_everywhere", browser.post(f"{path}/everywhere", base_url=WIKI)
