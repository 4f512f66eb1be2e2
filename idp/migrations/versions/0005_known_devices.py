"""Browsers that accounts sign in from, and logins whose token is due to be renewed"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Apply; the former version runs beside this one."""
    op.create_table(
        "known_devices",
        sa.Column("id", sa.String(length=22), nullable=False),
        sa.Column("account_id", sa.String(length=22), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_agent", sa.String(length=300), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_hash"),
    )
    op.create_index("ix_known_devices_account_id", "known_devices", ["account_id", "last_seen_at"])
    op.add_column("logins", sa.Column("renewal_due", sa.Boolean(), nullable=True))


def downgrade() -> None:
    """Take back."""
    op.drop_column("logins", "renewal_due")
    op.drop_index("ix_known_devices_account_id", "known_devices")
    op.drop_table("known_devices")
