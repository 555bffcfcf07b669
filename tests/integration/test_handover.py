"""A session is handed over to the host of an application, in one browser and for one application.

ASVS 7.6.2.
"""

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import quote

import pytest
import time_machine
from flask import Flask

from app import clock
from app.models import HandoverCode, User, UserSession
from tests.integration.test_cookies import attributes
from tests.support.clients import Browser
from tests.support.handed_over import (
    FORUM,
    HANDOVER_COOKIE,
    NAVIGATION,
    WIKI,
    arrive,
    children,
    go,
    leads_to,
    put_into,
    register,
    set_out,
    token_at,
    verify,
    way_back,
)
from tests.support.markup import Page
from tests.support.outside_accounts import AT_PROVIDER, QuietProvider, come_back, state_in
from tests.support.people import (
    SESSION_COOKIE,
    Person,
    sign_in,
    sign_up,
)
from tests.support.tables import change, count
from tests.support.variables import ORIGIN

NewClient = Callable[[], Browser]


@pytest.fixture
def ada(app: Flask, client: Browser) -> Person:
    """Be signed in at the identity host; there are a wiki and a forum."""
    register(app)
    register(app, "forum", origins=[FORUM])
    return sign_up(client)


def test_person_who_is_signed_in_arrives_where_they_wanted_to(app: Flask, ada: Person) -> None:
    target = "/page?tab=1&q=caf%C3%A9"

    token = arrive(ada.client, return_to=target)

    assert verify(app, token) == 204
    (child,) = children(app)
    assert (child.user_id, child.application_id, child.purpose) == (ada.user["id"], "wiki", "full")


def test_cookies_of_an_applications_host_are_as_guarded_as_ours(ada: Person) -> None:
    guarded = {"HttpOnly", "Path=/", "SameSite=Lax"}

    begun = set_out(ada.client)
    finished = go(ada.client, leads_to(go(ada.client, leads_to(begun))))

    (mark,) = attributes(begun).items()
    (session,) = attributes(finished).items()
    assert mark == (HANDOVER_COOKIE, (token_at(ada.client, name=HANDOVER_COOKIE), mark[1][1]))
    assert mark[1][1] == {*guarded, "Max-Age=600"}
    assert session[0] == SESSION_COOKIE
    assert session[1][1] >= guarded


def test_mark_of_a_browser_is_made_once(ada: Person) -> None:
    """So that two tabs which set out side by side both arrive."""
    first, second = set_out(ada.client), set_out(ada.client, return_to="/other")
    assert attributes(first)[HANDOVER_COOKIE] == attributes(second)[HANDOVER_COOKIE]

    for begun, page in ((second, "/other"), (first, "/page")):
        assert leads_to(go(ada.client, leads_to(go(ada.client, leads_to(begun))))) == WIKI + page


def test_stranger_signs_in_on_the_way(app: Flask, ada: Person, new_client: NewClient) -> None:
    browser = new_client()

    to_sign_in = leads_to(go(browser, leads_to(set_out(browser))))
    page = Page(go(browser, to_sign_in))
    assert "to continue to Wiki" in page.texts["p"]
    (onward,) = page.values("data-return-to")
    assert sign_in(browser, ada.phone).status_code == 200

    assert leads_to(go(browser, leads_to(go(browser, str(onward))))) == f"{WIKI}/page"
    assert verify(app, token_at(browser)) == 204
    # And whoever comes back to the sign-in page by then is led on.
    assert go(browser, to_sign_in).headers["Location"] == onward


def test_stranger_signs_up_on_the_way(app: Flask, new_client: NewClient) -> None:
    register(app)
    browser = new_client()
    to_sign_in = leads_to(go(browser, leads_to(set_out(browser))))
    links = [str(link) for link in Page(go(browser, to_sign_in)).values("href")]
    (to_sign_up,) = [link for link in links if link.startswith("/sign-up")]

    page = Page(go(browser, to_sign_up))
    assert "to continue to Wiki" in page.texts["p"]
    (onward,) = page.values("data-return-to")
    sign_up(browser)

    assert onward in page.values("href")
    assert leads_to(go(browser, leads_to(go(browser, str(onward))))) == f"{WIKI}/page"


def test_stranger_signs_in_elsewhere_on_the_way(
    app: Flask, new_client: NewClient, github: QuietProvider
) -> None:
    register(app)
    browser = new_client()
    to_sign_in = leads_to(go(browser, leads_to(set_out(browser))))
    links = [str(link) for link in Page(go(browser, to_sign_in)).values("href")]
    (to_github,) = [link for link in links if link.startswith("/api/oauth/github")]

    begun = go(browser, to_github, **{"Sec-Fetch-Site": "same-origin"})
    assert leads_to(begun).startswith(AT_PROVIDER)
    back = come_back(browser, state_in(leads_to(begun)), code="ada")

    assert leads_to(go(browser, leads_to(go(browser, leads_to(back))))) == f"{WIKI}/page"
    assert verify(app, token_at(browser)) == 204


@pytest.mark.parametrize("app_id", ["wiki", "nothing"])
def test_sign_in_page_names_applications_that_there_are(
    app: Flask, client: Browser, app_id: str
) -> None:
    register(app)
    way = f"/api/auth/handover?app={app_id}&origin={WIKI}&browser={'x' * 43}&return_to=/"

    page = Page(client.get("/sign-in", query_string={"return_to": way}))

    assert ("to continue to Wiki" in page.texts["p"]) is (app_id == "wiki")
    assert "to continue" not in client.get("/sign-in").text


def test_recovery_session_is_not_handed_over(app: Flask, ada: Person) -> None:
    assert way_back(ada.client)
    change(app, UserSession, purpose="enrol")

    location = leads_to(go(ada.client, leads_to(set_out(ada.client))))

    assert location.startswith("/sign-in?return_to=/api/auth/handover")


def _end(app: Flask, person: Person) -> None:
    assert person.client.delete("/api/auth/session").status_code == 204


def _disable(app: Flask, person: Person) -> None:
    change(app, User, disabled_at=clock.now())


def _take_out(app: Flask, person: Person) -> None:
    put_into(app, person.user["id"], "others")


def _degrade(app: Flask, person: Person) -> None:
    change(app, UserSession, purpose="enrol")


def _nothing(app: Flask, person: Person) -> None:
    """Leave all as it is."""


@pytest.mark.parametrize("change_it", [_nothing, _end, _disable, _take_out, _degrade])
def test_code_is_good_while_its_person_may(
    app: Flask, client: Browser, change_it: Callable[[Flask, Person], None]
) -> None:
    register(app, allowed_groups=["editors"])
    person = sign_up(client)
    put_into(app, person.user["id"], "editors")
    location = way_back(client)
    change_it(app, person)

    answer = go(client, location)

    assert answer.status_code == (303 if change_it is _nothing else 400)
    assert len(children(app)) == (1 if change_it is _nothing else 0)
    # Nor is it kept for the time when they may again.
    assert count(app, HandoverCode) == 0


def test_code_is_good_for_a_minute(app: Flask, client: Browser) -> None:
    with time_machine.travel(clock.now(), tick=False) as traveller:
        register(app)
        sign_up(client)
        in_time = way_back(client)
        traveller.shift(timedelta(seconds=59))
        assert go(client, in_time).status_code == 303

        client.delete_cookie(SESSION_COOKIE, domain="wiki.localhost")
        late = way_back(client)
        traveller.shift(timedelta(seconds=60))
        assert go(client, late).status_code == 400


@pytest.mark.parametrize(
    "query", ["", "?code=", "?code=x", f"?code={'é' * 43}", "?code={0}&code={0}"]
)
def test_what_is_no_code_is_refused_on_a_page(ada: Person, query: str) -> None:
    location = way_back(ada.client)
    code = location.partition("code=")[2]

    answer = go(ada.client, f"{WIKI}/.identity/callback{query.format(code)}")

    assert (answer.status_code, answer.mimetype) == (400, "text/html")
    assert "/.identity/start" in Page(answer).values("href")
    assert go(ada.client, location).status_code == 303


def test_only_a_navigation_uses_a_code(ada: Person) -> None:
    location = way_back(ada.client)
    path = location.removeprefix(WIKI).replace("/.identity/", "/.identity/wiki/")

    for name, value in (
        ("Sec-Fetch-Mode", "no-cors"),
        ("Sec-Fetch-Dest", "iframe"),
        ("Sec-Fetch-Dest", "image"),
    ):
        headers = {**NAVIGATION, name: value}
        assert ada.client.get(path, base_url=WIKI, headers=headers).status_code == 403
    assert ada.client.head(path, base_url=WIKI, headers=NAVIGATION).status_code == 405

    assert ada.client.get(path, base_url=WIKI).status_code == 303


def test_only_a_navigation_is_given_a_code(app: Flask, ada: Person) -> None:
    """ASVS 7.6.2: no frame, image or script opens a session for a person."""
    path = leads_to(set_out(ada.client)).removeprefix(ORIGIN)

    for name, value in (("Sec-Fetch-Mode", "cors"), ("Sec-Fetch-Dest", "iframe")):
        answer = ada.client.get(path, headers={**NAVIGATION, name: value})
        assert (answer.status_code, answer.mimetype) == (403, "text/html")
    assert ada.client.head(path).status_code == 405
    assert count(app, HandoverCode) == 0

    assert ada.client.get(path, headers=NAVIGATION).status_code == 303
    assert count(app, HandoverCode) == 1


def test_browser_that_knows_no_fetch_metadata_is_handed_over_as_well(ada: Person) -> None:
    ada.client.sec_fetch_site = None
    plain = {"Accept": "text/html,*/*;q=0.8"}
    begun = ada.client.get("/.identity/wiki/start", base_url=WIKI, headers=plain)

    made = ada.client.get(leads_to(begun).removeprefix(ORIGIN), headers=plain)
    path = leads_to(made).removeprefix(WIKI).replace("/.identity/", "/.identity/wiki/")

    assert leads_to(ada.client.get(path, base_url=WIKI, headers=plain)) == f"{WIKI}/"


def test_long_target_is_left_out(ada: Person) -> None:
    kept, long = f"/{'x' * 1500}", f"/?q={quote('&' * 900)}"

    assert arrive(ada.client, return_to=kept)
    ada.client.delete_cookie(SESSION_COOKIE, domain="wiki.localhost")
    begun = set_out(ada.client, return_to=long)
    assert leads_to(go(ada.client, leads_to(go(ada.client, leads_to(begun))))) == f"{WIKI}/"
