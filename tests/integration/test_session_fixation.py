"""A9: nobody comes out of a ceremony with the token they went in with (ASVS 7.2.4, CS-1)."""

from collections.abc import Callable

from flask import Flask

from app.models import UserSession
from tests.support.clients import Browser
from tests.support.people import (
    SESSION_COOKIE,
    hand_over,
    is_signed_in,
    json_of,
    new_codes,
    refusal,
    sign_in,
    sign_up,
    token_of,
)
from tests.support.tables import count

REJECTED = (401, "assertion_rejected")


def test_sign_up_ends_the_session_that_the_browser_held(
    client: Browser, new_client: Callable[[], Browser]
) -> None:
    """A9."""
    sign_up(client)
    planted = token_of(client)

    sign_up(client, email="bob@example.org")

    assert token_of(client) != planted
    assert not is_signed_in(hand_over(new_client(), planted))


def test_sign_up_adopts_no_token_that_was_planted(client: Browser) -> None:
    """A9."""
    planted = "obs_" + "A" * 43
    hand_over(client, planted)

    sign_up(client)

    assert token_of(client) != planted
    client.delete_cookie(SESSION_COOKIE)
    assert not is_signed_in(hand_over(client, planted))


def test_every_sign_in_gives_a_new_token_and_ends_the_session_before_it(
    app: Flask, client: Browser, new_client: Callable[[], Browser]
) -> None:
    person = sign_up(client)
    tokens = [token_of(client)]

    for _ in range(3):
        assert sign_in(client, person.phone).status_code == 200
        tokens.append(token_of(client))

    assert len(set(tokens)) == 4
    assert [is_signed_in(hand_over(new_client(), token)) for token in tokens] == [
        *(False, False, False),
        True,
    ]
    assert count(app, UserSession) == 1


def test_sign_in_as_somebody_else_ends_the_session_of_the_person_before(
    client: Browser, new_client: Callable[[], Browser]
) -> None:
    ada, bob = sign_up(client), sign_up(new_client(), email="bob@example.org")
    before = token_of(client)

    assert json_of(sign_in(ada.client, bob.phone))["user"] == bob.user

    assert not is_signed_in(hand_over(new_client(), before))
    assert is_signed_in(bob.client), "in another browser nothing has changed"


def test_sign_in_adopts_no_token_that_was_planted(
    app: Flask, client: Browser, new_client: Callable[[], Browser]
) -> None:
    """A9: neither one that we never made, nor an attacker's own."""
    person, eve = sign_up(client), sign_up(new_client(), email="eve@example.org")
    for planted in ("obs_" + "A" * 43, token_of(eve.client)):
        victim = hand_over(new_client(), planted)

        assert sign_in(victim, person.phone).status_code == 200

        assert token_of(victim) != planted
        assert not is_signed_in(hand_over(new_client(), planted))


def test_refused_sign_in_leaves_the_session_of_the_browser_alone(
    app: Flask, client: Browser
) -> None:
    person = sign_up(client)
    token = token_of(client)

    assert refusal(sign_in(client, person.phone, signature=b"x")) == REJECTED

    assert token_of(client) == token
    assert is_signed_in(client)


def test_recovery_ends_the_session_that_the_browser_held(
    client: Browser, new_client: Callable[[], Browser]
) -> None:
    """A9."""
    sign_up(client)
    code, before = new_codes(client)[0], token_of(client)

    assert client.post("/api/auth/recovery", json={"code": code}).status_code == 200

    assert token_of(client) != before
    assert not is_signed_in(hand_over(new_client(), before))
