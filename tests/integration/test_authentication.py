"""Signing in: with one touch and no user name, by nobody but the passkey's owner."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import time_machine
from flask import Flask
from werkzeug.test import TestResponse

from app.models import Credential, User, UserSession
from tests.support.authenticator import BE, EDDSA, ES256, RS256, UP, UV, Authenticator, encode
from tests.support.clients import Browser
from tests.support.people import (
    add_passkey,
    is_signed_in,
    json_of,
    new_phone,
    passkeys,
    post,
    refusal,
    sign_in,
    sign_up,
)
from tests.support.tables import change, contents, count
from tests.support.variables import ORIGIN

REJECTED = (401, "assertion_rejected")
ALGORITHMS = {"EdDSA": EDDSA, "ES256": ES256, "RS256": RS256}


def test_sign_in_needs_no_user_name(client: Browser, new_client: Callable[[], Browser]) -> None:
    """WA-X5: there is no name to ask about, so nothing is told about names."""
    person, other = sign_up(client), new_client()

    assert post(other, "/api/auth/authentication/options")["allowCredentials"] == []
    signed_in = sign_in(other, person.phone)

    assert signed_in.status_code == 200
    assert json_of(signed_in)["user"] == person.user
    assert json_of(signed_in)["session"]["authenticated_with"] == "passkey"
    assert is_signed_in(other)


@pytest.mark.parametrize("algorithm", ALGORITHMS.values(), ids=ALGORITHMS)
def test_signature_of_another_key_is_refused(
    app: Flask, client: Browser, new_client: Callable[[], Browser], algorithm: int
) -> None:
    """WA-A21, CVE-2026-126952."""
    person = sign_up(client, Authenticator(origin=ORIGIN, algorithm=algorithm))
    other, before = new_client(), contents(app)

    assert refusal(sign_in(other, person.phone, signature=b"no signature of it")) == REJECTED

    assert contents(app) == before
    assert not is_signed_in(other)
    assert sign_in(other, person.phone).status_code == 200


def test_user_handle_of_another_person_is_refused(
    app: Flask, client: Browser, new_client: Callable[[], Browser]
) -> None:
    """WA-A6."""
    ada, eve = sign_up(client), sign_up(new_client(), email="eve@example.org")
    other, before = new_client(), contents(app)

    refused = sign_in(other, eve.phone, user_handle=ada.credential.user_handle)

    assert refusal(refused) == REJECTED
    assert contents(app) == before
    assert json_of(sign_in(other, eve.phone))["user"] == eve.user


def test_credential_id_of_another_person_opens_nothing(
    app: Flask, client: Browser, new_client: Callable[[], Browser]
) -> None:
    """WA-A6: the key that signs is not the key on record for the id that is claimed."""
    ada, eve = sign_up(client), sign_up(new_client(), email="eve@example.org")
    other, before = new_client(), contents(app)

    refused = sign_in(other, eve.phone, credential_id=ada.credential.id)

    assert refusal(refused) == REJECTED
    assert contents(app) == before
    assert sign_in(other, eve.phone).status_code == 200


def told(answer: TestResponse) -> tuple[int, object, list[tuple[str, str]]]:
    headers = [(name, value) for name, value in answer.headers if name != "X-Request-Id"]
    return answer.status_code, answer.get_json(), headers


def test_unknown_passkey_and_wrong_signature_get_the_same_answer(
    app: Flask, client: Browser, new_client: Callable[[], Browser]
) -> None:
    """A13, CS-3: neither status nor text nor headers tell whether a passkey is known here."""
    person, stranger = sign_up(client), new_phone()
    other = new_client()
    stranger.create(post(client, "/api/auth/credentials/options"))

    unknown = sign_in(other, stranger)
    wrong = sign_in(other, person.phone, signature=b"wrong")
    foreign = sign_in(other, person.phone, user_handle=bytes(64))
    change(app, User, disabled_at=datetime.now(UTC))
    disabled = sign_in(other, person.phone, signature=b"wrong")

    assert told(unknown) == told(wrong) == told(foreign) == told(disabled)
    assert refusal(unknown) == REJECTED
    assert "signal" not in json_of(unknown), "for a good passkey whose row is missing lives on"


def test_removed_passkey_is_answered_with_the_signal_to_forget_it(
    client: Browser, new_client: Callable[[], Browser]
) -> None:
    person, old = sign_up(client), new_phone()
    added = add_passkey(person, old)
    (credential,) = old.credentials["localhost"]
    assert sign_in(new_client(), old).status_code == 200
    assert client.delete(f"/api/auth/credentials/{added['id']}").status_code == 200

    refused = sign_in(new_client(), old)

    assert refusal(refused) == REJECTED
    assert json_of(refused)["signal"] == {
        "method": "signalUnknownCredential",
        "options": {"rpId": "localhost", "credentialId": encode(credential.id)},
    }
    assert sign_in(new_client(), person.phone).status_code == 200


def test_disabled_account_is_closed_to_its_owner(
    app: Flask, client: Browser, new_client: Callable[[], Browser]
) -> None:
    person, other = sign_up(client), new_client()
    change(app, User, disabled_at=datetime.now(UTC))
    before = contents(app)

    assert refusal(sign_in(other, person.phone)) == (403, "account_disabled")

    assert contents(app) == before
    assert not is_signed_in(other)
    assert not is_signed_in(client), "and its sessions open nothing either"
    change(app, User, disabled_at=None)
    assert sign_in(other, person.phone).status_code == 200


def test_sign_in_records_the_use_and_whether_the_passkey_is_backed_up(
    app: Flask, client: Browser, new_client: Callable[[], Browser]
) -> None:
    """WA-A24."""
    person = sign_up(client)
    assert [(one["backed_up"], one["last_used_at"]) for one in passkeys(client)] == [(True, None)]

    with time_machine.travel("2031-05-06T07:08:09Z", tick=False):
        assert sign_in(new_client(), person.phone, flags=UP | UV | BE).status_code == 200
    (passkey,) = passkeys(client)

    assert passkey["backed_up"] is False
    assert passkey["last_used_at"] == "2031-05-06T07:08:09Z"


def test_refused_sign_in_records_no_use(app: Flask, client: Browser) -> None:
    person = sign_up(client)

    assert refusal(sign_in(client, person.phone, signature=b"x", flags=UP | UV | BE)) == REJECTED

    assert [(one["backed_up"], one["last_used_at"]) for one in passkeys(client)] == [(True, None)]
    assert sign_in(client, person.phone).status_code == 200
    assert passkeys(client)[0]["last_used_at"] is not None


@pytest.mark.parametrize("body", [{}, {"credential": []}, {"credential": {}, "user_id": "x"}])
def test_body_that_is_not_what_signing_in_takes_is_refused(client: Browser, body: object) -> None:
    path = "/api/auth/authentication"

    assert refusal(client.post(path, json=body)) == (422, "invalid_body")
    assert refusal(client.post(f"{path}/options", json={"email": "x"})) == (422, "invalid_body")

    person = sign_up(client)
    assert sign_in(client, person.phone).status_code == 200


def test_passkey_is_never_used_for_an_account_that_the_request_names(
    app: Flask, client: Browser, new_client: Callable[[], Browser]
) -> None:
    """CVE-2025-61928: who signs in follows from the passkey and from nothing else."""
    sign_up(client)
    eve = sign_up(new_client(), email="eve@example.org")
    options = post(eve.client, "/api/auth/authentication/options")
    honest = {"credential": eve.phone.get(options)}
    before = count(app, UserSession, Credential)

    path = "/api/auth/authentication"
    forged = new_client().post(path, json={**honest, "email": "ada@example.org"})

    assert refusal(forged) == (422, "invalid_body")
    assert count(app, UserSession, Credential) == before
    assert json_of(eve.client.post(path, json=honest))["user"] == eve.user
