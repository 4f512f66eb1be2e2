"""Passwords that an operator hands out, for one sign-in"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Apply; the former version runs beside this one."""
    op.add_column(
        "accounts", sa.Column("temporary_password_until", sa.DateTime(timezone=True), nullable=True)
    )


def downgrade() -> None:
    """Take back."""
    op.drop_column("accounts", "temporary_password_until")
