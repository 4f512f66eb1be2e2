"""An enterprise's reports that wait for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import and_, case, or_, select
from sqlalchemy.orm import Session

from clients.smdvs.storage.reports import ReportRow


def list_due(
    session: Session, enterprise: str, waiting: Iterable[str], returned: str, limit: int
) -> Sequence[ReportRow]:
    """Those returned, then those without a detailed report, the earliest due first."""
    without = and_(ReportRow.status.in_(list(waiting)), ReportRow.detailed_received_at.is_(None))
    back = ReportRow.status == returned
    query = select(ReportRow).where(ReportRow.enterprise_credit_code == enterprise, or_(without, back))
    order = (case((back, 0), else_=1), ReportRow.detailed_due_at, ReportRow.id)
    return session.scalars(query.order_by(*order).limit(limit)).all()
