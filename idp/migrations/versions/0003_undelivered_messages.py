"""What the outbox could not deliver is found without reading what it could"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

UNDELIVERED = sa.text("delivered_at IS NULL")


def upgrade() -> None:
    """Apply; the former version runs beside this one."""
    op.create_index(
        "ix_outbox_undelivered",
        "outbox",
        ["id"],
        sqlite_where=UNDELIVERED,
        postgresql_where=UNDELIVERED,
    )


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_outbox_undelivered", table_name="outbox")
