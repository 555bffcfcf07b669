"""My passkeys: listed, added, renamed and removed by me alone, never down to none."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import update

from app.models import Credential, Identity
from tests.conftest import Transaction
from tests.support.authenticator import Json, encode
from tests.support.clients import Browser
from tests.support.outside_accounts import QuietProvider, provider_settings, switched_on
from tests.support.people import (
    Person,
    add_passkey,
    json_of,
    new_phone,
    passkeys,
    refusal,
    sign_in,
    sign_up,
)
from tests.support.tables import contents

LIST = "/api/auth/credentials"
NOT_FOUND, LAST = (404, "not_found"), (409, "last_way_in")


@pytest.fixture
def person(client: Browser) -> Person:
    return sign_up(client)


@pytest.fixture
def other(new_client: Callable[[], Browser]) -> Person:
    return sign_up(new_client(), email="eve@example.org")


def path_of(person: Person, at: int = 0) -> str:
    return f"{LIST}/{passkeys(person.client)[at]['id']}"


def test_passkeys_are_listed_in_the_order_in_which_they_came(person: Person, other: Person) -> None:
    """ASVS 15.3.1: these members and no others."""
    add_passkey(person, name="Second")
    add_passkey(person, name="Third")

    listed = passkeys(person.client)

    assert [one["name"] for one in listed] == ["Passkey", "Second", "Third"]
    assert listed[0] | {"id": "", "created_at": ""} == {
        "id": "",
        "name": "Passkey",
        "created_at": "",
        "last_used_at": None,
        "backed_up": True,
        "transports": ["hybrid", "internal"],
        "quarantined_at": None,
        "clone_suspected_at": None,
    }


def test_list_comes_in_pages(person: Person) -> None:
    everything = [passkeys(person.client)[0]]
    everything += [add_passkey(person, name=f"Spare {number}") for number in range(4)]

    pages: list[list[Json]] = []
    after = ""
    while len(pages) < 9:
        page = json_of(person.client.get(f"{LIST}?limit=2{after}"))
        pages.append(page["items"])
        if page["next"] is None:
            break
        after = f"&after={page['next']}"

    assert [len(page) for page in pages] == [2, 2, 1]
    assert [one for page in pages for one in page] == everything


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "after=x", "limit=1&limit=2", "offset=1"]
)
def test_query_that_is_not_what_a_list_takes_is_refused(person: Person, query: str) -> None:
    assert refusal(person.client.get(f"{LIST}?{query}")) == (422, "invalid_body")

    assert person.client.get(f"{LIST}?limit=100").status_code == 200


def test_passkey_is_renamed(person: Person) -> None:
    changed = person.client.patch(path_of(person), json={"name": " Blue  key "})

    assert changed.status_code == 200
    assert json_of(changed)["credential"] == passkeys(person.client)[0]
    assert passkeys(person.client)[0]["name"] == "Blue  key"
    assert [signal["method"] for signal in json_of(changed)["signals"]] == [
        "signalAllAcceptedCredentials"
    ]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({}, id="no name"),
        pytest.param({"name": ""}, id="empty"),
        pytest.param({"name": "x" * 101}, id="too long"),
        *(
            pytest.param({"name": "Mine", member: 0}, id=f"A18 {member}")
            for member in ("sign_count", "quarantined_at", "user_id", "credential_id", "public_key")
        ),
    ],
)
def test_body_that_is_not_what_renaming_takes_is_refused(
    app: Flask, person: Person, body: dict[str, object]
) -> None:
    path, before = path_of(person), contents(app)

    assert refusal(person.client.patch(path, json=body)) == (422, "invalid_body")

    assert contents(app) == before
    assert person.client.patch(path, json={"name": "Mine"}).status_code == 200


def test_removed_passkey_is_gone_and_the_password_manager_is_told(
    person: Person, new_client: Callable[[], Browser]
) -> None:
    """ASVS 6.5.6."""
    spare = new_phone()
    add_passkey(person, spare)

    removed = person.client.delete(path_of(person, 1))

    assert json_of(removed) == {
        "signals": [
            {
                "method": "signalAllAcceptedCredentials",
                "options": {
                    "rpId": "localhost",
                    "userId": encode(person.credential.user_handle),
                    "allAcceptedCredentialIds": [encode(person.credential.id)],
                },
            }
        ]
    }
    assert len(passkeys(person.client)) == 1
    assert refusal(sign_in(new_client(), spare)) == (401, "assertion_rejected")
    assert sign_in(new_client(), person.phone).status_code == 200


def test_last_passkey_stays(app: Flask, person: Person) -> None:
    path, before = path_of(person), contents(app)

    assert refusal(person.client.delete(path)) == LAST

    assert contents(app) == before
    add_passkey(person)
    assert person.client.delete(path).status_code == 200


def test_quarantined_passkey_is_no_way_in(
    app: Flask, person: Person, transaction: Transaction
) -> None:
    """But it may be removed itself."""
    spare = add_passkey(person)
    with transaction() as session:
        session.execute(
            update(Credential)
            .where(Credential.id == spare["id"])
            .values(quarantined_at=datetime.now(UTC))
        )
    path, before = path_of(person), contents(app)

    assert refusal(person.client.delete(path)) == LAST

    assert contents(app) == before
    assert person.client.delete(f"{LIST}/{spare['id']}").status_code == 200


def test_linked_identity_is_a_way_in(app: Flask, person: Person, transaction: Transaction) -> None:
    assert refusal(person.client.delete(path_of(person))) == LAST
    with transaction() as session:
        session.add(
            Identity(
                user_id=person.user["id"],
                provider="github",
                issuer="https://github.example",
                provider_id="1",
            )
        )

    with switched_on(app, QuietProvider(settings=provider_settings())):
        assert person.client.delete(path_of(person)).status_code == 200


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_passkey_of_somebody_else_is_not_found(
    app: Flask, person: Person, other: Person, method: str
) -> None:
    """ASVS 8.2.2, CVE-2025-71400: to name an id is not to own it."""
    add_passkey(person)
    add_passkey(other)
    theirs, mine = path_of(other), path_of(person)
    body = {"name": "Body"} if method == "PATCH" else None
    before = contents(app)

    assert refusal(person.client.open(theirs, method=method, json=body)) == NOT_FOUND

    assert contents(app) == before
    assert person.client.open(mine, method=method, json=body).status_code == 200


def test_last_passkey_cannot_be_removed_by_naming_somebody_elses(
    app: Flask, person: Person, other: Person
) -> None:
    before = contents(app)

    assert refusal(person.client.delete(path_of(other))) == NOT_FOUND

    assert contents(app) == before
    assert refusal(person.client.delete(path_of(person))) == LAST


def test_nobody_reaches_passkeys_without_a_session(
    app: Flask, person: Person, new_client: Callable[[], Browser]
) -> None:
    path, stranger, before = path_of(person), new_client(), contents(app)

    for method, where in (("GET", LIST), ("PATCH", path), ("DELETE", path), ("POST", LIST)):
        assert refusal(stranger.open(where, method=method)) == (401, "not_signed_in")

    assert contents(app) == before
    assert person.client.get(LIST).status_code == 200
