"""A step-up while other requests of the same browser are under way signs nobody out (A9).

The token that was swapped is dead at once, so a request that left with it is answered 401. A
browser takes that as the script of the pages does: it asks once more, by then with the new token,
and goes to sign in only where that is refused as well. No refusal takes a cookie away, and
whichever answer arrives last, the token that the browser is left with is good.
"""

from functools import partial

import pytest

from tests.conftest import NewTally
from tests.support.clients import Browser
from tests.support.counts import trials
from tests.support.crowds import at_once
from tests.support.deployments import Deployment
from tests.support.people import (
    BROWSER_COOKIE,
    Person,
    hand_over,
    is_signed_in,
    json_of,
    new_phone,
    post,
    refusal,
    sign_up,
    step_up,
    token_of,
)
from tests.support.tabs import Call, open_tabs

STEP_UP = "/api/auth/reauthentication"
NOT_SIGNED_IN = (401, "not_signed_in")
CALLS: tuple[Call, ...] = (
    ("GET", "/api/auth/session", None),
    ("PATCH", "/api/users/me", {"name": "Ada"}),
    ("GET", "/api/auth/sessions", None),
    ("POST", "/api/auth/credentials/options", {}),
    ("GET", "/api/users/me", None),
)


@pytest.fixture
def person(deployment: Deployment) -> Person:
    return sign_up(deployment.browser())


def test_step_up_signs_no_other_tab_out(
    person: Person, deployment: Deployment, new_tally: NewTally
) -> None:
    """A9."""
    tally = new_tally("Sessions", "a step-up while five tabs of the browser ask")
    session_id = id_of_session(person.client)
    with open_tabs(person.client, CALLS) as tabs:
        for _ in range(trials(100)):
            old = token_of(person.client)
            with tally.trial():
                assert step_up(person.client, person.phone).status_code == 200
                for tab in tabs:
                    tab.await_call_from_now()
                assert_dead(deployment, old)
    assert [lost for tab in tabs for lost in tab.lost] == []
    assert id_of_session(person.client) == session_id


def id_of_session(client: Browser) -> str:
    answer = client.get("/api/auth/session")
    assert answer.status_code == 200, answer.text
    return str(json_of(answer)["session"]["id"])


def assert_dead(deployment: Deployment, token: str) -> None:
    """See that a token opens nothing, and that the refusal leaves the browser's cookies alone."""
    answer = hand_over(deployment.browser(), token).get("/api/auth/session")
    assert refusal(answer) == NOT_SIGNED_IN
    assert "Set-Cookie" not in answer.headers


def test_two_step_ups_at_once_leave_a_good_token_whichever_answer_comes_last(
    person: Person, deployment: Deployment, new_tally: NewTally
) -> None:
    """A9: one of them swaps the token; the other proves presence and leaves it alone."""
    tally = new_tally("Sessions", "two step-ups of one browser at once")
    for _ in range(trials(100)):
        old = token_of(person.client)
        begun = [post(person.client, f"{STEP_UP}/options") for _ in range(2)]
        bodies = [{"credential": person.phone.get(options)} for options in begun]
        tabs = [twin(deployment, person.client) for _ in bodies]
        asks = [
            partial(tab.post, STEP_UP, json=body) for tab, body in zip(tabs, bodies, strict=True)
        ]
        with tally.trial():
            answers = at_once(asks)
            assert sorted(answer.status_code for answer in answers) in ([200, 200], [200, 401])
            given = [token_of(tab) for tab in tabs]
            assert given.count(old) == 1, "both set a cookie, or none did"
            assert_dead(deployment, old)
        person.client = tabs[given.index(old) - 1]
        assert is_signed_in(person.client)


def twin(deployment: Deployment, browser: Browser) -> Browser:
    """Give a tab that holds the cookies of this moment, and what its own answers set."""
    tab = hand_over(deployment.browser(), token_of(browser))
    return hand_over(tab, token_of(browser, BROWSER_COOKIE), BROWSER_COOKIE)


def test_step_up_leaves_a_ceremony_of_another_tab_usable(
    person: Person, deployment: Deployment, new_tally: NewTally
) -> None:
    """What was begun with the old token is finished with the new one: the session is the same."""
    tally = new_tally("Sessions", "a passkey added across a step-up")
    for _ in range(trials(20)):
        options, phone = post(person.client, "/api/auth/credentials/options"), new_phone()
        with tally.trial():
            assert step_up(person.client, person.phone).status_code == 200
            body = {"credential": phone.create(options)}
            added = person.client.post("/api/auth/credentials", json=body)
            assert added.status_code == 201, added.text


def test_request_that_is_under_way_while_the_token_is_swapped_is_carried_out(
    person: Person, deployment: Deployment, new_tally: NewTally
) -> None:
    """It was let in with the old token: the session that it belongs to did not end."""
    tally = new_tally("Sessions", "a change at the moment of a step-up")
    for number in range(trials(100)):
        name = f"Ada {number}"
        options = post(person.client, f"{STEP_UP}/options")
        body = {"credential": person.phone.get(options)}
        other = twin(deployment, person.client)
        with tally.trial():
            changed, stepped_up = at_once(
                [
                    partial(other.patch, "/api/users/me", json={"name": name}),
                    partial(person.client.post, STEP_UP, json=body),
                ]
            )
            assert stepped_up.status_code == 200, stepped_up.text
            assert changed.status_code == 200 or refusal(changed) == NOT_SIGNED_IN
            shown = json_of(person.client.get("/api/users/me"))["name"]
            assert (shown == name) is (changed.status_code == 200)
