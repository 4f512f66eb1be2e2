"""When an account last signed in, was reminded, asked to be deleted; names that nobody gets again"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

# The trail has every sign-in. An account without one has been silent since it was registered.
LAST_SIGN_IN = """
UPDATE accounts SET last_sign_in_at = coalesce(
    (SELECT max(occurred_at) FROM audit_events
     WHERE audit_events.account_id = accounts.id AND audit_events.event = 'login:success'),
    created_at)
"""


def upgrade() -> None:
    """Apply; the former version runs beside this one."""
    for name in ("deletion_requested_at", "last_sign_in_at", "dormancy_reminded_at"):
        op.add_column("accounts", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_accounts_active_last_sign_in_at",
        "accounts",
        ["last_sign_in_at"],
        sqlite_where=sa.text("status = 'active'"),
        postgresql_where=sa.text("status = 'active'"),
    )
    op.create_index(
        "ix_accounts_deletion_requested_at",
        "accounts",
        ["deletion_requested_at"],
        sqlite_where=sa.text("deletion_requested_at IS NOT NULL"),
        postgresql_where=sa.text("deletion_requested_at IS NOT NULL"),
    )
    op.create_table(
        "retired_login_names",
        sa.Column("name_index", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("name_index"),
    )
    op.execute(LAST_SIGN_IN)


def downgrade() -> None:
    """Take back."""
    op.drop_table("retired_login_names")
    op.drop_index("ix_accounts_deletion_requested_at", "accounts")
    op.drop_index("ix_accounts_active_last_sign_in_at", "accounts")
    for name in ("dormancy_reminded_at", "last_sign_in_at", "deletion_requested_at"):
        op.drop_column("accounts", name)
