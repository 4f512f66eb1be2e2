"""Which of the platform's own texts an account agreed to"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Apply; the former version runs beside this one. Who registered before is asked at the next page."""
    op.create_table(
        "agreements",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("account_id", sa.String(length=22), nullable=False),
        sa.Column("document", sa.String(length=16), nullable=False),
        sa.Column("version", sa.String(length=16), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_agreements_account_id"), "agreements", ["account_id"])
    op.add_column("accounts", sa.Column("agreed_versions", sa.String(length=64), nullable=True))


def downgrade() -> None:
    """Take back."""
    op.drop_column("accounts", "agreed_versions")
    op.drop_index(op.f("ix_agreements_account_id"), "agreements")
    op.drop_table("agreements")
