"""The log of deliberate looks at the people behind a report: added to, never changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from clients.smdvs.storage.database import Base
from clients.smdvs.storage.reports import ReportRow


class Access(Base):
    """One look: who (an account, no name), when, at which report, by which act, why, and what was shown
    (codes joined by spaces).
    """

    __tablename__ = "accesses"

    id: Mapped[int] = mapped_column(primary_key=True)
    report_id: Mapped[int] = mapped_column(ForeignKey("reports.id"), index=True)
    at: Mapped[datetime]
    sub: Mapped[str]
    account_type: Mapped[str]
    act: Mapped[str]
    reason: Mapped[str]
    shown: Mapped[str]


def list_accesses(session: Session, report_id: int) -> Sequence[Access]:
    """The looks at a report's people, oldest first."""
    return session.scalars(select(Access).where(Access.report_id == report_id).order_by(Access.id)).all()


def list_after(session: Session, access_id: int, limit: int) -> Sequence[tuple[Access, str]]:
    """The next looks at any report, oldest first, each with the report's number."""
    query = (
        select(Access, ReportRow.report_no)
        .join(ReportRow, ReportRow.id == Access.report_id)
        .where(Access.id > access_id)
        .order_by(Access.id)
        .limit(limit)
    )
    return [(access, report_no) for access, report_no in session.execute(query)]
