"""Linking and unlinking outside accounts, and what they are worth as ways in."""

from collections.abc import Callable

from flask import Flask
from sqlalchemy import select

from app.models import Identity
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
)

NewClient = Callable[[], Browser]


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


def test_another_spelling_proves_nothing(client: Browser, github: QuietProvider) -> None:
    """A7: what is one address to us may be two mailboxes."""
    sign_up(client, email="strasse@example.org")
    github.add("odd", email="stra\xdfe@example.org", email_verified=True)
    github.add("own", email="Strasse@example.org", email_verified=True)

    assert went_on(link_with(client, "odd"))
    assert not json_of(client.get("/api/auth/session"))["user"]["email_verified"]
    assert went_on(link_with(client, "own"))
    assert json_of(client.get("/api/auth/session"))["user"]["email_verified"]
