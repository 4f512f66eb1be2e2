"""Handler authorisations: history, renewals, reminders, suspension, reviews, invitations, escalations"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Apply; the former version runs beside this one."""
    _columns()
    _history()
    _renewals()
    _invitations()
    _escalations()


def _columns() -> None:
    for column in (
        sa.Column("reason_code", sa.String(length=32), nullable=True),
        sa.Column("route", sa.String(length=16), nullable=False, server_default="application"),
        sa.Column("suspended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
    ):
        op.add_column("handler_authorizations", column)
    op.add_column("enterprises", sa.Column("registry_answer", sa.String(length=8), nullable=True))
    op.add_column("enterprises", sa.Column("registry_asked_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "handler_reminders",
        sa.Column("subject_id", sa.String(length=22), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("about", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject_id", "kind", "about"),
    )


def _history() -> None:
    op.create_table(
        "handler_events",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("handler_authorization_id", sa.String(length=22), nullable=False),
        sa.Column("event", sa.String(length=32), nullable=False),
        sa.Column("side", sa.String(length=12), nullable=False),
        sa.Column("actor_id", sa.String(length=22), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("matters", sa.Text(), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason_code", sa.String(length=32), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["handler_authorization_id"], ["handler_authorizations.id"]),
        sa.ForeignKeyConstraint(["actor_id"], ["accounts.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        op.f("ix_handler_events_handler_authorization_id"), "handler_events", ["handler_authorization_id"]
    )
    _write_past_steps()


def _write_past_steps() -> None:
    """What the rows of today still tell of their past."""
    steps = (
        ("'apply'", "'handler'", "account_id", "applied_at", "NULL", "1 = 1"),
        ("'approve'", "'enterprise'", "decided_by", "decided_at", "NULL", "valid_from IS NOT NULL"),
        ("'refuse'", "'enterprise'", "decided_by", "decided_at", "reason", "status = 'refused'"),
        ("'withdraw'", "'handler'", "account_id", "decided_at", "NULL", "status = 'withdrawn'"),
        ("'revoke'", "'enterprise'", "revoked_by", "revoked_at", "reason", "status = 'revoked'"),
    )
    for event, side, actor, moment, reason, condition in steps:
        op.execute(
            "INSERT INTO handler_events"  # noqa: S608 - nothing but the words above
            " (handler_authorization_id, event, side, actor_id, occurred_at, matters, valid_until, reason)"
            f" SELECT id, {event}, {side}, {actor}, {moment}, matters, valid_until, {reason}"
            f" FROM handler_authorizations WHERE {condition} AND {moment} IS NOT NULL ORDER BY {moment}, id"
        )


def _renewals() -> None:
    op.create_table(
        "handler_renewals",
        sa.Column("id", sa.String(length=22), nullable=False),
        sa.Column("handler_authorization_id", sa.String(length=22), nullable=False),
        sa.Column("matters", sa.Text(), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(length=22), nullable=True),
        sa.Column("reason_code", sa.String(length=32), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["handler_authorization_id"], ["handler_authorizations.id"]),
        sa.ForeignKeyConstraint(["decided_by"], ["accounts.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        op.f("ix_handler_renewals_handler_authorization_id"), "handler_renewals", ["handler_authorization_id"]
    )
    _one_pending("handler_renewals")


def _one_pending(table: str) -> None:
    pending = sa.text("status = 'pending'")
    op.create_index(
        f"uq_{table}_pending",
        table,
        ["handler_authorization_id"],
        unique=True,
        sqlite_where=pending,
        postgresql_where=pending,
    )


def _invitations() -> None:
    op.create_table(
        "handler_invitations",
        sa.Column("id", sa.String(length=22), nullable=False),
        sa.Column("enterprise_id", sa.String(length=22), nullable=False),
        sa.Column("phone_encrypted", sa.Text(), nullable=False),
        sa.Column("phone_index", sa.String(length=64), nullable=False),
        sa.Column("real_name_encrypted", sa.Text(), nullable=False),
        sa.Column("matters", sa.Text(), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("invited_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("invited_by", sa.String(length=22), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("handler_authorization_id", sa.String(length=22), nullable=True),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprises.id"]),
        sa.ForeignKeyConstraint(["invited_by"], ["accounts.id"]),
        sa.ForeignKeyConstraint(["handler_authorization_id"], ["handler_authorizations.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    for column in ("enterprise_id", "phone_index", "expires_at"):
        op.create_index(op.f(f"ix_handler_invitations_{column}"), "handler_invitations", [column])


def _escalations() -> None:
    op.create_table(
        "handler_escalations",
        sa.Column("id", sa.String(length=22), nullable=False),
        sa.Column("handler_authorization_id", sa.String(length=22), nullable=False),
        sa.Column("account_id", sa.String(length=22), nullable=False),
        sa.Column("ground", sa.String(length=32), nullable=False),
        sa.Column("explanation_encrypted", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(length=22), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["handler_authorization_id"], ["handler_authorizations.id"]),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"]),
        sa.ForeignKeyConstraint(["decided_by"], ["accounts.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    for column in ("handler_authorization_id", "account_id"):
        op.create_index(op.f(f"ix_handler_escalations_{column}"), "handler_escalations", [column])
    _one_pending("handler_escalations")
    op.create_table(
        "handler_evidence",
        sa.Column("id", sa.String(length=22), nullable=False),
        sa.Column("escalation_id", sa.String(length=22), nullable=False),
        sa.Column("content_type", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content_encrypted", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["escalation_id"], ["handler_escalations.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_handler_evidence_escalation_id"), "handler_evidence", ["escalation_id"])


def downgrade() -> None:
    """Take back."""
    for table in (
        "handler_evidence",
        "handler_escalations",
        "handler_invitations",
        "handler_renewals",
        "handler_events",
        "handler_reminders",
    ):
        op.drop_table(table)
    with op.batch_alter_table("handler_authorizations") as batch:
        for column in ("reason_code", "route", "suspended_at", "reviewed_at", "last_used_at"):
            batch.drop_column(column)
    with op.batch_alter_table("enterprises") as batch:
        for column in ("registry_answer", "registry_asked_at"):
            batch.drop_column(column)
