"""What signing in with an outside account has to remember.

When a person lost an address that they had never proved, and when a provider said that the
person last authenticated there. The release before this one writes neither; it knows no outside
accounts, so providers are switched on once all processes are of this one.
"""

import sqlalchemy as sa
from alembic import op

revision = "004_outside_accounts"
down_revision = "003_schema_floor"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("users", sa.Column("address_lost_at", MOMENT))
    op.add_column("user_sessions", sa.Column("auth_time", MOMENT))


def downgrade() -> None:
    op.drop_column("user_sessions", "auth_time")
    op.drop_column("users", "address_lost_at")
