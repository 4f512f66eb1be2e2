"""Event streams of clients, and the events that wait in them"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Apply; the former version runs beside this one."""
    op.create_table(
        "signal_streams",
        sa.Column("stream_id", sa.String(length=22), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("delivery_method", sa.String(length=32), nullable=False),
        sa.Column("endpoint_url", sa.Text(), nullable=True),
        sa.Column("authorization_header_encrypted", sa.Text(), nullable=True),
        sa.Column("events_requested", sa.Text(), nullable=False),
        sa.Column("description", sa.String(length=300), nullable=True),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("status_reason", sa.String(length=300), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["clients.client_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("stream_id"),
        sa.UniqueConstraint("client_id"),
    )
    op.create_table(
        "signal_events",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("stream_id", sa.String(length=22), nullable=False),
        sa.Column("jti", sa.String(length=22), nullable=False),
        sa.Column("payload_encrypted", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["stream_id"], ["signal_streams.stream_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("jti"),
    )
    op.create_index(op.f("ix_signal_events_stream_id"), "signal_events", ["stream_id"])
    op.create_index(op.f("ix_signal_events_created_at"), "signal_events", ["created_at"])


def downgrade() -> None:
    """Take back."""
    op.drop_table("signal_events")
    op.drop_table("signal_streams")
