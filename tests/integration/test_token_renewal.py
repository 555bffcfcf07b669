"""Of all who find a provider's token expired at the same moment, one renews it; OA-8.

ASVS 15.4.2: threads, processes, one who dies, and others who store tokens meanwhile.
"""

import json
import secrets
import time
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from sqlalchemy import delete, update

from app import clock
from app.config import Settings
from app.errors import GrantInvalid, NotFound, ProviderUnavailable
from app.identity_providers.values import ProviderTokens
from app.models import Identity
from app.services.provider_tokens import open_tokens, store_tokens
from app.services.refresh_leases import LEASE
from app.services.resealing import SEALED_COLUMNS, reseal_batch
from app.services.sealing import Sealer
from tests.conftest import Transaction
from tests.support.crowds import at_once, both_at_once
from tests.support.token_takers import (
    FIRST,
    KEY,
    SEALER,
    ProviderTwin,
    Taking,
    link,
    stored,
    taker,
    taking_processes,
)
from tests.support.units import application, run_unit

ASKING = 20
SECOND = "gho_second-access"
on_postgresql = pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have nobody wait for long."""
    monkeypatch.setattr("app.services.provider_tokens.LONGEST_WAIT_SECONDS", 0.5)


@pytest.fixture
def other_app(app: Flask, settings: Settings) -> Iterator[Flask]:
    """Give a second application on the same database, as another process has it."""
    with application(settings) as other:
        yield other


def lease(transaction: Transaction, identity: Identity, left: timedelta) -> None:
    """Leave a lease behind, as one does who dies."""
    with transaction() as session:
        values = {"refresh_lease_until": clock.now() + left}
        session.execute(update(Identity).where(Identity.id == identity.id).values(values))


def store_second(transaction: Transaction, identity: Identity) -> None:
    """Sign in again: the provider gives other tokens."""
    with transaction() as session:
        row = session.get_one(Identity, identity.id)
        tokens = ProviderTokens(access_token=SECOND, refresh_token="ghr_second-refresh")  # noqa: S106
        store_tokens(session, identity=row, tokens=tokens, sealer=SEALER)


def a_taking(
    settings: Settings,
    identity: Identity,
    record: Path,
    *,
    threads: int = 1,
    takes_seconds: float = 0.3,
) -> Taking:
    return Taking(
        database={"DATABASE_URL": settings.database.url},
        identity_id=identity.id,
        user_id=identity.user_id,
        key=KEY.hex(),
        record=str(record),
        threads=threads,
        takes_seconds=takes_seconds,
    )


@pytest.mark.parametrize("left", [timedelta(seconds=-1), timedelta(seconds=50)])
def test_twenty_at_once_ask_the_provider_once(
    app: Flask, other_app: Flask, transaction: Transaction, left: timedelta
) -> None:
    identity, provider = link(transaction, left=left), ProviderTwin(takes_seconds=0.3)
    crowd = [taker(one, identity, provider) for one in [app, other_app] * (ASKING // 2)]

    assert at_once(crowd) == ["gho_access-1"] * ASKING

    assert provider.asked_with == [FIRST[1]]
    assert stored(transaction, identity).refresh_lease_until is None


def test_twenty_of_four_processes_ask_the_provider_once(
    tmp_path: Path, app: Flask, settings: Settings, transaction: Transaction
) -> None:
    identity, record = link(transaction), tmp_path / "asked"
    with taking_processes(4, a_taking(settings, identity, record, threads=5)) as processes:
        got = [json.loads(process.stdout.readline()) for process in processes if process.stdout]

    assert got == [["gho_access-1"] * 5] * 4
    assert record.read_text().split() == [FIRST[1]]
    assert taker(app, identity, ProviderTwin())() == "gho_access-1"


def test_process_that_is_killed_while_it_asks_is_replaced(
    tmp_path: Path,
    app: Flask,
    settings: Settings,
    transaction: Transaction,
    impatient: None,
) -> None:
    identity, provider = link(transaction), ProviderTwin()
    record = tmp_path / "asked"
    with taking_processes(1, a_taking(settings, identity, record, takes_seconds=60)):
        give_up_at = time.monotonic() + 30
        while not record.exists():
            assert time.monotonic() < give_up_at
            time.sleep(0.05)

    ask = taker(app, identity, provider)
    with pytest.raises(ProviderUnavailable):
        ask()
    assert provider.asked_with == []
    with time_machine.travel(clock.now() + LEASE, tick=True):
        assert ask() == "gho_access-1"


def test_holder_who_died_holds_the_others_up_for_one_lease(
    app: Flask, transaction: Transaction, impatient: None
) -> None:
    with time_machine.travel("2031-01-01T00:00:00Z", tick=False) as traveller:
        identity, provider = link(transaction), ProviderTwin()
        lease(transaction, identity, LEASE)
        traveller.shift(LEASE - timedelta(seconds=1))
        with pytest.raises(ProviderUnavailable):
            taker(app, identity, provider)()

        traveller.shift(timedelta(seconds=1))
        crowd = [taker(app, identity, provider)] * ASKING
        assert at_once(crowd) == ["gho_access-1"] * ASKING

    assert provider.asked_with == [FIRST[1]]


def test_who_waits_for_one_who_died_uses_the_last_seconds_of_the_token(
    app: Flask, transaction: Transaction, impatient: None
) -> None:
    identity, provider = link(transaction, left=timedelta(seconds=50)), ProviderTwin()
    lease(transaction, identity, LEASE)

    assert taker(app, identity, provider)() == FIRST[0]
    assert provider.asked_with == []


def test_lease_of_a_clock_that_was_set_back_is_not_waited_for(
    app: Flask, transaction: Transaction
) -> None:
    """F10."""
    identity = link(transaction)
    lease(transaction, identity, timedelta(hours=1))

    assert taker(app, identity, ProviderTwin())() == "gho_access-1"


@pytest.mark.parametrize("refusal", [GrantInvalid, ProviderUnavailable])
def test_what_one_hears_all_who_wait_are_told(
    app: Flask,
    transaction: Transaction,
    refusal: type[GrantInvalid | ProviderUnavailable],
) -> None:
    identity = link(transaction)
    provider = ProviderTwin(takes_seconds=2, refuses=refusal())

    def ask() -> type[Exception] | None:
        try:
            taker(app, identity, provider)()
        except (GrantInvalid, ProviderUnavailable) as error:
            return type(error)
        return None

    assert at_once([ask] * ASKING) == [refusal] * ASKING
    assert provider.asked_with == [FIRST[1]]
    assert stored(transaction, identity).refresh_lease_until is None


@pytest.mark.parametrize("refuses", [None, GrantInvalid(), ProviderUnavailable()], ids=repr)
def test_tokens_of_another_sign_in_are_not_overwritten(
    app: Flask, transaction: Transaction, refuses: Exception | None
) -> None:
    """While the provider is asked, the person signs in again: those tokens are the newer ones."""
    identity = link(transaction)
    provider = ProviderTwin(meanwhile=lambda: store_second(transaction, identity), refuses=refuses)

    if isinstance(refuses, ProviderUnavailable):
        with pytest.raises(ProviderUnavailable):
            taker(app, identity, provider)()
    else:
        assert taker(app, identity, provider)() == SECOND

    row = stored(transaction, identity)
    assert open_tokens(row, SEALER) == ["ghr_second-refresh", SECOND]
    assert len(provider.asked_with) == 1


def test_late_holder_overwrites_nothing_of_its_successor(
    app: Flask, transaction: Transaction
) -> None:
    """Halted for longer than its lease, it comes back to what another one has stored."""
    with time_machine.travel("2031-01-01T00:00:00Z", tick=False) as traveller:
        identity = link(transaction)
        successor = ProviderTwin(lasts=None)

        def sleep_through_the_lease() -> None:
            traveller.shift(LEASE)
            assert taker(app, identity, successor)() == "gho_access-1"

        late = ProviderTwin(meanwhile=sleep_through_the_lease, refuses=GrantInvalid())
        assert taker(app, identity, late)() == "gho_access-1"

    assert open_tokens(stored(transaction, identity), SEALER) == ["ghr_refresh-1", "gho_access-1"]


def test_identity_that_was_unlinked_meanwhile_is_not_found(
    app: Flask, transaction: Transaction
) -> None:
    identity = link(transaction)

    def unlink() -> None:
        with transaction() as session:
            session.execute(delete(Identity))

    with pytest.raises(NotFound):
        taker(app, identity, ProviderTwin(meanwhile=unlink))()


def test_key_that_is_rotated_meanwhile_costs_no_token(app: Flask, transaction: Transaction) -> None:
    """ASVS 11.2.2: what is being renewed is sealed anew, and then replaced by what is newer."""
    identity, newer = link(transaction), Sealer([secrets.token_bytes(32), KEY])

    def reseal() -> None:
        for column in SEALED_COLUMNS:
            run_unit(app, partial(reseal_batch, sealed=column, sealer=newer))

    assert taker(app, identity, ProviderTwin(meanwhile=reseal))() == "gho_access-1"

    assert open_tokens(stored(transaction, identity), newer) == ["ghr_refresh-1", "gho_access-1"]


@on_postgresql
def test_sign_in_takes_a_lease_away_that_it_has_not_seen(
    app: Flask, transaction: Transaction
) -> None:
    """The lease was taken between what the sign-in read and what it stores."""
    identity = link(transaction)
    with transaction() as session:
        row = session.get_one(Identity, identity.id)
        assert row.refresh_lease_until is None
        lease(transaction, identity, LEASE)
        tokens = ProviderTokens(access_token=SECOND)
        store_tokens(session, identity=row, tokens=tokens, sealer=SEALER)

    assert stored(transaction, identity).refresh_lease_until is None


def test_renewal_beside_a_sign_in_ends_with_the_tokens_of_one(
    app: Flask, transaction: Transaction
) -> None:
    for _ in range(5):
        identity = link(transaction)
        ask = taker(app, identity, ProviderTwin())
        token, _ = both_at_once(ask, partial(store_second, transaction, identity))

        pair = open_tokens(stored(transaction, identity), SEALER)
        assert pair == ["ghr_second-refresh", SECOND]
        assert token in {"gho_access-1", SECOND}
