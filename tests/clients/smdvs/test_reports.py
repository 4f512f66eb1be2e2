"""Storing reports: numbers, keys and personal data, on both databases and under concurrency."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest
from flask import Flask

from clients.rp import clock
from clients.rp.entitlement import Reader, Reporter
from clients.smdvs import reports
from clients.smdvs.documents import report_from_json
from clients.smdvs.report import Report
from clients.smdvs.reports import Accepted, KeyReused, Origin
from clients.smdvs.system import System
from tests.clients.conftest import system_of
from tests.clients.documents import report_json, vehicle
from tests.clients.provider import ENTERPRISE, OTHER_ENTERPRISE

REPORTER = Reporter("person-1", "smdvs", "handler", ENTERPRISE, "authorization-1")
ALL = Reader("regulator", None)
ORIGIN = Origin("browser", "李示例", "示例新能源汽车有限公司")


@pytest.fixture
def system(smdvs_backend: Flask) -> System:
    return system_of(smdvs_backend)


def report(**changes: object) -> Report:
    outcome = report_from_json(report_json(**changes), clock.now())
    assert isinstance(outcome, Report)
    return outcome


def submit(
    system: System,
    key: str | None = None,
    who: Reporter = REPORTER,
    now: datetime | None = None,
    **changes: object,
) -> Accepted | KeyReused:
    return reports.submit(system, who, report(**changes), ORIGIN, key, now or clock.now())


def number(outcome: Accepted | KeyReused) -> str:
    assert isinstance(outcome, Accepted)
    return outcome.report_no


def total(system: System) -> int:
    return reports.list_page(system, ALL, 1, 1).total


def test_numbers_count_up_and_start_again_each_day_of_china(system: System) -> None:
    before_midnight = datetime(2026, 11, 23, 15, 59, 59, tzinfo=UTC)
    after_midnight = datetime(2026, 11, 23, 16, 0, 0, tzinfo=UTC)
    moments = (before_midnight, before_midnight, after_midnight)
    assert [number(submit(system, now=moment)) for moment in moments] == [
        "SMDVS-20261123-0001",
        "SMDVS-20261123-0002",
        "SMDVS-20261124-0001",
    ]


def test_parallel_submissions_get_numbers_of_their_own_without_a_gap(system: System) -> None:
    now = clock.now()
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: number(submit(system, now=now)), range(24)))
    assert sorted(int(found.rsplit("-", 1)[1]) for found in made) == list(range(1, 25))
    assert total(system) == 24


def test_the_same_key_and_body_is_stored_once(system: System) -> None:
    same = report()
    first = reports.submit(system, REPORTER, same, ORIGIN, "key", clock.now())
    assert reports.submit(system, REPORTER, same, ORIGIN, "key", clock.now()) == first
    assert total(system) == 1


def test_the_same_key_at_the_same_moment_is_stored_once(system: System) -> None:
    same, barrier = report(), Barrier(6)

    def send(_: int) -> str:
        barrier.wait()
        return number(reports.submit(system, REPORTER, same, ORIGIN, "key", clock.now()))

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(send, range(6)))) == 1
    assert total(system) == 1


def test_different_bodies_under_one_key_at_the_same_moment_store_one(system: System) -> None:
    bodies, barrier = [report(deaths=deaths) for deaths in range(4)], Barrier(4)

    def send(body: Report) -> Accepted | KeyReused:
        barrier.wait()
        return reports.submit(system, REPORTER, body, ORIGIN, "key", clock.now())

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(send, bodies))
    assert sum(isinstance(outcome, Accepted) for outcome in outcomes) == 1
    assert total(system) == 1


def test_a_key_with_another_body_stores_nothing(system: System) -> None:
    submit(system, "key")
    assert submit(system, "key", deaths=1) == KeyReused()
    assert total(system) == 1


def test_a_key_belongs_to_one_person_at_one_client(system: System) -> None:
    others = [
        Reporter("person-2", "smdvs", "handler", ENTERPRISE, "authorization-2"),
        Reporter("person-1", "another-client", "handler", ENTERPRISE, "authorization-1"),
    ]
    assert len({number(submit(system, "key", who)) for who in (REPORTER, *others)}) == 3


def test_a_submission_that_fails_gives_its_number_and_key_back(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    same, now = report(), clock.now()

    def fail(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(reports, "_version", fail)
        with pytest.raises(RuntimeError):
            reports.submit(system, REPORTER, same, ORIGIN, "key", now)
    assert total(system) == 0
    assert number(reports.submit(system, REPORTER, same, ORIGIN, "key", now)).endswith("-0001")


def test_a_report_of_another_enterprise_is_never_stored(system: System) -> None:
    with pytest.raises(ValueError, match="enterprise"):
        submit(system, enterprise_credit_code=OTHER_ENTERPRISE)
    assert total(system) == 0


def test_people_are_sealed_at_rest_and_masked_in_views(system: System) -> None:
    car = vehicle(owner_name="王示例", owner_phone="19900000009")
    report_no = number(submit(system, vehicles=[car]))
    with system.database.engine.connect() as connection:
        rows = str(connection.exec_driver_sql("SELECT * FROM report_versions").all())
    assert not [text for text in ("王示例", "19900000009", "19900000001", "李示例") if text in rows]
    view = reports.find(system, ALL, report_no)
    assert view is not None
    shown = view.document["vehicles"][0]
    assert (shown["owner_name"], shown["owner_phone"]) == ("*示例", "199****0009")
    assert view.document["reporter_phone"] == "199****0001"
    assert view.history[0].reporter_name == "*示例"


def test_a_version_tells_who_for_whom_and_on_what_it_rests(system: System) -> None:
    view = reports.find(system, ALL, number(submit(system)))
    assert view is not None
    version = view.history[0].version
    assert (version.sub, version.client_id, version.account_type) == ("person-1", "smdvs", "handler")
    assert version.enterprise_credit_code == ENTERPRISE
    assert version.handler_authorization_id == "authorization-1"
    assert len(version.digest) == 64


def test_an_enterprise_sees_its_own_reports_only(system: System) -> None:
    report_no = number(submit(system))
    stranger = Reader("x", OTHER_ENTERPRISE)
    assert reports.find(system, stranger, report_no) is None
    assert reports.list_page(system, stranger, 1, 10).total == 0
    assert reports.find(system, Reader("y", ENTERPRISE), report_no) is not None


def test_a_list_is_paged_newest_first(system: System) -> None:
    numbers = [number(submit(system)) for _ in range(5)]
    pages = [reports.list_page(system, ALL, page, 2) for page in (1, 2, 3)]
    assert [row.report_no for page in pages for row in page.rows] == numbers[::-1]
    assert pages[0].count == 3
