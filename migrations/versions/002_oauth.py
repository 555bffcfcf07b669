"""Outside accounts that people link, and authorization requests under way."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "002_oauth"
down_revision = "001_initial"

BYTE_ORDERED_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
JSON_DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    create_identities()
    create_authorization_requests()


def downgrade() -> None:
    op.drop_table("oauth_sessions")
    op.drop_table("oauth_providers")


def create_identities() -> None:
    op.create_table(
        "oauth_providers",
        sa.Column("id", BYTE_ORDERED_TEXT, nullable=False),
        sa.Column("user_id", BYTE_ORDERED_TEXT, nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("issuer", BYTE_ORDERED_TEXT, nullable=False),
        sa.Column("provider_id", BYTE_ORDERED_TEXT, nullable=False),
        sa.Column("access_token", sa.Text()),
        sa.Column("refresh_token", sa.Text()),
        sa.Column("token_expires_at", MOMENT),
        sa.Column("refresh_lease_until", MOMENT),
        sa.Column("profile", JSON_DOCUMENT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("last_used_at", MOMENT),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name="fk_oauth_providers_user_id_users",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_oauth_providers"),
        sa.UniqueConstraint("issuer", "provider_id", name="uq_oauth_providers_issuer_provider_id"),
    )
    op.create_index("ix_oauth_providers_user_id", "oauth_providers", ["user_id"])


def create_authorization_requests() -> None:
    op.create_table(
        "oauth_sessions",
        sa.Column("state_hash", sa.LargeBinary(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("issuer", BYTE_ORDERED_TEXT, nullable=False),
        sa.Column("nonce", sa.Text()),
        sa.Column("code_verifier", sa.Text(), nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("return_to", sa.Text()),
        sa.Column("browser_hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", BYTE_ORDERED_TEXT),
        sa.Column("session_id", BYTE_ORDERED_TEXT),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "purpose IN ('sign_in', 'link', 'step_up')", name=op.f("ck_oauth_sessions_purpose")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name="fk_oauth_sessions_user_id_users",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["user_sessions.id"],
            name="fk_oauth_sessions_session_id_user_sessions",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("state_hash", name="pk_oauth_sessions"),
    )
    for column in ("user_id", "session_id", "expires_at"):
        op.create_index(f"ix_oauth_sessions_{column}", "oauth_sessions", [column])
