"""Finding reports by filters: the conditions, a page of rows, how many there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta

from sqlalchemy import ColumnElement, and_, func, literal, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from clients.rp import uscc
from clients.smdvs import vin
from clients.smdvs.filters import Filters, Overdue
from clients.smdvs.lifecycle import CONTENT
from clients.smdvs.report import CHINA_TIME
from clients.smdvs.storage.reports import ReportRow, ReportVehicle, ReportVersion
from clients.smdvs.vocabulary import DeadlineClass, Status

Conditions = Sequence[ColumnElement[bool]]
Text = InstrumentedAttribute[str] | InstrumentedAttribute[str | None]
# Reports that nothing more is expected of.
OVER = (Status.CLOSED, Status.VOIDED)


def conditions(filters: Filters, enterprise: str | None, now: datetime) -> Conditions:
    """What a report must fulfil: the enterprise's (None: any), and each filter that is set."""
    found: list[ColumnElement[bool]] = []
    if enterprise is not None:
        found.append(ReportRow.enterprise_credit_code == enterprise)
    if filters.q is not None:
        found.append(_matching(filters.q))
    found += _coded(filters)
    found += _when(filters)
    if filters.overdue:
        found.append(or_(*(_overdue(kind, now) for kind in filters.overdue)))
    if filters.severe:
        found.append(or_(ReportRow.deaths > 0, ReportRow.deadline_class == DeadlineClass.SEVERE))
    if filters.casualties:
        found.append(ReportRow.deaths + ReportRow.injured > 0)
    return found


def list_page(session: Session, wanted: Conditions, offset: int, limit: int) -> Sequence[ReportRow]:
    """The reports from there on, newest first."""
    query = select(ReportRow).where(*wanted).order_by(ReportRow.id.desc()).offset(offset).limit(limit)
    return session.scalars(query).all()


def list_before(
    session: Session, wanted: Conditions, report_id: int | None, limit: int
) -> Sequence[ReportRow]:
    """The next reports after that one (None: from the newest), newest first."""
    query = select(ReportRow).where(*wanted).order_by(ReportRow.id.desc()).limit(limit)
    if report_id is not None:
        query = query.where(ReportRow.id < report_id)
    return session.scalars(query).all()


def count(session: Session, wanted: Conditions, most: int) -> int:
    """How many reports there are; it stops counting at ``most``."""
    some = select(ReportRow.id).where(*wanted).limit(most).subquery()
    return session.execute(select(func.count()).select_from(some)).scalar_one()


def detailed_overdue(now: datetime) -> ColumnElement[bool]:
    """The detailed report came late, or is due and hasn't come while one is still expected."""
    waiting = and_(
        ReportRow.detailed_received_at.is_(None),
        ReportRow.detailed_due_at < now,
        ReportRow.status.not_in(OVER),
    )
    return or_(ReportRow.detailed_overdue.is_(True), waiting)


def start_of(day: date) -> datetime:
    """The first moment of a day in China."""
    return datetime.combine(day, time.min, CHINA_TIME)


def _overdue(kind: Overdue, now: datetime) -> ColumnElement[bool]:
    return ReportRow.initial_overdue.is_(True) if kind is Overdue.INITIAL else detailed_overdue(now)


def _coded(filters: Filters) -> list[ColumnElement[bool]]:
    """The filters that name codes: a column with one code, or one with several joined by spaces."""
    single: tuple[
        tuple[InstrumentedAttribute[str] | InstrumentedAttribute[str | None], Sequence[str]], ...
    ] = (
        (ReportRow.status, filters.status),
        (ReportRow.accident_type, filters.accident_type),
        (ReportRow.province, (filters.province,) if filters.province else ()),
        (ReportRow.vehicle_state, filters.vehicle_state),
        (ReportRow.cause, filters.cause),
    )
    several = (
        (ReportRow.vehicle_classes, filters.vehicle_class),
        (ReportRow.battery_types, filters.battery_type),
        (ReportRow.energy_types, filters.energy_type),
    )
    found: list[ColumnElement[bool]] = [column.in_(codes) for column, codes in single if codes]
    return found + [_any_of(column, codes) for column, codes in several if codes]


def _any_of(column: InstrumentedAttribute[str | None], codes: Iterable[str]) -> ColumnElement[bool]:
    padded = literal(" ") + column + " "
    return or_(*(padded.contains(f" {code} ", autoescape=True) for code in codes))


def _when(filters: Filters) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if filters.first_day is not None:
        found.append(ReportRow.occurred_at >= start_of(filters.first_day))
    if filters.last_day is not None:
        found.append(ReportRow.occurred_at < start_of(filters.last_day + timedelta(days=1)))
    return found


def _matching(words: str) -> ColumnElement[bool]:
    """Whole numbers are looked up, anything else may stand anywhere in number, VIN, code, name or city."""
    code = words.upper()
    if vin.has_form(code):
        return _with_vehicle(ReportVehicle.vin == code)
    if uscc.is_canonical(code):
        return ReportRow.enterprise_credit_code == code
    if not code.isascii():  # as no number is
        return or_(_contains(ReportRow.enterprise_name, words), _contains(ReportRow.city, words))
    return or_(
        ReportRow.report_no.contains(code, autoescape=True),
        ReportRow.enterprise_credit_code.contains(code, autoescape=True),
        _contains(ReportRow.enterprise_name, words),
        _contains(ReportRow.city, words),
        _with_vehicle(ReportVehicle.vin.contains(code, autoescape=True)),
    )


def _with_vehicle(wanted: ColumnElement[bool]) -> ColumnElement[bool]:
    return ReportRow.id.in_(select(ReportVehicle.report_id).where(wanted))


def _contains(column: Text, words: str) -> ColumnElement[bool]:
    """Without regard to case where there is one: Chinese has none, and asking costs as much as looking."""
    if words.upper() == words.lower():
        return column.contains(words, autoescape=True)
    return column.icontains(words, autoescape=True)


def newest_documents(session: Session, report_ids: Sequence[int]) -> dict[int, str]:
    """What each of these reports says now, people left out: the document of its newest content, as JSON."""
    query = (
        select(ReportVersion.report_id, ReportVersion.document)
        .where(ReportVersion.report_id.in_(report_ids), ReportVersion.kind.in_(CONTENT))
        .order_by(ReportVersion.report_id, ReportVersion.version)
    )
    found: dict[int, str] = {row.report_id: row.document for row in session.execute(query)}
    return found
