"""The log of exports, which the database itself refuses to change."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "exports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sub", sa.Text(), nullable=False),
        sa.Column("enterprise_credit_code", sa.Text(), nullable=True),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("filters", sa.Text(), nullable=False),
        sa.Column("reports", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    _freeze()


def _freeze() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION exports_stay() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'the log of exports is never changed'; END $$"
        )
        op.execute(
            "CREATE TRIGGER exports_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON exports"
            " FOR EACH STATEMENT EXECUTE FUNCTION exports_stay()"
        )
        return
    for event in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER exports_stay_{event.lower()} BEFORE {event} ON exports"
            " BEGIN SELECT RAISE(ABORT, 'the log of exports is never changed'); END"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER exports_stay ON exports")
        op.execute("DROP FUNCTION exports_stay()")
    op.drop_table("exports")
