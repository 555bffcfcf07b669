"""Applications that trust us, and codes that hand a session over to their hosts.

The release before this one opens no session for an application and takes none for its own, since
each has a parent; so it serves on, and a downgrade leaves them where they are.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "005_applications"
down_revision = "004_outside_accounts"

BYTE_ORDERED_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
JSON_DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TEXT_ARRAY = sa.JSON().with_variant(postgresql.ARRAY(sa.Text()), "postgresql")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    create_applications()
    create_handover_codes()
    op.create_index("ix_user_sessions_application_id", "user_sessions", ["application_id"])


def downgrade() -> None:
    op.drop_index("ix_user_sessions_application_id", "user_sessions")
    op.drop_table("handover_codes")
    op.drop_table("applications")


def create_applications() -> None:
    op.create_table(
        "applications",
        sa.Column("id", BYTE_ORDERED_TEXT, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("origins", TEXT_ARRAY, nullable=False),
        sa.Column("redirect_uris", TEXT_ARRAY, nullable=False),
        sa.Column("audience", BYTE_ORDERED_TEXT),
        sa.Column("secret_hash", sa.LargeBinary()),
        sa.Column("allowed_groups", TEXT_ARRAY, nullable=False),
        sa.Column("header_map", JSON_DOCUMENT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_applications"),
    )


def create_handover_codes() -> None:
    table = "handover_codes"
    op.create_table(
        table,
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("application_id", BYTE_ORDERED_TEXT, nullable=False),
        sa.Column("session_id", BYTE_ORDERED_TEXT, nullable=False),
        sa.Column("browser_hash", sa.LargeBinary(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("return_to", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["applications.id"],
            name="fk_handover_codes_application_id_applications",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["user_sessions.id"],
            name="fk_handover_codes_session_id_user_sessions",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("code_hash", name="pk_handover_codes"),
    )
    for column in ("application_id", "session_id", "expires_at"):
        op.create_index(f"ix_{table}_{column}", table, [column])
