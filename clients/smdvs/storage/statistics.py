"""Reports counted: three statements that group by what has few values, and one for the points of the map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Text, case, func, literal, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from clients.smdvs.storage.reports import ReportRow
from clients.smdvs.storage.search import OVER, Conditions, detailed_overdue


class month_in_china(FunctionElement[str]):  # noqa: N801 # it reads as the function that it is
    """``2026-11`` of a moment, in China."""

    type = Text()
    inherit_cache = True


@compiles(month_in_china, "sqlite")
def _in_sqlite(element: month_in_china, compiler: SQLCompiler, **options: Any) -> str:
    return f"strftime('%Y-%m', {compiler.process(element.clauses, **options)}, '+8 hours')"


@compiles(month_in_china, "postgresql")
def _in_postgresql(element: month_in_china, compiler: SQLCompiler, **options: Any) -> str:
    moment = compiler.process(element.clauses, **options)
    return f"to_char({moment} AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM')"


@dataclass(frozen=True)
class Accidents:
    """How many reports there are of one kind of accident."""

    accident_type: str
    vehicle_state: str | None
    cause: str | None
    reports: int


@dataclass(frozen=True)
class Place:
    """How many reports, dead and injured there are of a province and a month (``2026-11``)."""

    province: str
    month: str
    reports: int
    deaths: int
    injured: int


@dataclass(frozen=True)
class Standings:
    """How many reports there are of one state and one kind of vehicles (codes joined by spaces), and how many
    of them were late: ``detailed_open`` is not there and not due yet.
    """

    status: str
    vehicle_classes: str | None
    battery_types: str | None
    reports: int
    initial_late: int
    detailed_in_time: int
    detailed_late: int
    detailed_open: int


@dataclass(frozen=True)
class Point:
    """A report whose place is known by coordinates."""

    report_no: str
    longitude: float
    latitude: float
    accident_type: str


def count_accidents(session: Session, wanted: Conditions) -> Sequence[Accidents]:
    """The reports by type, state of the vehicle and cause."""
    columns = (ReportRow.accident_type, ReportRow.vehicle_state, ReportRow.cause)
    return [Accidents(*row) for row in _grouped(session, wanted, columns, ())]


def count_places(session: Session, wanted: Conditions) -> Sequence[Place]:
    """The reports by province and month of the accident."""
    month: ColumnElement[str] = month_in_china(ReportRow.occurred_at).label("month")
    sums = (func.sum(ReportRow.deaths), func.sum(ReportRow.injured))
    return [Place(*row) for row in _grouped(session, wanted, (ReportRow.province, month), sums)]


def count_standings(session: Session, wanted: Conditions, now: datetime) -> Sequence[Standings]:
    """The reports by status and vehicles, and how they stand to their deadlines."""
    late = detailed_overdue(now)
    in_time = ReportRow.detailed_received_at.is_not(None) & ReportRow.detailed_overdue.is_not(True)
    waiting = ReportRow.detailed_received_at.is_(None) & ReportRow.status.not_in(OVER) & ~late
    columns = (ReportRow.status, ReportRow.vehicle_classes, ReportRow.battery_types)
    sums = [
        _how_many(condition) for condition in (ReportRow.initial_overdue.is_(True), in_time, late, waiting)
    ]
    return [Standings(*row) for row in _grouped(session, wanted, columns, sums)]


def list_points(session: Session, wanted: Conditions, most: int) -> Sequence[Point]:
    """The newest reports that have coordinates."""
    columns: Sequence[Any] = (
        ReportRow.report_no,
        ReportRow.longitude,
        ReportRow.latitude,
        ReportRow.accident_type,
    )
    located = (ReportRow.longitude.is_not(None), ReportRow.latitude.is_not(None))
    query = select(*columns).where(*wanted, *located).order_by(ReportRow.id.desc()).limit(most)
    return [Point(*row) for row in session.execute(query)]


def _grouped(
    session: Session, wanted: Conditions, columns: Sequence[Any], sums: Sequence[Any]
) -> Sequence[Any]:
    query = select(*columns, func.count(), *sums).where(*wanted).group_by(*columns)
    return session.execute(query).all()


def _how_many(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, literal(1)), else_=0))
