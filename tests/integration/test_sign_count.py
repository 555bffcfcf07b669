"""Sign counts (WebAuthn §7.2 step 22): synced passkeys are believed, copies are caught."""

from collections.abc import Callable
from copy import deepcopy
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import delete, select

from app.errors import AssertionRejected
from app.models import Credential
from app.relying_party import VerifiedAssertion
from app.services import credentials
from tests.conftest import Transaction
from tests.support.authenticator import DEVICE_BOUND, SYNCED, Authenticator
from tests.support.clients import Browser
from tests.support.crowds import at_once
from tests.support.people import (
    Person,
    add_passkey,
    is_signed_in,
    json_of,
    passkeys,
    refusal,
    sign_in,
    sign_up,
    step_up,
)
from tests.support.tables import contents
from tests.support.variables import ORIGIN

REJECTED = (401, "assertion_rejected")


def security_key() -> Authenticator:
    """Make an authenticator whose passkeys never leave it, and which counts their uses."""
    return Authenticator(origin=ORIGIN, flags=DEVICE_BOUND, counting=True)


@pytest.fixture
def owner(client: Browser) -> Person:
    """Give somebody whose only passkey is on a security key."""
    return sign_up(client, security_key())


@pytest.fixture
def careful_owner(owner: Person) -> Person:
    """Give the same with a spare passkey."""
    add_passkey(owner)
    return owner


def stored_counts(transaction: Transaction) -> list[int]:
    with transaction() as session:
        return list(session.scalars(select(Credential.sign_count).order_by(Credential.id)))


@pytest.mark.parametrize(
    ("phone", "counts"),
    [
        pytest.param(Authenticator(origin=ORIGIN, flags=SYNCED), (7, 3, 0, 5), id="synced"),
        pytest.param(Authenticator(origin=ORIGIN, flags=DEVICE_BOUND), (0, 0), id="never counts"),
        pytest.param(Authenticator(origin=ORIGIN, flags=DEVICE_BOUND), (1, 9), id="advances"),
    ],
)
def test_count_is_recorded_where_it_proves_nothing_bad(
    transaction: Transaction, client: Browser, phone: Authenticator, counts: tuple[int, ...]
) -> None:
    person = sign_up(client, deepcopy(phone))

    for sign_count in counts:
        assert sign_in(client, person.phone, sign_count=sign_count).status_code == 200
        assert stored_counts(transaction) == [sign_count]

    assert passkeys(client)[0]["clone_suspected_at"] is None


@pytest.mark.parametrize("sign_count", [0, 4, 5], ids=["zero", "behind", "same"])
def test_count_of_a_device_that_does_not_advance_is_refused(
    transaction: Transaction, client: Browser, sign_count: int
) -> None:
    person = sign_up(client, security_key())
    assert sign_in(client, person.phone, sign_count=5).status_code == 200

    assert refusal(sign_in(client, person.phone, sign_count=sign_count)) == REJECTED

    assert stored_counts(transaction) == [5]
    assert sign_in(client, person.phone, sign_count=6).status_code == 200


def test_copy_of_a_passkey_is_quarantined_and_its_owner_sees_it(
    careful_owner: Person, new_client: Callable[[], Browser]
) -> None:
    """The copy signed in first; the owner's own next use betrays it."""
    copy, thief, witness = deepcopy(careful_owner.phone), new_client(), new_client()
    assert sign_in(thief, copy).status_code == 200
    spare = careful_owner.client

    assert refusal(sign_in(witness, careful_owner.phone)) == REJECTED

    assert not is_signed_in(thief), "its sessions are over"
    assert not is_signed_in(spare), "the owner's own were opened by it as well"
    assert refusal(sign_in(thief, copy)) == REJECTED
    assert refusal(sign_in(witness, careful_owner.phone)) == REJECTED


def test_quarantine_leaves_the_sessions_of_other_passkeys_alone(
    client: Browser, new_client: Callable[[], Browser]
) -> None:
    owner, phone = sign_up(client, security_key()), Authenticator(origin=ORIGIN)
    spare = add_passkey(owner, phone)
    other = new_client()
    assert sign_in(other, phone).status_code == 200
    assert refusal(sign_in(new_client(), owner.phone, sign_count=1)) == REJECTED

    listed = {one["id"] == spare["id"]: one for one in passkeys(other)}

    assert listed[True]["quarantined_at"] is listed[True]["clone_suspected_at"] is None
    assert listed[False]["quarantined_at"] == listed[False]["clone_suspected_at"]
    assert listed[False]["quarantined_at"] is not None


def test_quarantined_passkey_is_refused_even_when_its_count_advances(
    app: Flask, careful_owner: Person, new_client: Callable[[], Browser]
) -> None:
    assert refusal(sign_in(new_client(), careful_owner.phone, sign_count=1)) == REJECTED
    before = contents(app)

    refused = sign_in(new_client(), careful_owner.phone, sign_count=100)

    assert refusal(refused) == REJECTED
    assert json_of(refused)["detail"].startswith("That passkey was blocked")
    assert contents(app) == before
    unproved = sign_in(new_client(), careful_owner.phone, sign_count=100, signature=b"x")
    assert "blocked" not in json_of(unproved)["detail"], "only its holder is told"


def test_quarantined_passkey_is_no_step_up_either(
    client: Browser, new_client: Callable[[], Browser]
) -> None:
    owner, phone = sign_up(client, security_key()), Authenticator(origin=ORIGIN)
    add_passkey(owner, phone)
    assert sign_in(client, phone).status_code == 200
    assert refusal(sign_in(new_client(), owner.phone, sign_count=1)) == REJECTED

    options = json_of(client.post("/api/auth/reauthentication/options", json={}))
    refused = step_up(client, owner.phone, credential=owner.credential, sign_count=100)

    assert len(options["allowCredentials"]) == 1
    assert refusal(refused) == REJECTED
    assert step_up(client, phone).status_code == 200


def test_copy_found_at_step_up_is_quarantined_as_well(careful_owner: Person) -> None:
    refused = step_up(
        careful_owner.client, careful_owner.phone, credential=careful_owner.credential, sign_count=1
    )

    assert refusal(refused) == REJECTED
    assert not is_signed_in(careful_owner.client)


def test_only_passkey_is_suspected_but_locks_nobody_out(
    owner: Person, new_client: Callable[[], Browser]
) -> None:
    assert refusal(sign_in(new_client(), owner.phone, sign_count=1)) == REJECTED

    (passkey,) = passkeys(owner.client)
    assert passkey["clone_suspected_at"] is not None
    assert passkey["quarantined_at"] is None
    assert sign_in(new_client(), owner.phone, sign_count=50).status_code == 200
    assert passkeys(owner.client)[0]["clone_suspected_at"] == passkey["clone_suspected_at"]


def test_same_count_at_once_signs_in_at_most_once(
    app: Flask, owner: Person, new_client: Callable[[], Browser]
) -> None:
    """WA-A22: a copy used in the same second as the original."""
    browsers = [new_client() for _ in range(4)]

    answers = at_once([partial(sign_in, one, owner.phone, sign_count=9) for one in browsers])

    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401]
    assert [is_signed_in(one) for one in browsers].count(True) == 1
    assert passkeys(owner.client)[0]["clone_suspected_at"] is not None


@pytest.mark.parametrize("phone", [Authenticator(origin=ORIGIN), security_key()])
def test_passkey_that_was_removed_during_its_sign_in_is_refused(
    transaction: Transaction, client: Browser, phone: Authenticator
) -> None:
    """A removal that comes between the look-up and the record of the use."""
    sign_up(client, deepcopy(phone))
    assertion = VerifiedAssertion(sign_count=9, backed_up=False)

    with transaction() as session:
        found = session.scalars(select(Credential)).one()
        session.execute(delete(Credential), execution_options={"synchronize_session": False})
        with pytest.raises(AssertionRejected):
            credentials.record_use(session, credential=found, assertion=assertion, issuers=())
