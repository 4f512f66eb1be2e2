"""Finding reports: each filter leaves exactly what it says, on both databases, for whom it may."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from bench.reports import ENTERPRISES, fill
from clients.rp import clock
from clients.rp.entitlement import Reader
from clients.smdvs.filters import Filters
from clients.smdvs.report import CHINA_TIME
from clients.smdvs.search import find_page
from clients.smdvs.storage import search as rows
from clients.smdvs.storage.reports import ReportRow
from clients.smdvs.system import System
from tests.clients.conftest import system_of
from tests.queries import AssertQueries

ALL = Reader("regulator", None)
OWN = Reader("handler", ENTERPRISES[0][0])
COUNT = 400


@pytest.fixture
def system(smdvs_backend: Flask) -> System:
    found = system_of(smdvs_backend)
    fill(found, COUNT, whole=False)
    return found


def everything(system: System) -> list[ReportRow]:
    """Every report, newest first, without a filter."""
    with system.database.reading() as session:
        return list(rows.list_before(session, (), None, COUNT * 2))


def found(system: System, reader: Reader = ALL, **filters: Any) -> list[str]:
    page = find_page(system, reader, Filters.model_validate(filters), 1, COUNT)
    assert page.total == len(page.rows)
    return [row.report_no for row in page.rows]


def late(row: ReportRow) -> bool:
    due = row.detailed_due_at or datetime.max.replace(tzinfo=CHINA_TIME)
    waiting = row.detailed_received_at is None and row.status not in ("closed", "voided")
    return bool(row.detailed_overdue) or (waiting and due < clock.now())


FIRST, LAST = clock.now() - timedelta(days=300), clock.now() - timedelta(days=200)


def day(moment: datetime) -> str:
    return f"{moment.astimezone(CHINA_TIME):%Y-%m-%d}"


WAYS: dict[str, tuple[dict[str, Any], Callable[[ReportRow], bool]]] = {
    "status": ({"status": ["closed", "returned"]}, lambda row: row.status in {"closed", "returned"}),
    "type": ({"accident_type": ["fire"]}, lambda row: row.accident_type == "fire"),
    "province": ({"province": "440000"}, lambda row: row.province == "440000"),
    "state": ({"vehicle_state": ["charging"]}, lambda row: row.vehicle_state == "charging"),
    "class": ({"vehicle_class": ["bus"]}, lambda row: "bus" in (row.vehicle_classes or "").split()),
    "cause": ({"cause": ["water", "human"]}, lambda row: row.cause in {"water", "human"}),
    "battery": (
        {"battery_type": ["lfp", "other"]},
        lambda row: bool({"lfp", "other"} & set((row.battery_types or "").split())),
    ),
    "energy": ({"energy_type": ["phev"]}, lambda row: "phev" in (row.energy_types or "").split()),
    "days": (
        {"from": day(FIRST), "to": day(LAST)},
        lambda row: day(FIRST) <= day(row.occurred_at) <= day(LAST),
    ),
    "severe": ({"severe": True}, lambda row: row.deaths > 0 or row.deadline_class == "severe"),
    "initial": ({"overdue": ["initial"]}, lambda row: row.initial_overdue),
    "detailed": ({"overdue": ["detailed"]}, late),
    "either": ({"overdue": ["initial", "detailed"]}, lambda row: row.initial_overdue or late(row)),
    "casualties": ({"casualties": True}, lambda row: row.deaths + row.injured > 0),
    "together": (
        {"casualties": True, "status": ["closed"], "accident_type": ["fire", "smoke"]},
        lambda row: (
            row.deaths + row.injured > 0 and row.status == "closed" and row.accident_type in {"fire", "smoke"}
        ),
    ),
}


def test_each_filter_leaves_what_it_says(system: System) -> None:
    stored = everything(system)
    for name, (filters, fits) in WAYS.items():
        wanted = [row.report_no for row in stored if fits(row)]
        assert 0 < len(wanted) < COUNT, name
        assert found(system, **filters) == wanted, name
        own = [
            row.report_no for row in stored if fits(row) and row.enterprise_credit_code == ENTERPRISES[0][0]
        ]
        assert found(system, OWN, **filters) == own, name


def test_words_are_looked_for_in_number_vin_enterprise_and_city(system: System) -> None:
    one = everything(system)[7]
    vin, code = one.vins.split()[0], one.enterprise_credit_code
    for words in (
        one.report_no,
        one.report_no[6:].lower(),
        vin,
        vin.lower(),
        vin[-7:],
        code,
        code.lower()[:16],
    ):
        assert one.report_no in found(system, q=words), words
    assert found(system, q=vin) == found(system, q=one.report_no) == [one.report_no]
    assert set(found(system, q=one.enterprise_name)) == set(found(system, q=code))
    assert one.report_no in found(system, q=one.city[:2])


@pytest.mark.parametrize("words", ["%", "_", "/", "\\", "'", '"', "示%", "_____", "';--", "100%"])
def test_words_are_words_and_no_pattern(system: System, words: str) -> None:
    assert found(system, q=words) == []


def test_letters_of_a_name_are_found_in_either_case(system: System) -> None:
    with system.database.transaction() as session:
        row = session.get(ReportRow, everything(system)[0].id)
        assert row is not None
        row.enterprise_name = "示例Auto有限公司"
    for words in ("示例auto", "AUTO有", "aUt"):
        assert len(found(system, q=words)) == 1


def test_no_filter_opens_another_enterprises_reports(system: System) -> None:
    stranger = ENTERPRISES[1]
    for words in (*stranger, everything(system)[0].report_no):
        others = found(system, OWN, q=words)
        assert all(
            row.enterprise_credit_code == OWN.enterprise_credit_code for row in rows_of(system, others)
        )


def rows_of(system: System, numbers: list[str]) -> list[ReportRow]:
    return [row for row in everything(system) if row.report_no in numbers]


def test_pages_follow_one_another_without_gap_or_repetition(system: System) -> None:
    wanted = Filters.model_validate({"status": ["closed"]})
    first = find_page(system, ALL, wanted, 1, 30)
    pages = [find_page(system, ALL, wanted, number, 30) for number in range(1, first.count + 1)]
    assert {page.total for page in pages} == {first.total}
    turned = [row.report_no for page in pages for row in page.rows]
    assert turned == found(system, status=["closed"])
    assert find_page(system, ALL, wanted, first.count + 1, 30).rows == []


def test_a_page_takes_two_statements_at_most(system: System, assert_queries: AssertQueries) -> None:
    with assert_queries(2):
        find_page(system, ALL, Filters(), 1)
    with assert_queries(1):  # a page that isn't full counts itself
        find_page(system, ALL, Filters(q="没有这个"), 1)


def test_counting_stops_where_nobody_turns_pages_any_more(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clients.smdvs.search.MOST", 100)
    page = find_page(system, ALL, Filters(), 1)
    assert (page.total, page.more, page.count) == (100, True, 5)
