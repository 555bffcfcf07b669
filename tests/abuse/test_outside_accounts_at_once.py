"""F13, F14, F15: many come back from providers at the same moment, to four workers.

ASVS 2.3.4, 15.4.2.
"""

from collections.abc import Callable

from flask import Flask
from werkzeug.test import TestResponse

from app.models import AuthorizationRequest, Identity, User
from tests.conftest import NewTally
from tests.support.clients import Browser
from tests.support.counts import trials
from tests.support.crowds import at_once, both_at_once
from tests.support.github_peer import GitHubAccount, GitHubEmail
from tests.support.outside_accounts import linked, refused, went_on
from tests.support.outsiders import Outsiders, sign_in_at, somebody, to_link, to_sign_in, visit
from tests.support.people import BROWSER_COOKIE, hand_over, is_signed_in, json_of, sign_up, token_of
from tests.support.presenters import PRESENTERS, a_crowd
from tests.support.tables import count

NewClient = Callable[[], Browser]
SUBJECT = "Outside accounts"


def come_back_at_once(crowd: list[Browser], callbacks: list[str]) -> list[TestResponse]:
    return at_once(
        [
            lambda one=one, callback=callback: one.get(callback)  # type: ignore[misc]
            for one, callback in zip(crowd, callbacks, strict=True)
        ]
    )


def test_one_outside_account_is_linked_to_one_of_two(
    app: Flask, new_client: NewClient, providers: Outsiders, new_tally: NewTally
) -> None:
    """F14."""
    tally = new_tally(SUBJECT, "one account linked by two people at once")
    pair = [new_client(), new_client()]
    for number, client in enumerate(pair):
        sign_up(client, email=f"person{number}@example.org")
    wins = [0, 0]
    for _ in range(trials(200)):
        account, before = somebody(), count(app, Identity)
        ways = [visit(providers.github, account, to_link(client)) for client in pair]

        one, other = both_at_once(lambda: pair[0].get(ways[0]), lambda: pair[1].get(ways[1]))  # noqa: B023

        with tally.trial():
            won = [went_on(one), went_on(other)]
            assert sorted(won) == [False, True]
            loser = won.index(False)
            assert refused((one, other)[loser]) == "identity_already_linked"
            assert count(app, Identity) == before + 1
            retry = pair[loser].get(visit(providers.github, somebody(), to_link(pair[loser])))
            assert went_on(retry)
            for client in pair:
                unlink_all(client)
        wins[won.index(True)] += 1
    assert min(wins) > 0 or trials(200) < 20


def unlink_all(client: Browser) -> None:
    for one in linked(client):
        assert client.delete(f"/api/oauth/accounts/{one['id']}").status_code == 204


def with_address(number: int) -> GitHubAccount:
    account = somebody()
    email = GitHubEmail(email=f"first{account.id}-{number}@example.org", primary=True)
    return GitHubAccount(id=account.id, login=account.login, emails=(email,))


def test_sixteen_first_sign_ins_with_one_account_make_one_person(
    app: Flask, new_client: NewClient, providers: Outsiders, new_tally: NewTally
) -> None:
    """F15: with a proved address and without one; every one of the sixteen is signed in."""
    tally = new_tally(SUBJECT, "a first sign-in, sixteen at once")
    for number in range(trials(200)):
        account = with_address(number) if number % 2 else somebody()
        crowd = a_crowd(new_client)
        callbacks = [visit(providers.github, account, to_sign_in(one)) for one in crowd]
        before = count(app, User), count(app, Identity)

        answers = come_back_at_once(crowd, callbacks)

        with tally.trial():
            assert all(went_on(answer) for answer in answers), [a.status_code for a in answers]
            assert (count(app, User), count(app, Identity)) == (before[0] + 1, before[1] + 1)
            people = {json_of(one.get("/api/auth/session"))["user"]["id"] for one in crowd}
            assert len(people) == 1


def test_sixteen_accounts_with_one_proved_address_make_one_person(
    app: Flask, new_client: NewClient, providers: Outsiders, new_tally: NewTally
) -> None:
    """A7, A19: an account that never proved the address loses it to exactly one of them."""
    tally = new_tally(SUBJECT, "a proved address, sixteen accounts at once")
    for number in range(trials(50)):
        address = f"wanted{number}-{somebody().id}@example.org"
        squatter = new_client()
        sign_up(squatter, email=address)
        crowd, callbacks = a_crowd(new_client), []
        for one in crowd:
            who = somebody()
            email = GitHubEmail(email=address, primary=True)
            account = GitHubAccount(id=who.id, login=who.login, emails=(email,))
            callbacks.append(visit(providers.github, account, to_sign_in(one)))
        before = count(app, User)

        answers = come_back_at_once(crowd, callbacks)

        with tally.trial():
            let_in = [one for one, answer in zip(crowd, answers, strict=True) if went_on(answer)]
            assert len(let_in) == 1
            assert {refused(one) for one in answers if not went_on(one)} == {"account_exists"}
            assert count(app, User) == before + 1
            told = json_of(let_in[0].get("/api/auth/session"))["user"]
            assert (told["email"], told["email_verified"]) == (address, True)
            assert json_of(squatter.get("/api/auth/session"))["user"]["email"] is None


def test_one_state_signs_in_one_of_sixteen(
    app: Flask, new_client: NewClient, providers: Outsiders, new_tally: NewTally
) -> None:
    """F13: sixteen tabs of one browser present one answer."""
    tally = new_tally("Once means once", "sixteen with one state")
    browser = new_client()
    browser.get("/sign-in")
    mark = token_of(browser, BROWSER_COOKIE)
    for _ in range(trials(500)):
        crowd = [hand_over(new_client(), mark, BROWSER_COOKIE) for _ in range(PRESENTERS)]
        callback = visit(providers.github, somebody(), to_sign_in(crowd[0]))

        answers = come_back_at_once(crowd, [callback] * PRESENTERS)

        with tally.trial():
            let_in = [one for one, answer in zip(crowd, answers, strict=True) if went_on(answer)]
            assert len(let_in) == 1
            assert is_signed_in(let_in[0])
            assert {refused(one) for one in answers if not went_on(one)} == {
                "authorization_request_unusable"
            }
            assert count(app, AuthorizationRequest) == 0
            assert went_on(sign_in_at(crowd[1], providers.github, somebody()))


def test_a_sign_in_beside_an_unlink_is_one_of_the_two(
    app: Flask, new_client: NewClient, providers: Outsiders, new_tally: NewTally
) -> None:
    """F17: whoever comes back meanwhile gets no session of the account that let it go."""
    tally = new_tally(SUBJECT, "a sign-in beside an unlink")
    owner = new_client()
    person = sign_up(owner)
    for _ in range(trials(100)):
        account = somebody()
        assert went_on(owner.get(visit(providers.github, account, to_link(owner))))
        (told,) = linked(owner)
        other = new_client()
        callback = visit(providers.github, account, to_sign_in(other))

        gone, answer = both_at_once(
            lambda told=told: owner.delete(f"/api/oauth/accounts/{told['id']}"),  # type: ignore[misc]
            lambda other=other, callback=callback: other.get(callback),  # type: ignore[misc]
        )

        with tally.trial():
            assert gone.status_code == 204, gone.text
            assert went_on(answer), answer.status_code
            told_now = json_of(other.get("/api/auth/session"))
            is_theirs = told_now.get("user", {}).get("id") == person.user["id"]
            # The session that it opened ended with it; else the account is new.
            assert told_now.get("code") == "not_signed_in" or not is_theirs
            assert linked(owner) == []
