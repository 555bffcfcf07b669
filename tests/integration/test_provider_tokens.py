"""Provider tokens: sealed in the database, handed out while good, deleted once they are not.

OA-8.
"""

import logging
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import update

from app import clock
from app.errors import GrantInvalid, NotFound, ProviderUnavailable
from app.identity_providers.values import ProviderTokens
from app.models import Identity
from app.services.provider_tokens import AccessTokens, open_tokens, store_tokens
from app.services.sealing import Sealer
from tests.conftest import Transaction
from tests.support.tables import contents
from tests.support.token_takers import (
    FIRST,
    ISSUER,
    KEY,
    SEALER,
    ProviderTwin,
    link,
    stored,
    taker,
)
from tests.support.units import run_unit

HOUR = timedelta(hours=1)
FEW_SECONDS = timedelta(seconds=30)
NONE = (None, None, None, None)


def tokens_in(identity: Identity) -> tuple[object, ...]:
    return (
        identity.access_token,
        identity.refresh_token,
        identity.token_expires_at,
        identity.refresh_lease_until,
    )


def test_database_holds_no_token_that_can_be_read(app: Flask, transaction: Transaction) -> None:
    """Of the whole database only the sealer makes the tokens again."""
    identity = link(transaction)

    everything = repr(contents(app, without=()))
    assert [token for token in FIRST if token in everything] == []
    assert everything.count(f"v1.{SEALER.key_ids[0]}.") == 2
    assert open_tokens(stored(transaction, identity), SEALER) == [FIRST[1], FIRST[0]]


@pytest.mark.parametrize("left", [HOUR, None], ids=["an hour", "for ever"])
def test_token_that_is_good_is_given_and_nobody_is_asked(
    app: Flask, transaction: Transaction, left: timedelta | None
) -> None:
    identity, provider = link(transaction, left=left), ProviderTwin()
    before = contents(app)

    assert taker(app, identity, provider)() == FIRST[0]

    assert provider.asked_with == []
    assert contents(app) == before


def test_token_with_a_minute_left_is_renewed(app: Flask, transaction: Transaction) -> None:
    with time_machine.travel("2031-01-01T00:00:00Z", tick=False) as time:
        identity, provider = link(transaction, left=timedelta(seconds=61)), ProviderTwin()
        assert taker(app, identity, provider)() == FIRST[0]

        time.shift(timedelta(seconds=1))
        assert taker(app, identity, provider)() == "gho_access-1"

    assert provider.asked_with == [FIRST[1]]


def test_new_tokens_are_stored_sealed_and_the_lease_is_over(
    app: Flask, transaction: Transaction
) -> None:
    identity, provider = link(transaction), ProviderTwin()

    assert taker(app, identity, provider)() == "gho_access-1"

    row = stored(transaction, identity)
    assert open_tokens(row, SEALER) == ["ghr_refresh-1", "gho_access-1"]
    assert "_access-1" not in repr(contents(app))
    assert row.token_expires_at is not None
    assert row.token_expires_at - clock.now() > 7 * HOUR
    assert row.refresh_lease_until is None
    assert taker(app, identity, provider)() == "gho_access-1"
    assert len(provider.asked_with) == 1


def test_refresh_token_is_replaced_by_a_new_one_and_else_kept(
    app: Flask, transaction: Transaction
) -> None:
    """RFC 6749 section 6; what is kept is sealed anew with the newest key. ASVS 11.2.2."""
    identity = link(transaction)
    newer = Sealer([b"n" * 32, KEY])
    keeps, rotates = ProviderTwin(rotates=False, lasts=FEW_SECONDS), ProviderTwin()

    assert taker(app, identity, keeps, sealer=newer)() == "gho_access-1"
    row = stored(transaction, identity)
    assert open_tokens(row, newer) == [FIRST[1], "gho_access-1"]
    assert open_tokens(row, SEALER) == []

    assert taker(app, identity, rotates, sealer=newer)() == "gho_access-1"
    assert rotates.asked_with == [FIRST[1]]
    assert open_tokens(stored(transaction, identity), newer)[0] == "ghr_refresh-1"


def test_grant_that_is_over_is_deleted_and_not_tried_again(
    app: Flask, transaction: Transaction
) -> None:
    """OA-8: the identity stays, and its person signs in with it as before."""
    identity, other = link(transaction), link(transaction)
    provider = ProviderTwin(refuses=GrantInvalid())
    ask = taker(app, identity, provider)

    for _ in range(2):
        with pytest.raises(GrantInvalid):
            ask()

    assert provider.asked_with == [FIRST[1]]
    assert tokens_in(stored(transaction, identity)) == NONE
    assert taker(app, other, ProviderTwin())() == "gho_access-1"


def test_provider_that_is_away_is_said_to_be_and_asked_again_later(
    app: Flask, transaction: Transaction
) -> None:
    identity = link(transaction)
    before = contents(app)

    with pytest.raises(ProviderUnavailable):
        taker(app, identity, ProviderTwin(refuses=ProviderUnavailable()))()

    assert contents(app) == before
    assert taker(app, identity, ProviderTwin())() == "gho_access-1"


def test_while_the_provider_is_away_the_last_seconds_of_a_token_are_used(
    app: Flask, transaction: Transaction
) -> None:
    identity = link(transaction, left=FEW_SECONDS)
    before = contents(app)

    token = taker(app, identity, ProviderTwin(refuses=ProviderUnavailable()))()

    assert token == FIRST[0]
    assert contents(app) == before


def test_without_a_refresh_token_a_token_is_good_until_it_expires(
    app: Flask, transaction: Transaction
) -> None:
    provider = ProviderTwin()
    with time_machine.travel(clock.now(), tick=False) as time:
        identity = link(transaction, left=FEW_SECONDS, refresh_token=None)
        assert taker(app, identity, provider)() == FIRST[0]

        time.shift(FEW_SECONDS)
        with pytest.raises(GrantInvalid):
            taker(app, identity, provider)()

    assert tokens_in(stored(transaction, identity)) == NONE
    assert provider.asked_with == []


def with_the_key_removed(_: Transaction, __: Identity, ___: Identity) -> Sealer:
    return Sealer([b"another key".ljust(32)])


def moved(column: str) -> Callable[[Transaction, Identity, Identity], Sealer]:
    """Make what gives a person the other's sealed token, as whoever writes to the database can."""

    def move(transaction: Transaction, identity: Identity, other: Identity) -> Sealer:
        with transaction() as session:
            values = {column: getattr(other, column)}
            session.execute(update(Identity).where(Identity.id == identity.id).values(values))
        return SEALER

    return move


@pytest.mark.parametrize(
    "spoil",
    [with_the_key_removed, moved("access_token"), moved("refresh_token")],
    ids=["removed key", "moved access token", "moved refresh token"],
)
def test_what_cannot_be_opened_asks_to_link_again_and_breaks_nothing_else(
    app: Flask,
    transaction: Transaction,
    caplog: pytest.LogCaptureFixture,
    spoil: Callable[[Transaction, Identity, Identity], Sealer],
) -> None:
    """ASVS 11.3.3, 13.3.4."""
    identity, other = link(transaction), link(transaction)
    sealer = spoil(transaction, identity, other)
    values = [stored(transaction, one).access_token for one in (identity, other)]
    provider = ProviderTwin()

    with caplog.at_level(logging.INFO), pytest.raises(GrantInvalid):
        taker(app, identity, provider, sealer=sealer)()

    (line,) = [one.getMessage() for one in caplog.records if "unsealable" in one.getMessage()]
    assert identity.id in line
    assert [value for value in (*values, *FIRST) if str(value) in caplog.text] == []
    # Kept: the operator may yet put a missing key back.
    assert stored(transaction, identity).access_token == values[0]
    assert provider.asked_with == []
    assert len(open_tokens(stored(transaction, identity), sealer)) < 2
    with transaction() as session:
        again = session.get_one(Identity, identity.id)
        tokens = ProviderTokens(access_token="gho_again")  # noqa: S106 - made up
        store_tokens(session, identity=again, tokens=tokens, sealer=sealer)
    assert taker(app, identity, provider, sealer=sealer)() == "gho_again"
    assert taker(app, other, provider)() == "gho_access-1"


def test_token_of_somebody_else_is_not_found(app: Flask, transaction: Transaction) -> None:
    """ASVS 8.2.2."""
    identity, other = link(transaction, left=HOUR), link(transaction, left=HOUR)
    tokens = AccessTokens(
        in_unit=lambda callback, *, writes=True: run_unit(app, callback, writes=writes),
        providers={ISSUER: ProviderTwin()},
        sealer=SEALER,
    )
    before = contents(app)

    for wrong in ((identity.id, other.user_id), ("unknown", identity.user_id), (identity.id, "")):
        with pytest.raises(NotFound):
            tokens.get(identity_id=wrong[0], user_id=wrong[1])

    assert contents(app) == before
    assert tokens.get(identity_id=identity.id, user_id=identity.user_id) == FIRST[0]


def test_no_token_is_given_of_a_provider_that_was_switched_off(
    app: Flask, transaction: Transaction
) -> None:
    """CVE-2026-1486: it is kept, in case the provider comes back."""
    identity = link(transaction, left=HOUR)
    before = contents(app)
    tokens = AccessTokens(
        in_unit=lambda callback, *, writes=True: run_unit(app, callback, writes=writes),
        providers={"https://gitlab.com": ProviderTwin()},
        sealer=SEALER,
    )

    with pytest.raises(NotFound):
        tokens.get(identity_id=identity.id, user_id=identity.user_id)

    assert contents(app) == before
    assert taker(app, identity, ProviderTwin())() == FIRST[0]


def test_response_without_a_refresh_token_keeps_the_one_that_is_there(
    transaction: Transaction,
) -> None:
    """Google gives one at the first consent alone."""
    identity = link(transaction)
    with transaction() as session:
        tokens = ProviderTokens(access_token="gho_second")  # noqa: S106 - made up
        row = session.get_one(Identity, identity.id)
        store_tokens(session, identity=row, tokens=tokens, sealer=SEALER)

    row = stored(transaction, identity)
    assert open_tokens(row, SEALER) == [FIRST[1], "gho_second"]
    assert row.token_expires_at is None


def test_tokens_are_cleared_together(transaction: Transaction) -> None:
    identity = link(transaction)
    with transaction() as session:
        row = session.get_one(Identity, identity.id)
        store_tokens(session, identity=row, tokens=None, sealer=SEALER)

    row = stored(transaction, identity)
    assert tokens_in(row) == NONE
    assert open_tokens(row, SEALER) == []


def test_what_cannot_be_opened_is_left_out_of_what_is_revoked(transaction: Transaction) -> None:
    identity = link(transaction)
    moved("access_token")(transaction, identity, link(transaction))

    assert open_tokens(stored(transaction, identity), SEALER) == [FIRST[1]]
