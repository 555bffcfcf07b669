"""A9: nobody comes out of a ceremony with the token they went in with (ASVS 7.2.4, CS-1)."""

from collections.abc import Callable

from flask import Flask

from app.models import UserSession
from tests.support.clients import Browser
from tests.support.people import (
    hand_over,
    is_signed_in,
    json_of,
    refusal,
    sign_in,
    sign_up,
    token_of,
)
from tests.support.tables import count

REJECTED = (401, "assertion_rejected")


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


def test_refused_sign_in_leaves_the_session_of_the_browser_alone(
    app: Flask, client: Browser
) -> None:
    person = sign_up(client)
    token = token_of(client)

    assert refusal(sign_in(client, person.phone, signature=b"x")) == REJECTED

    assert token_of(client) == token
    assert is_signed_in(client)
