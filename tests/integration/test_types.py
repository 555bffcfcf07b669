"""Column types that mean the same on both engines: moments, JSON, arrays, text in byte order.

DB-10, DB-12.
"""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import StatementError

from app.models import Base, Identity, User
from tests.conftest import Transaction
from tests.support.rows import a_user, an_identity

on_sqlite = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)

MOMENT = datetime(2026, 3, 29, 1, 30, 15, 123456, tzinfo=UTC)
OFFSETS = [0, 330, -480, 60 * 14]


def zone(minutes: int) -> timezone:
    return timezone(timedelta(minutes=minutes))


@pytest.mark.parametrize("minutes", OFFSETS)
def test_a_moment_comes_back_in_utc_whatever_zone_it_was_given_in(
    transaction: Transaction, minutes: int
) -> None:
    user = a_user()
    user.created_at = MOMENT.astimezone(zone(minutes))
    with transaction() as session:
        session.add(user)

    with transaction() as session:
        stored = session.scalars(select(User.created_at)).one()

    assert stored == MOMENT
    assert stored.tzinfo is UTC


def test_a_time_without_a_zone_is_refused(transaction: Transaction) -> None:
    user = a_user()
    user.created_at = MOMENT.replace(tzinfo=None)

    with pytest.raises(StatementError, match="needs a timezone"), transaction() as session:
        session.add(user)
    query = select(User).where(User.created_at < user.created_at)
    with pytest.raises(StatementError, match="needs a timezone"), transaction() as session:
        session.scalars(query)


def test_no_moment_stays_none(transaction: Transaction) -> None:
    with transaction() as session:
        session.add(a_user())

    with transaction() as session:
        assert session.scalars(select(User.disabled_at)).one() is None


def test_moments_compare_as_moments_whatever_their_zones(transaction: Transaction) -> None:
    with transaction() as session:
        for hours, minutes in enumerate(OFFSETS):
            user = a_user(name=str(hours))
            user.created_at = (MOMENT + timedelta(hours=hours)).astimezone(zone(minutes))
            session.add(user)

    limit = (MOMENT + timedelta(hours=2)).astimezone(zone(-600))
    with transaction() as session:
        in_order = session.scalars(select(User.name).order_by(User.created_at)).all()
        earlier = session.scalars(select(User.name).where(User.created_at < limit)).all()
    assert in_order == ["0", "1", "2", "3"]
    assert sorted(earlier) == ["0", "1"]


@on_postgresql
def test_the_connections_zone_does_not_matter(transaction: Transaction) -> None:
    user = a_user()
    user.created_at = MOMENT
    with transaction() as session:
        session.add(user)

    with transaction() as session:
        session.execute(text("SET LOCAL TIME ZONE 'Asia/Kolkata'"))
        assert session.scalars(select(User.created_at)).one().tzinfo is UTC


@on_sqlite
def test_sqlite_keeps_moments_as_iso_text_in_utc(transaction: Transaction) -> None:
    user = a_user()
    user.created_at = MOMENT.astimezone(zone(330))
    with transaction() as session:
        session.add(user)

    with transaction() as session:
        stored = session.scalar(text("SELECT created_at FROM users"))
    assert stored == "2026-03-29 01:30:15.123456"


def test_a_document_is_found_by_its_keys(transaction: Transaction) -> None:
    profiles: dict[str, dict[str, object]] = {
        "Ada": {"theme": "dark", "pages": {"size": 20}},
        "Grace": {"theme": "light", "pages": {"size": 50}},
        "Alan": {},
    }
    with transaction() as session:
        for name, profile in profiles.items():
            user = a_user(name=name)
            user.profile = profile
            session.add(user)

    by_key = select(User.name).where(User.profile["theme"].as_string() == "dark")
    by_path = select(User.name).where(User.profile[("pages", "size")].as_integer() > 20)
    with transaction() as session:
        assert session.scalars(by_key).all() == ["Ada"]
        assert session.scalars(by_path).all() == ["Grace"]
        stored = {user.name: user.profile for user in session.scalars(select(User))}
    assert stored == profiles


def test_what_a_provider_told_is_found_by_its_keys(transaction: Transaction) -> None:
    """DB-10."""
    with transaction() as session:
        user = a_user()
        session.add(user)
        session.flush()
        for name in ("ada", "grace"):
            identity = an_identity(user, subject=name)
            identity.profile = {"username": name, "email": None}
            session.add(identity)

    by_key = select(Identity.provider_id).where(Identity.profile["username"].as_string() == "ada")
    with transaction() as session:
        assert session.scalars(by_key).all() == ["ada"]


ARRAYS = [[], ["staff"], ["a,b", '"quoted"', "{}", "ü", "", "NULL"]]


@pytest.mark.parametrize("groups", ARRAYS, ids=["empty", "one", "awkward"])
def test_a_list_comes_back_as_it_was(transaction: Transaction, groups: list[str]) -> None:
    user = a_user()
    user.groups = groups
    with transaction() as session:
        session.add(user)

    with transaction() as session:
        assert session.scalars(select(User.groups)).one() == groups


@on_postgresql
@pytest.mark.parametrize(
    ("column", "native"),
    [
        ("groups", "text[]"),
        ("profile", "jsonb"),
        ("created_at", "timestamp with time zone"),
        ("webauthn_id", "bytea"),
        ("name", "text"),
    ],
)
def test_postgresql_has_its_native_types(
    transaction: Transaction, column: str, native: str
) -> None:
    with transaction() as session:
        session.add(a_user())

    # The column's name comes from the list above.
    query = text(f"SELECT pg_typeof({column})::text FROM users")  # noqa: S608
    with transaction() as session:
        assert session.scalar(query) == native


IN_BYTE_ORDER = ["", "-", "A", "B", "Z", "_", "a", "a-", "aB", "aa", "b", "é", "ﬀ", "😀"]


def test_canonical_addresses_and_ids_sort_as_bytes(transaction: Transaction) -> None:
    assert sorted(IN_BYTE_ORDER, key=str.encode) == IN_BYTE_ORDER
    with transaction() as session:
        for value in reversed(IN_BYTE_ORDER):
            user = a_user(email_canonical=value)
            user.id = value
            session.add(user)

    with transaction() as session:
        by_address = select(User.email_canonical).order_by(User.email_canonical)
        assert session.scalars(by_address).all() == IN_BYTE_ORDER
        assert session.scalars(select(User.id).order_by(User.id)).all() == IN_BYTE_ORDER
        past = session.scalars(select(User.id).where(User.id > "a").order_by(User.id))
        assert past.all() == IN_BYTE_ORDER[IN_BYTE_ORDER.index("a") + 1 :]


@on_postgresql
def test_text_that_is_compared_has_the_collation_of_bytes(
    transaction: Transaction,
) -> None:
    # The server's own order may be bytes as well, and then sorting alone would prove nothing.
    query = text(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = current_schema() AND collation_name = 'C'"
    )
    with transaction() as session:
        dialect = session.connection().dialect
        found = {(table, column) for table, column in session.execute(query)}

    wanted = {
        (table.name, column.name)
        for table in Base.metadata.tables.values()
        for column in table.columns
        if getattr(column.type.dialect_impl(dialect), "collation", None) == "C"
    }
    assert found == wanted
    assert {("users", "id"), ("users", "email_canonical"), ("oauth_providers", "issuer")} <= found
