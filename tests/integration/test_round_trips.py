"""Round trips to a provider: each state is good once, here, for what it was made for."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from app import clock
from app.models import AuthorizationRequest, Identity, UserSession
from app.services.tokens import hash_secret
from tests.conftest import Transaction
from tests.support.clients import Browser
from tests.support.outside_accounts import (
    AT_PROVIDER,
    QuietProvider,
    begin,
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
from tests.support.people import BROWSER_COOKIE, is_signed_in, json_of, sign_up

NewClient = Callable[[], Browser]
UNUSABLE = "authorization_request_unusable"


@pytest.fixture
def company(app: Flask) -> QuietProvider:
    provider = QuietProvider(settings=provider_settings("company"))
    provider.add("ada")
    return provider


@pytest.fixture
def github(app: Flask, company: QuietProvider) -> Iterator[QuietProvider]:
    provider = QuietProvider(settings=provider_settings())
    provider.add("ada")
    provider.add("eve")
    with switched_on(app, provider, company):
        yield provider


def requests_left(transaction: Transaction) -> int:
    with transaction() as look:
        return look.scalars(select(func.count()).select_from(AuthorizationRequest)).one()


def test_a_request_asks_for_a_code_with_secrets_of_its_own(
    client: Browser, github: QuietProvider, transaction: Transaction
) -> None:
    """OA-2, OA-3, OC-7, ASVS 10.1.2, 10.2.1."""
    begin(client)
    begin(client)

    first, second = github.asked
    for name in ("state", "nonce", "code_verifier"):
        assert len(str(first[name])) == 43
        assert first[name] != second[name]
    assert first["redirect_uri"] == "http://localhost:8000/api/oauth/github/callback"
    with transaction() as look:
        for row in look.scalars(select(AuthorizationRequest)):
            assert str(first["code_verifier"]) not in row.code_verifier
            assert row.state_hash != str(first["state"]).encode()


def test_a_state_is_good_once(
    client: Browser, github: QuietProvider, transaction: Transaction
) -> None:
    """F12, P2."""
    state = begin(client)

    assert went_on(come_back(client, state, code="ada"))
    assert refused(come_back(client, state, code="ada")) == UNUSABLE
    assert requests_left(transaction) == 0


@pytest.mark.parametrize(
    "answer",
    [{"code": "eve"}, {"code": "ada", "state": ""}, {"code": "ada", "state": "x" * 43}, {}],
    ids=["another browser's", "empty", "unknown", "missing"],
)
def test_a_state_that_this_browser_was_not_given_is_refused(
    client: Browser, new_client: NewClient, github: QuietProvider, answer: dict[str, str]
) -> None:
    """GHSA-wxw3-q3m9-c3jr, CVE-2026-121802, CVE-2026-41425, CVE-2026-81888.

    A11: nobody is signed in to an attacker's account.
    """
    attackers = new_client()
    state = begin(attackers)
    begin(client)

    assert refused(come_back(client, answer.pop("state", state), **answer)) == UNUSABLE

    assert not is_signed_in(client)
    assert went_on(come_back(attackers, state, code="eve"))


def test_a_state_is_refused_where_the_browser_lost_its_mark(
    client: Browser, github: QuietProvider
) -> None:
    state = begin(client)
    client.delete_cookie(BROWSER_COOKIE)

    assert refused(come_back(client, state, code="ada")) == UNUSABLE
    assert went_on(sign_in_with(client))


def test_a_state_is_refused_at_another_provider(client: Browser, github: QuietProvider) -> None:
    """OA-4, CVE-2026-73419: mix-up."""
    state = begin(client)

    assert refused(come_back(client, state, "company", code="ada")) == UNUSABLE
    assert not is_signed_in(client)
    assert went_on(come_back(client, state, code="ada"))


def test_a_state_is_refused_once_its_provider_has_another_issuer(
    app: Flask, client: Browser, github: QuietProvider
) -> None:
    """OA-4: the issuer is remembered with each request."""
    state = begin(client)
    moved = QuietProvider(settings=provider_settings(issuer="https://elsewhere.example"))
    moved.add("ada")

    with switched_on(app, moved):
        assert refused(come_back(client, state, code="ada")) == UNUSABLE
        assert went_on(sign_in_with(client))


def test_a_state_is_good_for_ten_minutes(
    client: Browser, github: QuietProvider, transaction: Transaction
) -> None:
    """F10, F12."""
    late, timely = begin(client), begin(client)
    with transaction() as session:
        for state, minutes in ((late, 10), (timely, 9.9)):
            session.execute(
                update(AuthorizationRequest)
                .where(AuthorizationRequest.state_hash == hash_secret(state))
                .values(expires_at=AuthorizationRequest.expires_at if minutes < 10 else clock.now())
            )
            row = session.get_one(AuthorizationRequest, hash_secret(timely))
            assert row.expires_at - row.created_at == timedelta(minutes=10)

    assert refused(come_back(client, late, code="ada")) == UNUSABLE
    assert went_on(come_back(client, timely, code="ada"))


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("access_denied", "authorization_denied"),
        ("login_required", "authorization_denied"),
        ("server_error", "provider_unavailable"),
        ("<script>", "provider_unavailable"),
    ],
)
def test_a_no_from_the_provider_uses_the_state_up_as_well(
    client: Browser, github: QuietProvider, error: str, code: str
) -> None:
    state = begin(client)

    assert refused(come_back(client, state, error=error, code="ada")) == code
    assert refused(come_back(client, state, code="ada")) == UNUSABLE
    assert not is_signed_in(client)
    assert went_on(sign_in_with(client))


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({}, "identity_rejected"),
        ({"code": ""}, "identity_rejected"),
        ({"code": "unknown"}, "identity_rejected"),
        ({"code": "ada", "iss": "https://evil.example"}, "identity_rejected"),
    ],
)
def test_an_answer_that_is_none_signs_nobody_in(
    client: Browser, github: QuietProvider, answer: dict[str, str], code: str
) -> None:
    """OA-4 (RFC 9207)."""
    assert refused(come_back(client, begin(client), **answer)) == code
    assert not is_signed_in(client)
    assert went_on(come_back(client, begin(client), code="ada", iss="https://github.example"))


@pytest.mark.parametrize("name", ["state", "code", "iss"])
def test_a_parameter_that_is_given_twice_is_refused(
    client: Browser, github: QuietProvider, name: str
) -> None:
    """ASVS 15.3.7."""
    query = f"state={begin(client)}&code=ada&iss=https://github.example&{name}=eve"

    answer = client.get(f"/api/oauth/github/callback?{query}")

    assert (answer.status_code, answer.mimetype) == (422, "text/html")
    assert not is_signed_in(client)
    assert went_on(sign_in_with(client))


def test_a_head_request_uses_nothing_up(
    client: Browser, github: QuietProvider, transaction: Transaction
) -> None:
    """ASVS 3.5.3."""
    state = begin(client)
    assert client.head(f"/api/oauth/github/callback?state={state}&code=ada").status_code == 405
    assert client.head("/api/oauth/github/authorize").status_code == 405
    assert requests_left(transaction) == 1
    assert went_on(come_back(client, state, code="ada"))


def test_code_and_state_leave_the_address_bar(client: Browser, github: QuietProvider) -> None:
    """OA-7, ASVS 14.2.1."""
    state = begin(client)
    for answer in (come_back(client, state, code="ada"), come_back(client, state, code="ada")):
        assert answer.status_code == 303
        assert state not in answer.headers["Location"]
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_can_only_lead_people_to_the_sign_in_page(
    client: Browser, github: QuietProvider, transaction: Transaction, site: str
) -> None:
    """ASVS 7.6.2: no session without an explicit action."""
    path = "/api/oauth/github/authorize?return_to=/account"

    answer = client.get(path, headers={"Sec-Fetch-Site": site})

    assert answer.headers["Location"] == "/sign-in?return_to=%2Faccount"
    assert requests_left(transaction) == 0
    own = client.get(path, headers={"Sec-Fetch-Site": "same-origin"})
    assert own.headers["Location"].startswith(AT_PROVIDER)


def test_where_to_go_on_is_kept_here_and_is_a_path_of_ours(
    client: Browser, github: QuietProvider
) -> None:
    """OA-1, A15, CVE-2026-27982, CVE-2021-32618."""
    for wanted, path in [("/account?x=1", "/account?x=1"), ("//evil.example", "/account")]:
        state = begin(client, return_to=wanted)
        answer = come_back(client, state, code="ada", return_to="https://evil.example")
        assert answer.headers["Location"] == path


def test_a_provider_that_is_away_is_told_on_a_page(client: Browser, github: QuietProvider) -> None:
    github.is_away = True
    answer = client.get("/api/oauth/github/authorize?return_to=/account%3Fx")
    assert refused(answer) == "provider_unavailable"
    assert "return_to=%2Faccount%3Fx" in answer.headers["Location"]
    page = client.get(answer.headers["Location"])
    assert (page.status_code, page.mimetype) == (503, "text/html")
    github.is_away = False
    assert went_on(sign_in_with(client))


def test_linking_begins_from_a_page_of_ours_after_a_step_up(
    client: Browser, github: QuietProvider, transaction: Transaction
) -> None:
    """CVE-2026-105207, A10."""
    path = "/api/oauth/github/link"
    assert client.post(path, json={}).status_code == 401
    person = sign_up(client)
    assert client.post(path, json={}, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client.get(path).status_code == 405
    with transaction() as session:
        session.execute(
            update(UserSession).values(authenticated_at=clock.now() - timedelta(hours=1))
        )
    stale = client.post(path, json={})
    assert (stale.status_code, json_of(stale)["code"]) == (403, "step_up_required")
    assert not github.asked
    with transaction() as session:
        session.execute(update(UserSession).values(authenticated_at=clock.now()))

    answer = link_with(client)

    assert went_on(answer, "/account?linked=github#linked-accounts")
    assert [one["provider"] for one in linked(client)] == ["github"]
    assert person.user["email"]


def test_a_link_ends_in_the_session_that_began_it(
    client: Browser, new_client: NewClient, github: QuietProvider, transaction: Transaction
) -> None:
    """CVE-2026-9087, CVE-2026-119128, A11: in no other person's, and in no later one."""
    sign_up(client)
    state = state_in(json_of(client.post("/api/oauth/github/link", json={}))["location"])
    client.delete("/api/auth/session")
    assert refused(come_back(client, state, code="eve")) == UNUSABLE
    sign_up(client, email="bob@example.org")
    assert refused(come_back(client, state, code="eve")) == UNUSABLE

    with transaction() as look:
        assert look.scalars(select(func.count()).select_from(Identity)).one() == 0
    assert went_on(link_with(client, "eve"))


def test_a_sign_in_that_comes_back_after_somebody_signed_in_links_nothing(
    client: Browser, github: QuietProvider
) -> None:
    """CVE-2026-114607, CVE-2026-18963: the purpose is the request's, not the moment's."""
    state = begin(client)
    sign_up(client)

    assert went_on(come_back(client, state, code="eve"))

    session = json_of(client.get("/api/auth/session"))["session"]
    assert session["authenticated_with"] == "oauth:github"
    assert len(linked(client)) == 1


def test_expired_requests_are_swept_a_few_at_a_time(
    client: Browser, github: QuietProvider, transaction: Transaction
) -> None:
    for _ in range(3):
        begin(client)
    with transaction() as session:
        session.execute(update(AuthorizationRequest).values(expires_at=clock.now()))

    begin(client)

    assert requests_left(transaction) == 1
