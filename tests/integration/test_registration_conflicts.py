"""An address or a passkey that somebody has already: refused, and theirs stays theirs."""

import unicodedata
from collections.abc import Callable

import pytest
from flask import Flask

from tests.support.clients import Browser
from tests.support.people import (
    begin_sign_up,
    enrol,
    finish_sign_up,
    is_signed_in,
    json_of,
    new_phone,
    refusal,
    sign_in,
    sign_up,
)
from tests.support.tables import contents

SPELLINGS = {
    "same": "zoë@bücher.example",
    "capitals": "ZOË@BÜCHER.Example",
    "decomposed": unicodedata.normalize("NFD", "zoë@bücher.example"),
    "A-label": "zoë@xn--bcher-kva.example",
}


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_address_that_is_taken_is_refused_when_sign_up_begins(
    app: Flask, client: Browser, new_client: Callable[[], Browser], spelling: str
) -> None:
    """A7: two spellings of one mailbox are one account."""
    sign_up(client, email=SPELLINGS["same"])
    before = contents(app, without=())

    assert refusal(begin_sign_up(new_client(), email=spelling)) == (409, "address_taken")

    assert contents(app, without=()) == before
    assert begin_sign_up(new_client(), email="zoe@bücher.example").status_code == 200


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_address_that_was_taken_meanwhile_is_refused_when_sign_up_finishes(
    app: Flask, client: Browser, new_client: Callable[[], Browser], spelling: str
) -> None:
    slower, free = new_client(), new_client()
    options = json_of(begin_sign_up(slower, email=spelling))
    other_options = json_of(begin_sign_up(free, email="zoe@bücher.example"))
    sign_up(client, email=SPELLINGS["same"])
    before = contents(app)

    refused = finish_sign_up(slower, new_phone(), options)

    assert refusal(refused) == (409, "address_taken")
    assert contents(app) == before
    assert not is_signed_in(slower)
    assert finish_sign_up(free, new_phone(), other_options).status_code == 201


def test_credential_of_somebody_else_is_neither_registered_nor_overwritten(
    app: Flask, client: Browser, new_client: Callable[[], Browser]
) -> None:
    """WA-R26: whoever registers another's credential id would receive their sign-ins."""
    victim, thief = sign_up(client), new_client()
    options = json_of(begin_sign_up(thief, email="eve@example.org"))
    before = contents(app)

    refused = finish_sign_up(thief, new_phone(), options, credential_id=victim.credential.id)

    assert refusal(refused) == (409, "credential_already_registered")
    assert contents(app) == before
    assert json_of(sign_in(new_client(), victim.phone))["user"] == victim.user
    assert sign_up(thief, email="eve@example.org").user["id"] != victim.user["id"]


def test_credential_of_somebody_else_cannot_be_enrolled(
    app: Flask, client: Browser, new_client: Callable[[], Browser]
) -> None:
    """WA-R26."""
    victim, thief = sign_up(client), sign_up(new_client(), email="eve@example.org")
    before = contents(app)

    refused = enrol(thief.client, new_phone(), credential_id=victim.credential.id)

    assert refusal(refused) == (409, "credential_already_registered")
    assert contents(app) == before
    assert enrol(thief.client, new_phone()).status_code == 201


def test_credential_that_was_removed_may_come_back_and_be_removed_again(client: Browser) -> None:
    sign_up(client)

    for _ in range(2):
        phone = new_phone()
        returned = enrol(client, phone, credential_id=b"the same one each time")
        assert returned.status_code == 201
        assert sign_in(client, phone).status_code == 200
        path = f"/api/auth/credentials/{json_of(returned)['credential']['id']}"
        assert client.delete(path).status_code == 200
        assert refusal(sign_in(client, phone)) == (401, "assertion_rejected")
