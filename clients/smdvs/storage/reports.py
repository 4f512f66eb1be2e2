"""Accident reports: the row people look for, its immutable versions, its number,
and who sent it under which key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, cast

from sqlalchemy import Double, ForeignKey, Integer, bindparam, delete, func, select, text, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Mapped, Session, mapped_column

from clients.smdvs.storage.database import Base, UtcDateTime


class ReportRow(Base):
    """A report as lists show it."""

    __tablename__ = "reports"

    id: Mapped[int] = mapped_column(primary_key=True)
    report_no: Mapped[str] = mapped_column(unique=True)
    enterprise_credit_code: Mapped[str] = mapped_column(index=True)
    enterprise_name: Mapped[str | None]
    status: Mapped[str] = mapped_column(index=True)
    accident_type: Mapped[str]
    province: Mapped[str]
    city: Mapped[str]
    vins: Mapped[str]
    deaths: Mapped[int]
    injured: Mapped[int]
    occurred_at: Mapped[datetime] = mapped_column(index=True)
    received_at: Mapped[datetime]
    deadline_policy: Mapped[str]
    deadline_class: Mapped[str]
    due_at: Mapped[datetime]
    initial_overdue: Mapped[bool]
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    county: Mapped[str | None]
    latitude: Mapped[float | None] = mapped_column(Double)
    longitude: Mapped[float | None] = mapped_column(Double)
    site_type: Mapped[str | None]
    vehicle_state: Mapped[str | None]
    vehicle_classes: Mapped[str | None]
    energy_types: Mapped[str | None]
    battery_types: Mapped[str | None]
    cause: Mapped[str | None]
    major_social_impact: Mapped[bool | None]
    learned_at: Mapped[datetime | None]
    updated_at: Mapped[datetime | None]
    detailed_due_at: Mapped[datetime | None] = mapped_column(index=True)
    detailed_received_at: Mapped[datetime | None]
    detailed_overdue: Mapped[bool | None]
    final_received_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    head_digest: Mapped[str | None]


class ReportVehicle(Base):
    """A vehicle that the newest content of a report names."""

    __tablename__ = "report_vehicles"

    report_id: Mapped[int] = mapped_column(ForeignKey("reports.id"), primary_key=True)
    vin: Mapped[str] = mapped_column(primary_key=True, index=True)


class ReportVersion(Base):
    """One act, never changed (the database itself refuses): what was said, by whom, for which enterprise,
    resting on what, and linked to the act before it.
    """

    __tablename__ = "report_versions"

    report_id: Mapped[int] = mapped_column(ForeignKey("reports.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    document: Mapped[str]
    personal_sealed: Mapped[str]
    digest: Mapped[str]
    channel: Mapped[str]
    client_id: Mapped[str]
    sub: Mapped[str]
    account_type: Mapped[str]
    enterprise_credit_code: Mapped[str]
    handler_authorization_id: Mapped[str | None]
    received_at: Mapped[datetime]
    reason: Mapped[str | None]
    previous_digest: Mapped[str | None]


class ReportNumber(Base):
    """The last number given on a day (of China)."""

    __tablename__ = "report_numbers"

    day: Mapped[str] = mapped_column(primary_key=True)
    last: Mapped[int]


class Submission(Base):
    """An Idempotency-Key, used by one person at one client, and the version of a report that it made."""

    __tablename__ = "submissions"

    client_id: Mapped[str] = mapped_column(primary_key=True)
    sub: Mapped[str] = mapped_column(primary_key=True)
    key_hash: Mapped[str] = mapped_column(primary_key=True)
    body_digest: Mapped[str]
    report_no: Mapped[str]
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    created_at: Mapped[datetime] = mapped_column(index=True)


# The row's lock makes concurrent submitters queue here; a rolled back submission gives its number back.
_NEXT_NUMBER = text(
    "INSERT INTO report_numbers (day, last) VALUES (:day, 1)"
    " ON CONFLICT (day) DO UPDATE SET last = report_numbers.last + 1 RETURNING last"
).columns(last=Integer)

_CLAIM_KEY = text(
    "INSERT INTO submissions (client_id, sub, key_hash, body_digest, report_no, version, created_at)"
    " VALUES (:client_id, :sub, :key_hash, :body_digest, :report_no, :version, :created_at)"
    " ON CONFLICT DO NOTHING RETURNING 1"
).bindparams(bindparam("created_at", type_=UtcDateTime()))


def next_report_no(session: Session, day: date) -> str:
    """``SMDVS-YYYYMMDD-NNNN``, the next of that day."""
    stamp = f"{day:%Y%m%d}"
    last: int = session.execute(_NEXT_NUMBER, {"day": stamp}).scalar_one()
    return f"SMDVS-{stamp}-{last:04d}"


def find_submission(session: Session, client_id: str, sub: str, key_hash: str) -> Submission | None:
    """What that key was used for."""
    return session.get(Submission, (client_id, sub, key_hash))


def claim_submission(session: Session, submission: Submission) -> bool:
    """Bind the key to this version; false when another submission has it, which may have come at the same
    moment.
    """
    values = {column.key: getattr(submission, column.key) for column in Submission.__table__.columns}
    return session.execute(_CLAIM_KEY, values).first() is not None


def find_report(session: Session, report_no: str, enterprise: str | None) -> ReportRow | None:
    """That report, if it is the enterprise's (None: of any enterprise)."""
    query = select(ReportRow).where(ReportRow.report_no == report_no)
    if enterprise is not None:
        query = query.where(ReportRow.enterprise_credit_code == enterprise)
    return session.scalars(query).one_or_none()


def get_report(session: Session, report_no: str) -> ReportRow:
    """That report; raises NoResultFound."""
    return session.scalars(select(ReportRow).where(ReportRow.report_no == report_no)).one()


def advance(session: Session, row: ReportRow, changes: Mapping[str, object]) -> bool:
    """Take the report one version further; false when somebody else has meanwhile, and nothing is changed."""
    known = (ReportRow.id == row.id, ReportRow.version == row.version)
    change = update(ReportRow).where(*known).values(version=row.version + 1, **changes)
    # What SQLAlchemy returns for UPDATE.
    return cast("CursorResult[Any]", session.execute(change)).rowcount == 1


def put_vehicles(session: Session, report_id: int, vins: Iterable[str]) -> None:
    """These are the vehicles that the report names now."""
    session.execute(delete(ReportVehicle).where(ReportVehicle.report_id == report_id))
    add_vehicles(session, report_id, vins)


def add_vehicles(session: Session, report_id: int, vins: Iterable[str]) -> None:
    """The vehicles of a new report."""
    session.add_all([ReportVehicle(report_id=report_id, vin=vin) for vin in vins])


def list_reports(session: Session, enterprise: str | None, offset: int, limit: int) -> Sequence[ReportRow]:
    """The enterprise's reports (None: everyone's), newest first."""
    query = select(ReportRow).order_by(ReportRow.id.desc()).offset(offset).limit(limit)
    if enterprise is not None:
        query = query.where(ReportRow.enterprise_credit_code == enterprise)
    return session.scalars(query).all()


def count_reports(session: Session, enterprise: str | None) -> int:
    """How many reports list_reports has in all."""
    query = select(func.count()).select_from(ReportRow)
    if enterprise is not None:
        query = query.where(ReportRow.enterprise_credit_code == enterprise)
    return session.execute(query).scalar_one()


def list_versions(session: Session, report_id: int) -> Sequence[ReportVersion]:
    """The submissions of a report, oldest first."""
    query = select(ReportVersion).where(ReportVersion.report_id == report_id).order_by(ReportVersion.version)
    return session.scalars(query).all()


def last_digest(session: Session, report_id: int) -> str:
    """The digest of the newest act of a report; raises NoResultFound."""
    query = (
        select(ReportVersion.digest)
        .where(ReportVersion.report_id == report_id)
        .order_by(ReportVersion.version.desc())
        .limit(1)
    )
    return session.scalars(query).one()


def list_after(session: Session, report_id: int, limit: int) -> Sequence[ReportRow]:
    """The next reports by the order of their reception."""
    query = select(ReportRow).where(ReportRow.id > report_id).order_by(ReportRow.id).limit(limit)
    return session.scalars(query).all()


def versions_of(session: Session, report_ids: Sequence[int]) -> dict[int, list[ReportVersion]]:
    """The versions of several reports, each oldest first."""
    query = (
        select(ReportVersion)
        .where(ReportVersion.report_id.in_(report_ids))
        .order_by(ReportVersion.report_id, ReportVersion.version)
    )
    found: dict[int, list[ReportVersion]] = {}
    for version in session.scalars(query):
        found.setdefault(version.report_id, []).append(version)
    return found
