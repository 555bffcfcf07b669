"""People, their passkeys and their sessions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "001_initial"
down_revision = None

BYTE_ORDERED_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TEXT_ARRAY = sa.JSON().with_variant(postgresql.ARRAY(sa.Text()), "postgresql")
JSON_DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    create_users()
    create_credentials()
    create_sessions()
    create_challenges()
    create_invitations()
    create_recovery_codes()


def downgrade() -> None:
    for table in (
        "recovery_codes",
        "invitations",
        "webauthn_challenges",
        "user_sessions",
        "removed_credentials",
        "webauthn_credentials",
        "users",
    ):
        op.drop_table(table)


def create_users() -> None:
    op.create_table(
        "users",
        sa.Column("id", BYTE_ORDERED_TEXT, nullable=False),
        sa.Column("email", sa.Text()),
        sa.Column("email_canonical", BYTE_ORDERED_TEXT),
        sa.Column("email_verified_at", MOMENT),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", BYTE_ORDERED_TEXT, nullable=False),
        sa.Column("groups", TEXT_ARRAY, nullable=False),
        sa.Column("webauthn_id", sa.LargeBinary(), nullable=False),
        sa.Column("disabled_at", MOMENT),
        sa.Column("locale", sa.Text()),
        sa.Column("profile", JSON_DOCUMENT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.CheckConstraint("role IN ('user', 'admin')", name=op.f("ck_users_role")),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("email_canonical", name="uq_users_email_canonical"),
        sa.UniqueConstraint("webauthn_id", name="uq_users_webauthn_id"),
    )


def create_credentials() -> None:
    table = "webauthn_credentials"
    op.create_table(
        table,
        sa.Column("id", BYTE_ORDERED_TEXT, nullable=False),
        sa.Column("user_id", BYTE_ORDERED_TEXT, nullable=False),
        sa.Column("credential_id", sa.LargeBinary(), nullable=False),
        sa.Column("rp_id", BYTE_ORDERED_TEXT, nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("transports", TEXT_ARRAY, nullable=False),
        sa.Column("aaguid", sa.Text()),
        sa.Column("backup_eligible", sa.Boolean(), nullable=False),
        sa.Column("backed_up", sa.Boolean(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("last_used_at", MOMENT),
        sa.Column("clone_suspected_at", MOMENT),
        sa.Column("quarantined_at", MOMENT),
        owner(table),
        sa.PrimaryKeyConstraint("id", name="pk_webauthn_credentials"),
        sa.UniqueConstraint("credential_id", name="uq_webauthn_credentials_credential_id"),
    )
    create_indexes(table, "user_id", "rp_id")
    op.create_table(
        "removed_credentials",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("removed_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_removed_credentials"),
    )


def create_sessions() -> None:
    table = "user_sessions"
    op.create_table(
        table,
        sa.Column("id", BYTE_ORDERED_TEXT, nullable=False),
        sa.Column("user_id", BYTE_ORDERED_TEXT, nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("purpose", BYTE_ORDERED_TEXT, nullable=False),
        sa.Column("parent_id", BYTE_ORDERED_TEXT),
        sa.Column("application_id", BYTE_ORDERED_TEXT),
        sa.Column("authenticated_at", MOMENT, nullable=False),
        sa.Column("authenticated_with", sa.Text(), nullable=False),
        sa.Column("authenticator_id", BYTE_ORDERED_TEXT),
        sa.Column("bound_key", sa.LargeBinary()),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("last_seen_at", MOMENT, nullable=False),
        sa.Column("idle_seconds", sa.Integer(), nullable=False),
        sa.Column("idle_expires_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("address", sa.Text()),
        sa.CheckConstraint("purpose IN ('full', 'enrol')", name=op.f("ck_user_sessions_purpose")),
        owner(table),
        sa.ForeignKeyConstraint(
            ["parent_id"],
            ["user_sessions.id"],
            name="fk_user_sessions_parent_id_user_sessions",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_user_sessions"),
        sa.UniqueConstraint("token_hash", name="uq_user_sessions_token_hash"),
    )
    create_indexes(
        table, "user_id", "parent_id", "authenticator_id", "idle_expires_at", "expires_at"
    )


def create_challenges() -> None:
    table = "webauthn_challenges"
    op.create_table(
        table,
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("user_id", BYTE_ORDERED_TEXT),
        sa.Column("session_id", BYTE_ORDERED_TEXT),
        sa.Column("browser_hash", sa.LargeBinary(), nullable=False),
        sa.Column("payload", JSON_DOCUMENT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "purpose IN ('registration', 'authentication', 'reauthentication', 'enrolment')",
            name=op.f("ck_webauthn_challenges_purpose"),
        ),
        owner(table),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["user_sessions.id"],
            name="fk_webauthn_challenges_session_id_user_sessions",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("hash", name="pk_webauthn_challenges"),
    )
    create_indexes(table, "user_id", "session_id", "expires_at")


def create_invitations() -> None:
    table = "invitations"
    op.create_table(
        table,
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("email_canonical", BYTE_ORDERED_TEXT),
        sa.Column("role", BYTE_ORDERED_TEXT, nullable=False),
        sa.Column("groups", TEXT_ARRAY, nullable=False),
        sa.Column("created_by", BYTE_ORDERED_TEXT),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.CheckConstraint("role IN ('user', 'admin')", name=op.f("ck_invitations_role")),
        owner(table, column="created_by", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("token_hash", name="pk_invitations"),
    )
    create_indexes(table, "created_by", "email_canonical", "expires_at")


def create_recovery_codes() -> None:
    table = "recovery_codes"
    op.create_table(
        table,
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", BYTE_ORDERED_TEXT, nullable=False),
        sa.Column("used_at", MOMENT),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT),
        owner(table),
        sa.PrimaryKeyConstraint("code_hash", name="pk_recovery_codes"),
    )
    create_indexes(table, "user_id", "expires_at")


def owner(
    table: str, *, column: str = "user_id", ondelete: str = "CASCADE"
) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}_users"
    return sa.ForeignKeyConstraint([column], ["users.id"], name=name, ondelete=ondelete)


def create_indexes(table: str, *columns: str) -> None:
    for column in columns:
        op.create_index(f"ix_{table}_{column}", table, [column])
