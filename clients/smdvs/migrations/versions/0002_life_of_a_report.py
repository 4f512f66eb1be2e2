"""Later versions of a report in a chain that can't be changed, and what lists and filters look for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

REPORTS = (
    sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
    sa.Column("county", sa.Text(), nullable=True),
    sa.Column("latitude", sa.Double(), nullable=True),
    sa.Column("longitude", sa.Double(), nullable=True),
    sa.Column("site_type", sa.Text(), nullable=True),
    sa.Column("vehicle_state", sa.Text(), nullable=True),
    sa.Column("vehicle_classes", sa.Text(), nullable=True),
    sa.Column("energy_types", sa.Text(), nullable=True),
    sa.Column("battery_types", sa.Text(), nullable=True),
    sa.Column("cause", sa.Text(), nullable=True),
    sa.Column("major_social_impact", sa.Boolean(), nullable=True),
    sa.Column("learned_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("detailed_due_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("detailed_received_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("detailed_overdue", sa.Boolean(), nullable=True),
    sa.Column("final_received_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("head_digest", sa.Text(), nullable=True),
)
INDEXES = {
    "ix_reports_status": ["status"],
    "ix_reports_occurred_at": ["occurred_at"],
    "ix_reports_detailed_due_at": ["detailed_due_at"],
}


def upgrade() -> None:
    for column in REPORTS:
        op.add_column("reports", column)
    for name, columns in INDEXES.items():
        op.create_index(name, "reports", columns)
    op.add_column("report_versions", sa.Column("reason", sa.Text(), nullable=True))
    op.add_column("report_versions", sa.Column("previous_digest", sa.Text(), nullable=True))
    op.add_column("submissions", sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    op.create_table(
        "report_vehicles",
        sa.Column("report_id", sa.Integer(), nullable=False),
        sa.Column("vin", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["report_id"], ["reports.id"]),
        sa.PrimaryKeyConstraint("report_id", "vin"),
    )
    op.create_index("ix_report_vehicles_vin", "report_vehicles", ["vin"])
    _copy_vins()
    _freeze_versions()


def _copy_vins() -> None:
    connection = op.get_bind()
    rows = connection.execute(sa.text("SELECT id, vins FROM reports")).all()
    pairs = [{"report_id": row.id, "vin": vin} for row in rows for vin in row.vins.split()]
    if pairs:
        connection.execute(
            sa.text("INSERT INTO report_vehicles (report_id, vin) VALUES (:report_id, :vin)"), pairs
        )


def _freeze_versions() -> None:
    """What was submitted stays: the database itself refuses to change or delete a version."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION report_versions_stay() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'a version of a report is never changed'; END $$"
        )
        op.execute(
            "CREATE TRIGGER report_versions_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON report_versions"
            " FOR EACH STATEMENT EXECUTE FUNCTION report_versions_stay()"
        )
        return
    for event in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER report_versions_stay_{event.lower()} BEFORE {event} ON report_versions"
            " BEGIN SELECT RAISE(ABORT, 'a version of a report is never changed'); END"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER report_versions_stay ON report_versions")
        op.execute("DROP FUNCTION report_versions_stay()")
    else:
        op.execute("DROP TRIGGER report_versions_stay_update")
        op.execute("DROP TRIGGER report_versions_stay_delete")
    op.drop_table("report_vehicles")
    for table, names in (
        ("submissions", ["version"]),
        ("report_versions", ["previous_digest", "reason"]),
        ("reports", [column.name for column in REPORTS]),
    ):
        if table == "reports":
            for index in INDEXES:
                op.drop_index(index, "reports")
        for name in names:
            op.drop_column(table, name)
