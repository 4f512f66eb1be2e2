"""Accounts of another platform that are linked to accounts here"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Apply; the former version runs beside this one."""
    op.create_table(
        "upstream_identities",
        sa.Column("issuer", sa.String(length=255), nullable=False),
        sa.Column("subject_index", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.String(length=22), nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"]),
        sa.PrimaryKeyConstraint("issuer", "subject_index"),
    )
    op.create_index(op.f("ix_upstream_identities_account_id"), "upstream_identities", ["account_id"])


def downgrade() -> None:
    """Take back."""
    op.drop_table("upstream_identities")
