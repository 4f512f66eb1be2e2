"""The figures: every number is the length of the list that it leads to, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask

from bench.reports import ENTERPRISES, fill
from clients.rp.entitlement import Reader
from clients.smdvs import statistics
from clients.smdvs.filters import Filters
from clients.smdvs.report import CHINA_TIME
from clients.smdvs.search import find_page
from clients.smdvs.statistics import Figures, Slice
from clients.smdvs.storage.reports import ReportRow
from clients.smdvs.system import System
from tests.clients.conftest import system_of
from tests.queries import AssertQueries

ALL = Reader("regulator", None)
OWN = Reader("handler", ENTERPRISES[0][0])
COUNT = 300
SELECTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"status": ["voided"]},
    {"vehicle_state": ["other", "driving"], "battery_type": ["lmo"]},
    {"vehicle_class": ["bus", "special"]},
    {"from": "2026-01-10", "to": "2026-04-20"},
    {"overdue": ["initial"]},
    {"overdue": ["detailed"], "province": "440000"},
    {"q": "示例"},
    {"q": "没有这个"},
)


@pytest.fixture
def system(smdvs_backend: Flask) -> System:
    found = system_of(smdvs_backend)
    fill(found, COUNT, whole=False)
    return found


def figures(system: System, reader: Reader = ALL, **filters: Any) -> Figures:
    return statistics.figures(system, reader, Filters.model_validate(filters))


def listed(system: System, reader: Reader, filters: Filters) -> list[ReportRow]:
    return list(find_page(system, reader, filters, 1, COUNT).rows)


def slices(found: Figures) -> Iterator[Slice]:
    for some in (*found.by.values(), found.months, found.provinces, found.initial, found.detailed):
        yield from some


@pytest.mark.parametrize("reader", [ALL, OWN], ids=["regulator", "enterprise"])
def test_each_number_is_that_of_the_list_behind_it(system: System, reader: Reader) -> None:
    for selection in SELECTIONS:
        found = figures(system, reader, **selection)
        assert found.totals.reports == len(listed(system, reader, found.filters)), selection
        for slice_ in slices(found):
            if slice_.filters is not None:
                rows = listed(system, reader, slice_.filters)
                assert slice_.reports == len(rows), (selection, slice_)
                if slice_.code:
                    assert slice_.deaths == sum(row.deaths for row in rows)
                    assert slice_.injured == sum(row.injured for row in rows)


def test_the_parts_of_a_whole_add_up(system: System) -> None:
    found = figures(system)
    for field in ("accident_type", "vehicle_state", "cause", "status"):
        assert sum(slice_.reports for slice_ in found.by[field]) == found.totals.reports
    for parts in (found.provinces, found.initial):
        assert sum(slice_.reports for slice_ in parts) == found.totals.reports
    assert sum(slice_.deaths for slice_ in found.provinces) == found.totals.deaths > 0
    assert sum(slice_.injured for slice_ in found.provinces) == found.totals.injured > 0


def test_void_reports_count_only_where_they_are_asked_for(system: System) -> None:
    void = figures(system, status=["voided"]).totals.reports
    assert void > 0
    assert figures(system).totals.reports == COUNT - void


def test_an_enterprise_counts_its_own_reports_only(system: System) -> None:
    own = figures(system, OWN)
    assert 0 < own.totals.reports < figures(system).totals.reports
    assert figures(system, OWN, q=ENTERPRISES[1][0]).totals.reports == 0
    assert figures(system, Reader("stranger", "91990101MADEM002XY")).totals.reports == 0


def test_a_report_that_does_not_say_is_counted_as_such(system: System) -> None:
    with system.database.transaction() as session:
        row = session.get(ReportRow, listed(system, ALL, figures(system).filters)[0].id)
        assert row is not None
        row.vehicle_state = row.battery_types = row.cause = None
    for field in ("vehicle_state", "battery_type", "cause"):
        assert figures(system).by[field][-1] == Slice("未填", 1, None)


def test_months_are_chinas_and_none_is_missing(system: System) -> None:
    with system.database.transaction() as session:
        newest = session.get(ReportRow, 1)
        assert newest is not None
        newest.occurred_at = datetime(2027, 2, 28, 16, 30, tzinfo=UTC)  # 1 March in China
        newest.status = "accepted"
    found = figures(system, ALL, **{"from": "2026-11-01"})
    names = [month.code for month in found.months]
    assert names[0] == "2026-11"
    assert names[-4:] == ["2026-12", "2027-01", "2027-02", "2027-03"]
    assert found.months[-1].reports == 1
    assert found.months[-2].reports == 0


def test_of_many_months_the_newest_are_shown(system: System) -> None:
    with system.database.transaction() as session:
        row = session.get(ReportRow, 1)
        assert row is not None
        row.occurred_at, row.status = datetime(2020, 5, 5, tzinfo=CHINA_TIME), "closed"
    found = figures(system)
    assert len(found.months) == statistics.MONTHS
    assert found.months_left_out > 24
    assert [month.code for month in figures(system, to="2020-12-31").months] == ["2020-05"]


def test_points_are_the_newest_reports_with_coordinates(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    located = [row for row in listed(system, ALL, figures(system).filters) if row.latitude is not None]
    found = figures(system).points
    assert [point.report_no for point in found] == [row.report_no for row in located]
    assert (found[0].longitude, found[0].latitude) == (located[0].longitude, located[0].latitude)
    monkeypatch.setattr(statistics, "POINTS", 5)
    assert len(figures(system).points) == 5


def test_the_statements_do_not_grow_with_the_reports(system: System, assert_queries: AssertQueries) -> None:
    with assert_queries(4):
        figures(system)


def test_nothing_at_all_is_counted_as_nothing(smdvs_backend: Flask) -> None:
    found = figures(system_of(smdvs_backend))
    assert found.totals.reports == 0
    assert found.months == []
