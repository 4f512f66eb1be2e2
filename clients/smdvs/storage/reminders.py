"""The reports that may be due for a reminder, in batches, and whom to remind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from clients.smdvs.storage.drafts import DraftRow
from clients.smdvs.storage.reports import ReportRow, ReportVersion


class Sealed(NamedTuple):
    """The sealed people of a version."""

    version: int
    personal_sealed: str


def list_open(
    session: Session,
    after: int,
    waiting: Iterable[str],
    due: tuple[datetime, datetime],
    returned: str,
    returned_since: datetime,
    limit: int,
) -> Sequence[ReportRow]:
    """The next reports (by id) without a detailed report due in that span, or returned since then."""
    without = and_(
        ReportRow.status.in_(list(waiting)),
        ReportRow.detailed_received_at.is_(None),
        ReportRow.detailed_due_at.between(*due),
    )
    back = and_(ReportRow.status == returned, ReportRow.updated_at >= returned_since)
    query = select(ReportRow).where(ReportRow.id > after, or_(without, back))
    return session.scalars(query.order_by(ReportRow.id).limit(limit)).all()


def list_drafts(
    session: Session, after: str, kind: str, occurred: tuple[datetime, datetime], limit: int
) -> Sequence[DraftRow]:
    """The next drafts (by id) of this kind, of an accident in that span."""
    query = select(DraftRow).where(
        DraftRow.id > after, DraftRow.kind == kind, DraftRow.occurred_at.between(*occurred)
    )
    return session.scalars(query.order_by(DraftRow.id).limit(limit)).all()


def newest_people(session: Session, report_id: int, kinds: Iterable[str]) -> Sealed:
    """The people of the newest version of these kinds; raises NoResultFound."""
    query = (
        select(ReportVersion.version, ReportVersion.personal_sealed)
        .where(ReportVersion.report_id == report_id, ReportVersion.kind.in_(list(kinds)))
        .order_by(ReportVersion.version.desc())
        .limit(1)
    )
    return Sealed(*session.execute(query).one())
