"""Signing in with an outside account: whose account it is, and who gets a new one."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from app import clock
from app.config import Registration
from app.models import Identity, Invitation, User, UserSession
from app.services.tokens import hash_secret
from tests.conftest import Transaction
from tests.support.clients import Browser
from tests.support.outside_accounts import (
    QuietProvider,
    begin,
    come_back,
    linked,
    provider_settings,
    refused,
    sign_in_with,
    state_in,
    switched_on,
    went_on,
)
from tests.support.people import ADDRESS, is_signed_in, json_of, passkeys, sign_in, sign_up

NewClient = Callable[[], Browser]


@pytest.fixture
def github(app: Flask) -> Iterator[QuietProvider]:
    provider = QuietProvider(settings=provider_settings())
    with switched_on(app, provider):
        yield provider


def me(client: Browser) -> dict[str, object]:
    user: dict[str, object] = json_of(client.get("/api/auth/session"))["user"]
    return user


def test_a_first_sign_in_creates_the_account_with_profile_and_identity(
    client: Browser, github: QuietProvider, transaction: Transaction
) -> None:
    """ASVS 6.8.1, OC-11, DB-17."""
    github.add("ada", name="Ada Lovelace", email="Ada@Example.org", email_verified=True)

    assert went_on(sign_in_with(client))

    assert me(client)["name"] == "Ada Lovelace"
    assert (me(client)["email"], me(client)["email_verified"]) == ("Ada@example.org", True)
    session = json_of(client.get("/api/auth/session"))["session"]
    assert session["authenticated_with"] == "oauth:github"
    (told,) = linked(client)
    assert (told["label"], told["name"], told["email"]) == (
        "GitHub",
        "Ada Lovelace",
        "Ada@Example.org",
    )
    with transaction() as look:
        assert look.scalar(select(Identity.issuer)) == "https://github.example"


def test_the_same_identity_opens_the_same_account_from_anywhere(
    client: Browser, new_client: NewClient, github: QuietProvider
) -> None:
    github.add("ada", email=ADDRESS, email_verified=True)
    sign_in_with(client)
    github.add("ada", email="elsewhere@example.org", email_verified=True, name="Countess")
    other = new_client()

    assert went_on(sign_in_with(other))

    assert me(other) == me(client)
    assert me(other)["email"] == ADDRESS
    (told,) = linked(other)
    assert told["name"] == "Countess"


@pytest.mark.parametrize(
    "subject", ["Subject-ada", "subject-ada ", "\u017fubject-ada", "subject-ad\xe1"]
)
def test_a_subject_is_compared_byte_for_byte(
    client: Browser, new_client: NewClient, github: QuietProvider, subject: str
) -> None:
    """CVE-2024-32879."""
    github.add("ada")
    github.add("other", subject=subject)
    sign_in_with(client)
    other = new_client()

    assert went_on(sign_in_with(other, "other"))

    assert me(other)["id"] != me(client)["id"]


def test_one_subject_at_two_issuers_is_two_people(
    app: Flask, client: Browser, new_client: NewClient
) -> None:
    """ASVS 6.8.1, CVE-2026-73419."""
    github = QuietProvider(settings=provider_settings())
    other = QuietProvider(settings=provider_settings("company"))
    github.add("ada")
    other.add("ada")
    second = new_client()

    with switched_on(app, github, other):
        sign_in_with(client)
        assert went_on(sign_in_with(second, provider="company"))
        assert me(client)["id"] != me(second)["id"]


def test_an_address_that_is_proved_for_somebody_merges_nothing(
    client: Browser, new_client: NewClient, github: QuietProvider, transaction: Transaction
) -> None:
    """CVE-2025-61783, A19."""
    github.add("ada", email=ADDRESS, email_verified=True)
    github.add("eve", email=ADDRESS, email_verified=True)
    github.add("own", email="own@example.org", email_verified=True)
    sign_in_with(client)
    other = new_client()

    assert refused(sign_in_with(other, "eve")) == "account_exists"

    assert not is_signed_in(other)
    assert len(linked(client)) == 1
    with transaction() as look:
        assert look.scalar(select(func.count()).select_from(User)) == 1
    assert went_on(sign_in_with(other, "own"))


def test_an_address_that_was_never_proved_moves_to_whoever_proves_it(
    client: Browser, new_client: NewClient, github: QuietProvider
) -> None:
    """A19: the squatter keeps passkeys and sessions, loses the address, and is told."""
    squatter = sign_up(client, email=ADDRESS)
    github.add("ada", email=ADDRESS.upper(), email_verified=True)
    owner = new_client()

    assert went_on(sign_in_with(owner))

    assert (me(owner)["email_verified"], me(owner)["id"] != squatter.user["id"]) == (True, True)
    assert me(client)["email"] is None
    assert len(passkeys(client)) == 1
    assert len(passkeys(owner)) == 0
    later = new_client()
    assert sign_in(later, squatter.phone).status_code == 200
    assert "no longer has an email address" in later.get("/account").text
    assert "no longer has an email address" not in owner.get("/account").text


@pytest.mark.parametrize("told", [{"email": ADDRESS}, {"email": ADDRESS, "email_verified": False}])
def test_an_address_that_the_provider_does_not_prove_is_not_taken(
    client: Browser, new_client: NewClient, github: QuietProvider, told: dict[str, object]
) -> None:
    """OC-12, CVE-2025-61783, A19."""
    victim = sign_up(client, email=ADDRESS)
    github.add("eve", **told)
    other = new_client()

    assert went_on(sign_in_with(other, "eve"))

    assert me(other)["email"] is None
    assert me(client) == victim.user


@pytest.mark.parametrize(
    "email", ["a@x.example,b@y.example", "\uff41da\uff20example.org", "no address", "x" * 300]
)
def test_an_address_that_cannot_be_one_is_left_out(
    client: Browser, github: QuietProvider, email: str
) -> None:
    """CVE-2026-73420, CVE-2022-35924."""
    github.add("ada", email=email, email_verified=True)

    assert went_on(sign_in_with(client))

    assert me(client)["email"] is None


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"name": " Ada \n Lovelace\u202e"}, "Ada Lovelace"),
        ({"name": None, "username": "ada"}, "ada"),
        ({"name": "\x00\ud800", "email": "countess@example.org"}, "countess"),
        ({"name": None}, "GitHub user"),
        ({"name": "A" * 5000}, "A" * 100),
    ],
)
def test_a_new_account_gets_a_name_that_can_be_shown(
    client: Browser, github: QuietProvider, claims: dict[str, object], name: str
) -> None:
    github.add("ada", **claims)

    assert went_on(sign_in_with(client))

    assert me(client)["name"] == name


def invite(transaction: Transaction, address: str, **changes: object) -> None:
    values = {"role": "user", "expires_at": clock.now() + timedelta(hours=1)} | changes
    with transaction() as session:
        session.add(
            Invitation(token_hash=hash_secret(address), email_canonical=address, **values)  # type: ignore[arg-type]
        )


def test_by_invitation_only_the_owner_of_an_invited_address_gets_an_account(
    app: Flask, client: Browser, transaction: Transaction
) -> None:
    provider = QuietProvider(settings=provider_settings())
    provider.add("ada", email=ADDRESS, email_verified=True)
    provider.add("unproved", email=ADDRESS)
    invite(transaction, ADDRESS, role="admin", groups=["teachers"])

    with switched_on(app, provider, registration=Registration.INVITE):
        assert refused(sign_in_with(client, "unproved")) == "registration_by_invitation"
        assert went_on(sign_in_with(client))
        assert me(client)["role"] == "admin"

    with transaction() as look:
        assert look.scalar(select(User.groups)) == ["teachers"]
        assert look.scalar(select(Invitation.token_hash)) is None


def test_an_invitation_that_has_expired_gives_no_leave(
    app: Flask, client: Browser, transaction: Transaction
) -> None:
    provider = QuietProvider(settings=provider_settings())
    provider.add("ada", email=ADDRESS, email_verified=True)
    invite(transaction, ADDRESS, expires_at=clock.now() - timedelta(seconds=1))

    with switched_on(app, provider, registration=Registration.INVITE):
        assert refused(sign_in_with(client)) == "registration_by_invitation"


def test_where_registration_is_closed_only_known_identities_come_in(
    app: Flask, client: Browser, new_client: NewClient
) -> None:
    provider = QuietProvider(settings=provider_settings())
    provider.add("ada")
    provider.add("new")
    with switched_on(app, provider):
        sign_in_with(client)

    with switched_on(app, provider, registration=Registration.CLOSED):
        assert refused(sign_in_with(new_client(), "new")) == "registration_closed"
        assert went_on(sign_in_with(new_client()))


def test_a_disabled_account_stays_closed(
    client: Browser, new_client: NewClient, github: QuietProvider, transaction: Transaction
) -> None:
    """CVE-2025-65430, ASVS 7.4.2."""
    github.add("ada")
    github.add("bob")
    sign_in_with(client)
    with transaction() as session:
        session.execute(update(User).values(disabled_at=clock.now()))
    other = new_client()

    assert refused(sign_in_with(other)) == "account_disabled"
    assert not is_signed_in(other)
    assert went_on(sign_in_with(other, "bob"))


def test_nobody_comes_out_of_a_sign_in_with_the_session_they_went_in_with(
    client: Browser, github: QuietProvider, transaction: Transaction
) -> None:
    """A9, ASVS 7.2.4."""
    sign_up(client)
    github.add("eve")

    assert went_on(sign_in_with(client, "eve"))

    with transaction() as look:
        (method,) = look.scalars(select(UserSession.authenticated_with))
        assert method == "oauth:github"


def test_no_provider_no_routes(client: Browser) -> None:
    """CVE-2026-1486: a provider that is not switched on takes part in nothing."""
    for path in ("authorize", "callback"):
        assert client.get(f"/api/oauth/github/{path}").status_code == 404


def test_a_provider_that_is_switched_off_in_mid_flow_signs_nobody_in(
    app: Flask, client: Browser
) -> None:
    """CVE-2026-1486."""
    github = QuietProvider(settings=provider_settings())
    other = QuietProvider(settings=provider_settings("company"))
    github.add("ada")
    with switched_on(app, github, other):
        state = begin(client)
    with switched_on(app, other):
        assert come_back(client, state, code="ada").status_code == 404
    assert not is_signed_in(client)
    with switched_on(app, github, other):
        assert went_on(come_back(client, state, code="ada"))


def test_a_provider_may_be_given_another_name(app: Flask, client: Browser) -> None:
    """What people linked stays theirs, and tokens go to no other issuer (OA-8)."""
    old = QuietProvider(settings=provider_settings("school", store_tokens=True))
    old.add("ada")
    with switched_on(app, old):
        sign_in_with(client, provider="school")
        link = client.post("/api/oauth/school/link", json={})
        old.add("spare")
        come_back(client, state_in(json_of(link)["location"]), "school", code="spare")
    renamed = QuietProvider(settings=provider_settings("college", issuer=old.settings.issuer))
    other = QuietProvider(settings=provider_settings("school", issuer="https://new.example"))

    with switched_on(app, renamed, other):
        told = linked(client)
        assert {one["label"] for one in told} == {"College"}
        assert client.delete(f"/api/oauth/accounts/{told[1]['id']}").status_code == 204

    assert sorted(renamed.revoked) == ["access-spare", "refresh-spare"]
    assert other.revoked == []
