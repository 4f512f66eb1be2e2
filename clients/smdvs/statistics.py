"""What the reports of a selection come to: the figures of the statistics page, each with its list."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from clients.rp import clock
from clients.rp.entitlement import Reader
from clients.smdvs.categories import CATEGORIES, COUNTED
from clients.smdvs.filters import Filters, Overdue
from clients.smdvs.labels import label
from clients.smdvs.storage import search
from clients.smdvs.storage import statistics as rows
from clients.smdvs.storage.search import OVER
from clients.smdvs.storage.statistics import Accidents, Place, Point, Standings
from clients.smdvs.system import System

MONTHS = 24
POINTS = 1000
_Coded = tuple[set[str], int]
_Sums = tuple[int, int, int]
NOT_SAID = "未填"


@dataclass(frozen=True)
class Slice:
    """One bar: what is counted, how many reports, dead and injured (where that is counted), and the filters
    that list exactly these reports (None where no filter does).
    """

    name: str
    reports: int
    filters: Filters | None
    code: str = ""
    deaths: int = 0
    injured: int = 0


@dataclass(frozen=True)
class Totals:
    """The whole selection in numbers; ``open``: neither closed nor void."""

    reports: int
    deaths: int
    injured: int
    open: int
    initial_late: int
    detailed_late: int


@dataclass(frozen=True)
class Figures:
    """Everything that the statistics page shows of a selection."""

    filters: Filters
    totals: Totals
    by: Mapping[str, Sequence[Slice]]
    months: Sequence[Slice]
    months_left_out: int
    provinces: Sequence[Slice]
    initial: Sequence[Slice]
    detailed: Sequence[Slice]
    points: Sequence[Point]


@dataclass(frozen=True)
class _Counted:
    accidents: Sequence[Accidents]
    places: Sequence[Place]
    standings: Sequence[Standings]
    points: Sequence[Point]


def figures(system: System, reader: Reader, asked: Filters) -> Figures:
    """The figures of the reports that this person may read; without void ones, unless a status is asked for.

    Four statements, however many reports there are.
    """
    filters = asked if asked.status else asked.changed(status=COUNTED)
    now = clock.now()
    wanted = search.conditions(filters, reader.enterprise_credit_code, now)
    with system.database.reading() as session:
        counted = _Counted(
            rows.count_accidents(session, wanted),
            rows.count_places(session, wanted),
            rows.count_standings(session, wanted, now),
            rows.list_points(session, wanted, POINTS),
        )
    return _figures(filters, counted)


def _figures(filters: Filters, counted: _Counted) -> Figures:
    months = _months(filters, counted.places)
    return Figures(
        filters=filters,
        totals=_totals(counted),
        by={field: _by(field, filters, coded) for field, coded in _coded(counted).items()},
        months=months[-MONTHS:],
        months_left_out=len(months[:-MONTHS]),
        provinces=_provinces(filters, counted.places),
        initial=_initial(filters, counted.standings),
        detailed=_detailed(filters, counted.standings),
        points=counted.points,
    )


def _totals(counted: _Counted) -> Totals:
    return Totals(
        reports=sum(place.reports for place in counted.places),
        deaths=sum(place.deaths for place in counted.places),
        injured=sum(place.injured for place in counted.places),
        open=sum(standing.reports for standing in counted.standings if standing.status not in OVER),
        initial_late=sum(standing.initial_late for standing in counted.standings),
        detailed_late=sum(standing.detailed_late for standing in counted.standings),
    )


def _coded(counted: _Counted) -> dict[str, list[_Coded]]:
    """For each field the codes that reports have, and how many reports have just these."""
    kinds, standings = counted.accidents, counted.standings
    return {
        "accident_type": [({kind.accident_type}, kind.reports) for kind in kinds],
        "vehicle_state": [(_codes(kind.vehicle_state), kind.reports) for kind in kinds],
        "cause": [(_codes(kind.cause), kind.reports) for kind in kinds],
        "vehicle_class": [(_codes(standing.vehicle_classes), standing.reports) for standing in standings],
        "battery_type": [(_codes(standing.battery_types), standing.reports) for standing in standings],
        "status": [({standing.status}, standing.reports) for standing in standings],
    }


def _codes(joined: str | None) -> set[str]:
    return set((joined or "").split())


def _by(field: str, filters: Filters, coded: Sequence[_Coded]) -> list[Slice]:
    """A slice for each category; a report whose vehicles differ is in several, one that doesn't say in none.

    Where the field itself is filtered, only what was chosen is counted: the list behind a slice is the same.
    """
    chosen = set(getattr(filters, field))
    found = []
    for category in CATEGORIES[field]:
        codes = [code for code in category.codes if not chosen or code in chosen]
        if codes:
            reports = sum(reports for has, reports in coded if has.intersection(codes))
            found.append(Slice(category.name, reports, filters.changed(**{field: codes})))
    unsaid = sum(reports for has, reports in coded if not has)
    return [*found, Slice(NOT_SAID, unsaid, None)] if unsaid else found


def _months(filters: Filters, places: Sequence[Place]) -> list[Slice]:
    """Each month from the first accident to the last, those without one too."""
    by_month = _summed((place.month, place) for place in places)
    if not by_month:
        return []
    return [
        _month(filters, name, by_month.get(name, (0, 0, 0)))
        for name in _from_to(min(by_month), max(by_month))
    ]


def _month(filters: Filters, name: str, sums: _Sums) -> Slice:
    first, last = _days_of(name)
    first, last = max(first, filters.first_day or first), min(last, filters.last_day or last)
    return Slice(name, sums[0], filters.changed(**{"from": first, "to": last}), name, sums[1], sums[2])


def _provinces(filters: Filters, places: Sequence[Place]) -> list[Slice]:
    """The provinces that have a report, the most first."""
    by_province = sorted(
        _summed((place.province, place) for place in places).items(), key=lambda item: (-item[1][0], item[0])
    )
    return [
        Slice(label("province", code), sums[0], filters.changed(province=code), code, sums[1], sums[2])
        for code, sums in by_province
    ]


def _initial(filters: Filters, standings: Sequence[Standings]) -> list[Slice]:
    late = sum(standing.initial_late for standing in standings)
    all_ = sum(standing.reports for standing in standings)
    return [Slice("按时", all_ - late, None), Slice("迟报", late, _late(filters, Overdue.INITIAL))]


def _detailed(filters: Filters, standings: Sequence[Standings]) -> list[Slice]:
    """What was given up before a detailed report was due is in none of them."""
    late = sum(standing.detailed_late for standing in standings)
    return [
        Slice("按时", sum(standing.detailed_in_time for standing in standings), None),
        Slice("逾期", late, _late(filters, Overdue.DETAILED)),
        Slice("未到期", sum(standing.detailed_open for standing in standings), None),
    ]


def _late(filters: Filters, kind: Overdue) -> Filters | None:
    """The list of those that are late; there is none where being late otherwise is asked for already."""
    return filters.changed(overdue=(kind,)) if set(filters.overdue) <= {kind} else None


def _summed(places: Iterable[tuple[str, Place]]) -> dict[str, _Sums]:
    sums: dict[str, _Sums] = {}
    for name, place in places:
        reports, deaths, injured = sums.get(name, (0, 0, 0))
        sums[name] = (reports + place.reports, deaths + place.deaths, injured + place.injured)
    return sums


def _from_to(first: str, last: str) -> list[str]:
    """``2026-11``, ``2026-12``, ``2027-01``."""
    begins, ends = (int(month[:4]) * 12 + int(month[5:]) - 1 for month in (first, last))
    return [f"{number // 12:04}-{number % 12 + 1:02}" for number in range(begins, ends + 1)]


def _days_of(month: str) -> tuple[date, date]:
    year, number = int(month[:4]), int(month[5:])
    return date(year, number, 1), date(year, number, monthrange(year, number)[1])
