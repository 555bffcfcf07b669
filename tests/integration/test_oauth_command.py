"""``flask oauth check``: what works at each provider, and whom one that is switched off leaves."""

from collections.abc import Callable

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from app import boot, clock
from app.boot import require_fitting_database
from app.config import Settings
from app.errors import DatabaseUnavailable
from app.models import Credential, Identity
from app.services.ways_in import count_left_outside
from tests.conftest import Transaction
from tests.support.github_peer import GitHubPeer, github_peer
from tests.support.hostile_provider import hostile_provider
from tests.support.rows import a_credential, a_user

OPEN, SHUT = "https://open.example", "https://shut.example"


def somebody(
    session: Session, name: str, *issuers: str, passkey: bool = False, **changes: object
) -> None:
    user = a_user(email_canonical=f"{name}@example.org")
    for column, value in changes.items():
        setattr(user, column, value)
    session.add(user)
    session.flush()
    for issuer in issuers:
        session.add(Identity(user_id=user.id, provider="x", issuer=issuer, provider_id=name))
    if passkey:
        session.add(a_credential(user, credential_id=name.encode() * 16))


def test_only_those_are_left_outside_who_have_no_other_way_in(transaction: Transaction) -> None:
    with transaction() as session:
        somebody(session, "outside", SHUT)
        somebody(session, "two", SHUT, "https://shut.too.example")
        somebody(session, "passkey", SHUT, passkey=True)
        somebody(session, "other", SHUT, OPEN)
        somebody(session, "disabled", SHUT, disabled_at=clock.now())
        somebody(session, "inside", OPEN)
    with transaction() as session:
        assert count_left_outside(session, issuers=[OPEN]) == 2
        assert count_left_outside(session, issuers=[OPEN, SHUT]) == 0


def test_a_blocked_passkey_is_no_way_in(transaction: Transaction) -> None:
    with transaction() as session:
        somebody(session, "blocked", SHUT, passkey=True)
        session.flush()
        session.execute(update(Credential).values(quarantined_at=clock.now()))
        assert count_left_outside(session, issuers=[OPEN]) == 1


def test_the_boot_says_how_many_are_left_outside(
    app: Flask, transaction: Transaction, caplog: pytest.LogCaptureFixture
) -> None:
    settings: Settings = app.extensions["openbadges"]
    with app.app_context():
        require_fitting_database(settings)
        assert "people_left_without_a_way_in" not in caplog.text
        with transaction() as session:
            somebody(session, "outside", SHUT)
        require_fitting_database(settings)
    assert "people_left_without_a_way_in" in caplog.text
    assert "'number': 1" in caplog.text


def test_a_count_that_takes_too_long_does_not_end_the_boot(
    app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def give_up(_session: Session, **_asked: object) -> int:
        raise DatabaseUnavailable

    monkeypatch.setattr(boot, "count_left_outside", give_up)
    with app.app_context():
        require_fitting_database(app.extensions["openbadges"])

    assert "people_left_without_a_way_in_not_counted" in caplog.text


Run = Callable[..., Result]


@pytest.fixture
def run(make_app: Callable[..., Flask]) -> Run:
    def invoke(*arguments: str, **variables: str) -> Result:
        app = make_app(**variables)
        return app.test_cli_runner().invoke(args=["oauth", "check", *arguments])

    return invoke


def test_a_github_that_takes_the_client_is_found_good(run: Run) -> None:
    with github_peer() as peer:
        good = run(**peer.variables())
        bad = run(**{**peer.variables(), "OAUTH_GITHUB_CLIENT_SECRET": "another"})

    assert good.exit_code == 0, good.output
    assert "redirect URI to register there: http://localhost:8000/api/oauth/github/callback" in (
        good.output
    )
    assert "ok    Its token endpoint takes the client's credentials." in good.output
    assert bad.exit_code == 1
    assert "FAIL  Its token endpoint refuses the client's credentials" in bad.output
    assert "another" not in bad.output


def test_an_openid_provider_is_told_of_in_words(run: Run) -> None:
    with hostile_provider() as provider:
        good = run("school", **provider.variables("school"))
        moved = {**provider.variables("school"), "OAUTH_SCHOOL_ISSUER": f"{provider.issuer}/moved"}
        bad = run(**moved)

    assert good.exit_code == 0, good.output
    for words in ("Its metadata was fetched", "PKCE", "keys can be used", "takes the client's"):
        assert words in good.output
    assert (bad.exit_code, "FAIL  Its metadata cannot be used" in bad.output) == (1, True)


def test_a_provider_that_is_away_is_a_finding(run: Run) -> None:
    with github_peer() as peer:
        variables = peer.variables()

    away = run(**variables)

    assert (away.exit_code, "connection refused" in away.output) == (1, True)
    assert "Traceback" not in away.output


def test_an_unknown_name_is_refused_and_none_is_no_fault(run: Run) -> None:
    assert "No provider gitlab is switched on; there are: none." in run("gitlab").output
    none = run()
    assert (none.exit_code, "No identity provider is switched on" in none.output) == (0, True)


def test_people_left_outside_are_counted_in_words(app: Flask, transaction: Transaction) -> None:
    with transaction() as session:
        somebody(session, "outside", SHUT)

    told = app.test_cli_runner().invoke(args=["oauth", "check"])

    assert told.exit_code == 0
    assert "1 person has no way in but by providers that are switched off" in told.output


def test_nothing_is_changed_at_the_provider(run: Run) -> None:
    with github_peer() as peer:
        run(**peer.variables())
        assert_asked(peer)


def assert_asked(peer: GitHubPeer) -> None:
    assert set(peer.asked) == {"/login/oauth/access_token"}
