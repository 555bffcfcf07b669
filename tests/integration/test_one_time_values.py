"""F13: sixteen present one value at the same moment, and exactly one is let in.

ASVS 15.4.2; CVE-2026-82761, CVE-2026-107276.
"""

from collections.abc import Callable, Sequence
from typing import Unpack

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.models import Credential, RecoveryCode, User, UserSession
from app.services.addresses import parse_address
from app.services.invitations import invite, invite_first_administrator
from tests.conftest import Transaction
from tests.support.authenticator import Json, Twists
from tests.support.clients import Browser
from tests.support.counts import trials
from tests.support.crowds import at_once
from tests.support.people import (
    ADDRESS,
    BROWSER_COOKIE,
    begin_sign_up,
    finish_sign_up,
    hand_over,
    json_of,
    new_codes,
    new_phone,
    post,
    refusal,
    sign_up,
    token_of,
)
from tests.support.tables import count

PRESENTERS = 16
VALUES = trials(50)


@pytest.fixture
def crowd(new_client: Callable[[], Browser]) -> list[Browser]:
    return [new_client() for _ in range(PRESENTERS)]


def presenting(browser: Browser, path: str, **body: object) -> Callable[[], TestResponse]:
    return lambda: browser.post(path, json=body)


def signing_up(
    browser: Browser, options: Json, **twists: Unpack[Twists]
) -> Callable[[], TestResponse]:
    return lambda: finish_sign_up(browser, new_phone(), options, **twists)


def refusals(answers: Sequence[TestResponse], accepted: int) -> list[tuple[int, str]]:
    """Give the refusals, after seeing that exactly one was accepted."""
    assert [answer.status_code for answer in answers].count(accepted) == 1
    return [refusal(answer) for answer in answers if answer.status_code != accepted]


def test_one_challenge_signs_in_once(app: Flask, client: Browser, crowd: list[Browser]) -> None:
    person = sign_up(client)
    for browser in crowd:
        hand_over(browser, token_of(client, BROWSER_COOKIE), BROWSER_COOKIE)
    for _ in range(VALUES):
        answer = person.phone.get(post(client, "/api/auth/authentication/options"))
        before = count(app, UserSession)

        answers = at_once(
            [presenting(one, "/api/auth/authentication", credential=answer) for one in crowd]
        )

        unusable = [(400, "challenge_unusable")] * (PRESENTERS - 1)
        assert refusals(answers, 200) == unusable
        assert count(app, UserSession) - before in {0, 1}, "a new one, in its browser's place"
        for browser in crowd:
            browser.delete("/api/auth/session")


def test_one_recovery_code_opens_one_session(
    app: Flask, client: Browser, crowd: list[Browser]
) -> None:
    sign_up(client)
    codes = new_codes(client)
    for code in codes[:VALUES]:
        before = count(app, UserSession)

        answers = at_once([presenting(one, "/api/auth/recovery", code=code) for one in crowd])

        assert refusals(answers, 200) == [(403, "recovery_code_unusable")] * (PRESENTERS - 1)
        assert count(app, UserSession) - before == 1
        for browser in crowd:
            browser.delete("/api/auth/session")
    assert count(app, RecoveryCode) == 10


def test_one_recovery_session_enrols_one_passkey(
    app: Flask, client: Browser, new_client: Callable[[], Browser]
) -> None:
    """CVE-2026-37982."""
    sign_up(client)
    path, code = "/api/auth/credentials", new_codes(client)[0]
    assert client.post("/api/auth/recovery", json={"code": code}).status_code == 200
    token, mark = token_of(client), token_of(client, BROWSER_COOKIE)
    twins = [hand_over(hand_over(new_client(), token), mark, BROWSER_COOKIE) for _ in range(8)]
    begun = [new_phone().create(post(one, f"{path}/options")) for one in twins]

    answers = at_once(
        [presenting(one, path, credential=answer) for one, answer in zip(twins, begun, strict=True)]
    )

    assert {code for _, code in refusals(answers, 201)} <= {"not_signed_in", "challenge_unusable"}
    assert count(app, Credential) == 2


@pytest.mark.parametrize("kind", ["invitation", "first administrator"])
def test_one_invitation_opens_one_account(
    app: Flask, crowd: list[Browser], transaction: Transaction, kind: str
) -> None:
    for number in range(VALUES):
        address = f"ada{number}@example.org"
        with transaction() as session:
            if kind == "invitation":
                token = invite(session, address=parse_address(address), role="user")
            else:
                token = invite_first_administrator(session)
        begun = [
            json_of(begin_sign_up(one, email=address, invitation=token))
            if kind == "invitation"
            else json_of(begin_sign_up(one, email=f"{at}.{address}", invitation=token))
            for at, one in enumerate(crowd)
        ]

        answers = at_once(
            [signing_up(one, options) for one, options in zip(crowd, begun, strict=True)]
        )

        assert refusals(answers, 201) == [(403, "invitation_unusable")] * (PRESENTERS - 1)
        assert count(app, User) == count(app, Credential) == number + 1


def test_sign_ups_at_once_with_one_address_make_one_account(
    app: Flask, crowd: list[Browser]
) -> None:
    spellings = [ADDRESS, ADDRESS.upper(), "Ada@EXAMPLE.org", "ADA@example.org"] * 4
    begun = [
        json_of(begin_sign_up(one, email=spelling))
        for one, spelling in zip(crowd, spellings, strict=True)
    ]

    answers = at_once([signing_up(one, options) for one, options in zip(crowd, begun, strict=True)])

    assert refusals(answers, 201) == [(409, "address_taken")] * (PRESENTERS - 1)
    assert count(app, User) == count(app, Credential) == count(app, UserSession) == 1


def test_one_credential_id_registered_at_once_belongs_to_one_person(
    app: Flask, crowd: list[Browser]
) -> None:
    """WA-R26."""
    begun = [json_of(begin_sign_up(one, email=f"{at}.{ADDRESS}")) for at, one in enumerate(crowd)]

    answers = at_once(
        [
            signing_up(one, options, credential_id=b"the same for everybody")
            for one, options in zip(crowd, begun, strict=True)
        ]
    )

    taken = [(409, "credential_already_registered")] * (PRESENTERS - 1)
    assert refusals(answers, 201) == taken
    assert count(app, User) == count(app, Credential) == 1
