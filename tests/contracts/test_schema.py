"""The migrations make exactly the tables that the models describe, names and all (DB-8, DB-18)."""

from collections.abc import Callable, Iterator

import pytest
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import check, downgrade
from sqlalchemy import CheckConstraint, Inspector, UniqueConstraint, inspect, text
from sqlalchemy.exc import IntegrityError

from app.cli.db import MIGRATIONS, run_migrations
from app.database import WRITES
from app.extensions import db
from app.models import Base
from app.services.schema import REVISIONS
from tests.support.units import engine_of

TABLES = sorted(Base.metadata.tables)
OF_THE_SCHEMA = {"alembic_version", "schema_floor"}
"""What the migrations keep for themselves, and no model describes."""


@pytest.fixture
def schema(migrated_app: Flask) -> Inspector:
    return inspect(engine_of(migrated_app))


def drift(app: Flask) -> bool:
    """Tell whether `flask db check` finds the models and the database apart."""
    with app.app_context():
        try:
            check(directory=str(MIGRATIONS))
        except SystemExit:
            return True
    return False


def downgrade_to_nothing(app: Flask) -> None:
    with app.app_context():
        downgrade(directory=str(MIGRATIONS), revision="base")


def test_the_tables_are_those_of_the_models(schema: Inspector) -> None:
    assert sorted(set(schema.get_table_names()) - OF_THE_SCHEMA) == TABLES


@pytest.mark.parametrize("name", TABLES)
def test_constraints_and_indexes_have_the_names_of_the_models(schema: Inspector, name: str) -> None:
    table = Base.metadata.tables[name]
    named: dict[type, set[object]] = {CheckConstraint: set(), UniqueConstraint: set()}
    for constraint in table.constraints:
        named.setdefault(type(constraint), set()).add(constraint.name)

    assert schema.get_pk_constraint(name)["name"] == table.primary_key.name
    assert {one["name"] for one in schema.get_check_constraints(name)} == named[CheckConstraint]
    uniques = {one["name"] for one in schema.get_unique_constraints(name)}
    assert uniques == named[UniqueConstraint]
    # PostgreSQL lists the index beneath a unique constraint as well.
    indexes = {one["name"]: one["column_names"] for one in schema.get_indexes(name)}
    assert {index: indexes[index] for index in indexes.keys() - uniques} == {
        index.name: [column.name for column in index.columns] for index in table.indexes
    }


@pytest.mark.parametrize("name", TABLES)
def test_foreign_keys_do_what_the_models_say(schema: Inspector, name: str) -> None:
    found = {
        one["name"]: (one["constrained_columns"], one["referred_table"], one["options"])
        for one in schema.get_foreign_keys(name)
    }

    assert found == {
        key.name: (key.column_keys, key.referred_table.name, {"ondelete": key.ondelete})
        for key in Base.metadata.tables[name].foreign_key_constraints
    }


def test_every_foreign_key_column_leads_an_index(schema: Inspector) -> None:
    """Else deleting a person reads whole tables."""
    for name in TABLES:
        leading = {one["column_names"][0] for one in schema.get_indexes(name)}
        keyed = {one["constrained_columns"][0] for one in schema.get_foreign_keys(name)}
        assert keyed <= leading, name


def test_the_release_knows_its_own_migrations() -> None:
    scripts = ScriptDirectory(str(MIGRATIONS)).walk_revisions()

    assert tuple(script.revision for script in scripts)[::-1] == REVISIONS


def test_the_schema_says_which_release_it_still_serves_and_says_one(migrated_app: Flask) -> None:
    add = text("INSERT INTO schema_floor VALUES (:id, '001_initial')")
    with engine_of(migrated_app).connect() as connection:
        floors = connection.scalars(text("SELECT revision FROM schema_floor")).all()

    assert len(floors) == 1
    assert floors[0] in REVISIONS
    for number in (1, 2):
        with (
            pytest.raises(IntegrityError),
            engine_of(migrated_app).execution_options(**{WRITES: True}).begin() as connection,
        ):
            connection.execute(add, {"id": number})


def test_the_models_and_the_migrations_agree(migrated_app: Flask) -> None:
    assert not drift(migrated_app)


CHANGES = {
    "an_index_is_missing": ("DROP INDEX ix_user_sessions_expires_at",),
    "a_column_is_missing": ("ALTER TABLE users DROP COLUMN locale",),
    "a_column_is_unknown": ("ALTER TABLE users ADD COLUMN nickname TEXT",),
    "a_table_is_unknown": ("CREATE TABLE extra (id INTEGER PRIMARY KEY)",),
    "a_column_has_another_type": (
        "ALTER TABLE users DROP COLUMN locale",
        "ALTER TABLE users ADD COLUMN locale INTEGER",
    ),
}


def test_a_schema_that_has_drifted_is_noticed(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    for name, statements in CHANGES.items():
        with engine_of(app).execution_options(**{WRITES: True}).begin() as connection:
            for statement in statements:
                connection.execute(text(statement))
        assert drift(app), name
        downgrade_to_nothing(app)
        with engine_of(app).execution_options(**{WRITES: True}).begin() as connection:
            connection.execute(text("DROP TABLE IF EXISTS extra"))
        run_migrations(app)
        assert not drift(app)


def leftovers(app: Flask) -> Iterator[str]:
    engine = engine_of(app)
    if engine.dialect.name == "sqlite":
        query = "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
    else:
        query = (
            "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace"
            " UNION SELECT typname FROM pg_type"
            " WHERE typnamespace = current_schema()::regnamespace"
        )
    with engine.connect() as connection:
        names = connection.scalars(text(query)).all()
    return (name for name in names if "alembic_version" not in name)


def test_downgrading_leaves_nothing_and_upgrading_again_is_clean(
    make_app: Callable[..., Flask],
) -> None:
    app = make_app()
    assert set(TABLES) <= set(leftovers(app))

    downgrade_to_nothing(app)
    assert list(leftovers(app)) == []

    run_migrations(app)
    assert not drift(app)
    with app.app_context():
        assert set(db.metadata.tables) <= set(leftovers(app))
