"""The oldest release that the schema still serves, named by the newest migration it knows.

A migration that the release before it cannot serve on raises the floor (docs/database.md).
"""

import sqlalchemy as sa
from alembic import op

revision = "003_schema_floor"
down_revision = "002_oauth"


def upgrade() -> None:
    floor = op.create_table(
        "schema_floor",
        # There is one row: a second one has no number left.
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.Text(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_schema_floor_id")),
        sa.PrimaryKeyConstraint("id", name="pk_schema_floor"),
    )
    # A release that knows nothing of this table serves beside it.
    op.execute(floor.insert().values(id=1, revision="002_oauth"))


def downgrade() -> None:
    op.drop_table("schema_floor")
