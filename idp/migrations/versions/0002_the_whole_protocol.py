"""What authorizations and clients keep for the whole protocol"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Apply; every column may be empty, so that the former version runs beside this one."""
    op.add_column("authorizations", sa.Column("resources", sa.Text(), nullable=True))
    op.add_column("authorizations", sa.Column("authorization_details", sa.Text(), nullable=True))
    op.add_column("authorizations", sa.Column("dpop_jkt", sa.String(length=43), nullable=True))
    op.add_column("clients", sa.Column("registration_access_token_hash", sa.String(length=64), nullable=True))
    op.create_table(
        "initial_access_tokens",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("uses_left", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=22), nullable=True),
        sa.PrimaryKeyConstraint("token_hash"),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("initial_access_tokens")
    op.drop_column("clients", "registration_access_token_hash")
    for name in ("dpop_jkt", "authorization_details", "resources"):
        op.drop_column("authorizations", name)
