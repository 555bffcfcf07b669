"""Linking and unlinking outside accounts, and what they are worth as ways in."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from app import clock
from app.models import Identity, UserSession
from tests.conftest import Transaction
from tests.support.clients import Browser
from tests.support.outside_accounts import (
    QuietProvider,
    come_back,
    link_with,
    linked,
    provider_settings,
    refused,
    sign_in_with,
    state_in,
    switched_on,
    went_on,
)
from tests.support.people import (
    enrol,
    is_signed_in,
    json_of,
    new_phone,
    passkeys,
    refusal,
    sign_in,
    sign_up,
    step_up,
    token_of,
)

NewClient = Callable[[], Browser]


@pytest.fixture
def github(app: Flask) -> Iterator[QuietProvider]:
    provider = QuietProvider(settings=provider_settings(store_tokens=True))
    for name in ("ada", "eve", "second"):
        provider.add(name)
    with switched_on(app, provider):
        yield provider


def a_while_ago(transaction: Transaction) -> None:
    with transaction() as session:
        session.execute(
            update(UserSession).values(authenticated_at=clock.now() - timedelta(hours=1))
        )


def reauthenticate(client: Browser, code: str = "ada") -> TestResponse:
    begun = client.post("/api/oauth/github/reauthenticate", json={})
    assert begun.status_code == 200, begun.text
    return come_back(client, state_in(json_of(begun)["location"]), code=code)


def test_a_linked_account_opens_the_account(
    client: Browser, new_client: NewClient, github: QuietProvider
) -> None:
    person = sign_up(client)
    assert went_on(link_with(client))
    assert json_of(client.get("/api/auth/session"))["session"]["authenticated_with"] == "passkey"
    other = new_client()

    assert went_on(sign_in_with(other))

    assert json_of(other.get("/api/auth/session"))["user"]["id"] == person.user["id"]


def test_linking_what_is_linked_already_changes_nothing(
    client: Browser, github: QuietProvider
) -> None:
    sign_up(client)
    link_with(client)
    before = linked(client)

    assert went_on(link_with(client))

    assert [one["id"] for one in linked(client)] == [one["id"] for one in before]


def test_an_account_that_opens_somebody_elses_is_not_linked(
    client: Browser, new_client: NewClient, github: QuietProvider
) -> None:
    """F14, CVE-2026-105207; ends in a 409 page."""
    sign_up(client)
    link_with(client, "eve")
    other = new_client()
    sign_up(other, email="bob@example.org")

    answer = link_with(other, "eve")

    assert refused(answer) == "identity_already_linked"
    page = other.get(answer.headers["Location"])
    assert (page.status_code, page.mimetype) == (409, "text/html")
    assert "linked to somebody else" in page.text
    assert linked(other) == []
    assert went_on(link_with(other, "second"))


def test_linking_proves_the_own_address_and_no_other(
    client: Browser, github: QuietProvider
) -> None:
    """OC-12, GHSA-xhpr-465j-7p9q."""
    sign_up(client, email="ada@example.org")
    github.add("other", email="elsewhere@example.org", email_verified=True)
    github.add("same", email="ADA@example.org", email_verified=True)

    link_with(client, "other")
    assert not json_of(client.get("/api/auth/session"))["user"]["email_verified"]
    link_with(client, "same")

    user = json_of(client.get("/api/auth/session"))["user"]
    assert (user["email"], user["email_verified"]) == ("ada@example.org", True)


def test_a_person_links_no_more_than_twenty(client: Browser, github: QuietProvider) -> None:
    sign_up(client)
    for number in range(20):
        github.add(f"n{number}")
        assert went_on(link_with(client, f"n{number}"))
    github.add("one more")

    assert refused(link_with(client, "one more")) == "too_many_identities"
    (first, *_) = linked(client)
    assert client.delete(f"/api/oauth/accounts/{first['id']}").status_code == 204
    assert went_on(link_with(client, "one more"))


def test_unlinking_asks_the_provider_to_revoke_its_tokens(
    client: Browser, github: QuietProvider
) -> None:
    """OA-8."""
    sign_up(client)
    link_with(client)
    (told,) = linked(client)

    assert client.delete(f"/api/oauth/accounts/{told['id']}").status_code == 204

    assert linked(client) == []
    assert sorted(github.revoked) == ["access-ada", "refresh-ada"]


def test_unlinking_does_not_depend_on_the_provider(client: Browser, github: QuietProvider) -> None:
    sign_up(client)
    link_with(client)
    (told,) = linked(client)
    github.is_away = True

    assert client.delete(f"/api/oauth/accounts/{told['id']}").status_code == 204
    assert linked(client) == []


def test_somebody_elses_linked_account_is_not_found(
    client: Browser, new_client: NewClient, github: QuietProvider
) -> None:
    """ASVS 8.2.2, CVE-2025-71400."""
    sign_up(client)
    link_with(client)
    (told,) = linked(client)
    other = new_client()
    sign_up(other, email="eve@example.org")

    assert refusal(other.delete(f"/api/oauth/accounts/{told['id']}")) == (404, "not_found")
    assert linked(other) == []
    assert client.delete(f"/api/oauth/accounts/{told['id']}").status_code == 204


def test_the_last_way_in_is_not_unlinked(
    client: Browser, new_client: NewClient, github: QuietProvider
) -> None:
    """F16."""
    sign_in_with(client)
    (told,) = linked(client)
    path = f"/api/oauth/accounts/{told['id']}"

    assert refusal(client.delete(path)) == (409, "last_way_in")
    phone = new_phone()
    assert enrol(client, phone).status_code == 201
    assert step_up(client, phone).status_code == 200
    assert client.delete(path).status_code == 204
    assert sign_in(new_client(), phone).status_code == 200


def test_a_provider_that_is_switched_off_is_no_way_in(
    app: Flask, client: Browser, github: QuietProvider
) -> None:
    """The last passkey may go while the provider is switched on, and not while it is off."""
    sign_up(client)
    link_with(client)
    (passkey,) = passkeys(client)
    path = f"/api/auth/credentials/{passkey['id']}"

    with switched_on(app):
        assert refusal(client.delete(path)) == (409, "last_way_in")
        (told,) = linked(client)
        assert told["label"] == "Github"
    assert client.delete(path).status_code == 200


def test_a_person_without_a_passkey_steps_up_at_the_provider(
    client: Browser, github: QuietProvider, transaction: Transaction
) -> None:
    """ASVS 7.5.1, 7.2.4, GHSA-97r5-pg8x-p63p."""
    sign_in_with(client)
    a_while_ago(transaction)
    assert refusal(client.post("/api/auth/recovery-codes", json={})) == (403, "step_up_required")
    before = token_of(client)

    assert went_on(reauthenticate(client), "/account?confirmed=github")

    assert github.asked[-1]["reauthenticates"] is True
    assert token_of(client) != before
    assert client.post("/api/auth/recovery-codes", json={}).status_code == 201


@pytest.mark.parametrize("code", ["eve", "second"])
def test_a_step_up_by_another_account_is_refused(
    client: Browser,
    new_client: NewClient,
    github: QuietProvider,
    transaction: Transaction,
    code: str,
) -> None:
    """GHSA-97r5-pg8x-p63p: an unknown account, and one that is somebody else's."""
    sign_in_with(new_client(), "eve")
    sign_in_with(client)
    a_while_ago(transaction)

    assert refused(reauthenticate(client, code)) == "wrong_identity"

    assert client.post("/api/auth/recovery-codes", json={}).status_code == 403
    assert went_on(reauthenticate(client), "/account?confirmed=github")


def test_a_step_up_that_the_provider_did_not_ask_for_anew_is_refused(
    client: Browser, github: QuietProvider, transaction: Transaction
) -> None:
    """ASVS 6.8.4, OC-9."""
    github.add("ada", authenticated_at=clock.now() - timedelta(minutes=5))
    sign_in_with(client)
    a_while_ago(transaction)

    assert refused(reauthenticate(client)) == "reauthentication_stale"
    github.add("ada", authenticated_at=clock.now())
    assert went_on(reauthenticate(client), "/account?confirmed=github")


def test_a_provider_that_does_not_say_when_it_asked_is_told_to_be_weaker(
    client: Browser, github: QuietProvider, transaction: Transaction
) -> None:
    github.add("ada", authenticated_at=clock.now())
    sign_in_with(client)
    assert "does not say when it last asked" not in client.get("/account").text
    github.add("ada")
    reauthenticate(client)

    assert "does not say when it last asked" in client.get("/account").text
    with transaction() as look:
        assert look.scalars(select(UserSession.auth_time)).one() is None


def test_whoever_has_a_passkey_confirms_with_it(
    client: Browser, new_client: NewClient, github: QuietProvider, transaction: Transaction
) -> None:
    """ASVS 6.3.4: linking an account makes nothing weaker that a passkey protects."""
    person = sign_up(client)
    link_with(client)
    other = new_client()
    sign_in_with(other)

    assert refusal(other.post("/api/oauth/github/reauthenticate", json={})) == (
        403,
        "passkey_required",
    )
    for method, path in [("POST", "/api/auth/recovery-codes"), ("DELETE", "/api/auth/sessions")]:
        answer = other.open(path, method=method, json={})
        assert refusal(answer) == (403, "step_up_required")
    assert step_up(other, person.phone).status_code == 200
    assert other.post("/api/auth/recovery-codes", json={}).status_code == 201


def test_a_step_up_under_way_is_refused_once_there_is_a_passkey(
    client: Browser, github: QuietProvider
) -> None:
    sign_in_with(client)
    begun = client.post("/api/oauth/github/reauthenticate", json={})
    enrol(client, new_phone())

    answer = come_back(client, state_in(json_of(begun)["location"]), code="ada")

    assert refused(answer) == "passkey_required"
    assert is_signed_in(client)


def test_nobody_steps_up_at_a_provider_where_they_linked_nothing(
    client: Browser, github: QuietProvider
) -> None:
    sign_up(client)
    path = "/api/oauth/github/reauthenticate"
    assert refusal(client.post(path, json={})) == (404, "not_found")
    assert refusal(client.post("/api/oauth/none/link", json={})) == (404, "not_found")


def test_a_disabled_person_does_not_step_up(
    client: Browser, github: QuietProvider, transaction: Transaction
) -> None:
    sign_in_with(client)
    state = state_in(json_of(client.post("/api/oauth/github/reauthenticate", json={}))["location"])
    with transaction() as session:
        session.execute(update(UserSession).values(expires_at=clock.now()))

    assert refused(come_back(client, state, code="ada")) == "authorization_request_unusable"


def test_tokens_are_kept_only_where_the_operator_wants_them(
    app: Flask, client: Browser, transaction: Transaction
) -> None:
    """ASVS 10.1.1."""
    keeps = QuietProvider(settings=provider_settings(store_tokens=True))
    keeps.add("ada")
    with switched_on(app, keeps):
        sign_in_with(client)
    with transaction() as look:
        sealed = look.scalars(select(Identity.access_token)).one()
        assert sealed is not None
        assert sealed.startswith("v1.")
        assert "access-ada" not in sealed
    forgets = QuietProvider(settings=provider_settings())
    forgets.add("ada")
    with switched_on(app, forgets):
        sign_in_with(client)
    with transaction() as look:
        row = look.scalars(select(Identity)).one()
        assert (row.access_token, row.refresh_token) == (None, None)


def test_a_sign_in_that_the_provider_let_through_is_no_step_up(
    client: Browser, github: QuietProvider, transaction: Transaction
) -> None:
    """ASVS 6.8.4: where it tells that it asked long ago, that is when the person authenticated."""
    github.add("ada", authenticated_at=clock.now() - timedelta(days=20))
    sign_in_with(client)

    refused_codes = client.post("/api/auth/recovery-codes", json={})
    assert refusal(refused_codes) == (403, "step_up_required")
    github.add("ada", authenticated_at=clock.now())
    assert went_on(reauthenticate(client), "/account?confirmed=github")
    assert client.post("/api/auth/recovery-codes", json={}).status_code == 201


def test_a_link_is_not_finished_once_a_passkey_is_what_it_takes(
    client: Browser, new_client: NewClient, github: QuietProvider
) -> None:
    """CVE-2026-105207: a link that was begun before is as weak as it was."""
    sign_in_with(client)
    thief = new_client()
    sign_in_with(thief)
    begun = thief.post("/api/oauth/github/link", json={})
    phone = new_phone()
    assert enrol(client, phone).status_code == 201

    answer = come_back(thief, state_in(json_of(begun)["location"]), code="eve")

    assert refused(answer) == "step_up_required"
    assert thief.get(answer.headers["Location"]).status_code == 403
    assert len(linked(client)) == 1
    assert step_up(client, phone).status_code == 200
    assert went_on(link_with(client, "eve"))


def test_unlinking_ends_the_sessions_that_the_account_opened(
    client: Browser, new_client: NewClient, github: QuietProvider
) -> None:
    """ASVS 7.4.3: whoever got in through it is out, and can change nothing on the way."""
    sign_in_with(client)
    link_with(client, "second")
    thief, friend = new_client(), new_client()
    sign_in_with(thief)
    sign_in_with(friend, "second")
    (first, second) = linked(client)

    assert client.delete(f"/api/oauth/accounts/{first['id']}").status_code == 204

    assert [is_signed_in(one) for one in (client, thief, friend)] == [True, False, True]
    # This session was opened by what is gone now, so it vouches for nothing any more.
    assert refusal(client.delete(f"/api/oauth/accounts/{second['id']}")) == (
        403,
        "step_up_required",
    )


def test_a_provider_that_is_switched_off_vouches_for_nobody(
    app: Flask, client: Browser, github: QuietProvider
) -> None:
    """CVE-2026-1486."""
    sign_in_with(client)
    with switched_on(app):
        assert client.post("/api/auth/recovery-codes", json={}).status_code == 403
    assert client.post("/api/auth/recovery-codes", json={}).status_code == 201


def test_another_spelling_proves_nothing(client: Browser, github: QuietProvider) -> None:
    """A7: what is one address to us may be two mailboxes."""
    sign_up(client, email="strasse@example.org")
    github.add("odd", email="stra\xdfe@example.org", email_verified=True)
    github.add("own", email="Strasse@example.org", email_verified=True)

    assert went_on(link_with(client, "odd"))
    assert not json_of(client.get("/api/auth/session"))["user"]["email_verified"]
    assert went_on(link_with(client, "own"))
    assert json_of(client.get("/api/auth/session"))["user"]["email_verified"]
