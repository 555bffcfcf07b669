"""${message}"""

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    ${upgrades if upgrades else 'raise RuntimeError("nothing is written here")'}


def downgrade() -> None:
    ${downgrades if downgrades else 'raise RuntimeError("nothing is written here")'}
