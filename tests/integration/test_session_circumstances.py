"""What a session keeps of the browser and the network behind it, and a database that is full."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import Connection, event, select, update

from app import clock
from app.database import LOCK_TIMEOUT_SECONDS
from app.extensions import db
from app.models import UserSession
from tests.conftest import Transaction
from tests.support.clients import InProcessBrowser
from tests.support.databases import ScratchDatabases
from tests.support.people import is_signed_in, json_of, refusal, sign_up
from tests.support.production import MakeService, secure_browser, services

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def test_session_shows_the_browser_and_the_network(client: InProcessBrowser) -> None:
    client.environ_base |= {"REMOTE_ADDR": "203.0.113.77", "HTTP_USER_AGENT": FIREFOX}
    sign_up(client)

    (mine,) = json_of(client.get("/api/auth/sessions"))["items"]

    assert (mine["device"], mine["address"]) == ("Firefox on Linux", "203.0.113.0/24")


@pytest.fixture
def make_service(scratch_database: ScratchDatabases) -> Iterator[MakeService]:
    with services(scratch_database) as make:
        yield make


@pytest.mark.parametrize(
    ("proxies", "forwarded", "network"),
    [
        ("0", "198.51.100.9", "192.0.2.0/24"),
        ("1", "198.51.100.9", "198.51.100.0/24"),
        ("1", "6.6.6.6, 198.51.100.9", "198.51.100.0/24"),
        ("1", None, "192.0.2.0/24"),
        ("1", "junk", None),
        ("2", "6.6.6.6, 198.51.100.9, 10.0.0.1", "198.51.100.0/24"),
        ("2", "198.51.100.9", "192.0.2.0/24"),
        ("1", "2001:db8:1:2:3::4", "2001:db8:1::/48"),
    ],
)
def test_forwarded_address_is_believed_of_the_counted_proxies_alone(
    make_service: MakeService, proxies: str, forwarded: str | None, network: str | None
) -> None:
    """A4, ASVS 4.1.3, 15.3.4, CVE-2023-36456."""
    app = make_service(TRUSTED_PROXIES=proxies)
    client = secure_browser(app)
    client.environ_base["REMOTE_ADDR"] = "192.0.2.7"
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}

    @app.get("/seen")
    def seen() -> dict[str, str | None]:
        from app.blueprints import current  # noqa: PLC0415

        return {"network": current.device().network}

    assert json_of(client.get("/seen", headers=headers)) == {"network": network}


@pytest.fixture
def read_only(app: Flask) -> Iterator[Callable[[], None]]:
    """Give a switch that makes the database refuse every write, as a full or failing disk does."""
    with app.app_context():
        engine = db.engine

    def forbid(connection: Connection) -> None:
        sqlite = connection.dialect.name == "sqlite"
        order = "PRAGMA query_only=ON" if sqlite else "SET TRANSACTION READ ONLY"
        cursor = connection.connection.cursor()
        cursor.execute(order)
        cursor.close()

    yield lambda: event.listen(engine, "begin", forbid)
    event.remove(engine, "begin", forbid)


def test_failing_write_of_last_seen_signs_nobody_out(
    client: InProcessBrowser, transaction: Transaction, read_only: Callable[[], None]
) -> None:
    """F5."""
    with time_machine.travel(clock.now(), tick=False) as traveller:
        sign_up(client)
        begun = clock.now()
        traveller.shift(timedelta(minutes=2))
        read_only()

        assert is_signed_in(client)
        assert refusal(client.patch("/api/users/me", json={"name": "Eve"})) == (
            503,
            "database_unavailable",
        )

    with transaction() as session:
        assert session.scalars(select(UserSession.last_seen_at)).one() == begun


def test_long_writer_does_not_hold_up_whoever_only_reads(
    app: Flask, client: InProcessBrowser, transaction: Transaction
) -> None:
    """F6: last-seen is due, and whoever holds the lock stays longer than anybody would wait."""
    with time_machine.travel(clock.now(), tick=True) as traveller:
        sign_up(client)
        traveller.shift(timedelta(minutes=2))
        with transaction() as writer:
            writer.execute(update(UserSession).values(device="locked"))
            writer.flush()
            started = time.monotonic()

            assert is_signed_in(client)

            assert time.monotonic() - started < LOCK_TIMEOUT_SECONDS / 2
        assert is_signed_in(client)

    with transaction() as session:
        seen, begun = session.execute(
            select(UserSession.last_seen_at, UserSession.created_at)
        ).one()
        assert seen - begun >= timedelta(minutes=2)
