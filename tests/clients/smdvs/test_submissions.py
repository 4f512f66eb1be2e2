"""Storing reports: numbers, keys and personal data, on both databases and under concurrency."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy.exc import DBAPIError

from clients.rp import clock
from clients.rp.entitlement import Reader, Reporter
from clients.smdvs import reports, submissions, versions
from clients.smdvs.documents import report_from_json
from clients.smdvs.lifecycle import Act, NotNow
from clients.smdvs.report import Report
from clients.smdvs.reports import ReportView
from clients.smdvs.submissions import Accepted, Changed, KeyReused, NotFound, Refused, Unattached
from clients.smdvs.system import System
from clients.smdvs.versions import Origin
from clients.smdvs.vocabulary import Status
from tests.clients.conftest import system_of
from tests.clients.documents import report_json, vehicle
from tests.clients.provider import ENTERPRISE, OTHER_ENTERPRISE
from tests.queries import AssertQueries

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
) -> Accepted | KeyReused | Unattached:
    return submissions.submit_initial(system, who, report(**changes), ORIGIN, key, now or clock.now())


def number(outcome: Accepted | KeyReused | Unattached) -> str:
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
    first = submissions.submit_initial(system, REPORTER, same, ORIGIN, "key", clock.now())
    assert submissions.submit_initial(system, REPORTER, same, ORIGIN, "key", clock.now()) == first
    assert total(system) == 1


def test_the_same_key_at_the_same_moment_is_stored_once(system: System) -> None:
    same, barrier = report(), Barrier(6)

    def send(_: int) -> str:
        barrier.wait()
        return number(submissions.submit_initial(system, REPORTER, same, ORIGIN, "key", clock.now()))

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(send, range(6)))) == 1
    assert total(system) == 1


def test_different_bodies_under_one_key_at_the_same_moment_store_one(system: System) -> None:
    bodies, barrier = [report(deaths=deaths) for deaths in range(4)], Barrier(4)

    def send(body: Report) -> Accepted | KeyReused | Unattached:
        barrier.wait()
        return submissions.submit_initial(system, REPORTER, body, ORIGIN, "key", clock.now())

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
        patch.setattr(versions, "make", fail)
        with pytest.raises(RuntimeError):
            submissions.submit_initial(system, REPORTER, same, ORIGIN, "key", now)
    assert total(system) == 0
    assert number(submissions.submit_initial(system, REPORTER, same, ORIGIN, "key", now)).endswith("-0001")


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


def later(
    system: System,
    report_no: str,
    act: Act = Act.SUPPLEMENT,
    who: Reporter = REPORTER,
    key: str | None = None,
    expected: int | None = None,
    **changes: object,
) -> Accepted | Refused:
    return submissions.submit_version(
        system, who, report_no, act, report(**changes), ORIGIN, key, expected, clock.now()
    )


def withdraw(
    system: System, report_no: str, reason: str = "误报", who: Reporter = REPORTER, key: str | None = None
) -> Accepted | Refused:
    return submissions.void(system, who, report_no, reason, ORIGIN, key, 1, clock.now())


def view_of(system: System, report_no: str) -> ReportView:
    found = reports.find(system, ALL, report_no)
    assert found is not None
    return found


def test_a_supplement_is_a_version_more_and_what_the_report_says_now(system: System) -> None:
    report_no = number(submit(system))
    cars = [vehicle(), vehicle(vin="LTEST00B4S1000002")]
    assert later(system, report_no, deaths=2, vehicles=cars) == Accepted(report_no, 2)
    view = view_of(system, report_no)
    assert (view.row.status, view.row.version, view.row.deaths) == ("supplemented", 2, 2)
    assert view.row.vins == "LTEST00A0R1000001 LTEST00B4S1000002"
    assert view.document["deaths"] == 2
    assert [entry.act for entry in view.history] == ["initial", "supplement"]
    assert view.history[0].document["deaths"] == 0


def test_the_detailed_report_is_timed_when_it_comes(system: System) -> None:
    report_no = number(submit(system))
    later(system, report_no, Act.DETAILED)
    row = view_of(system, report_no).row
    assert row.status == "detailed_submitted"
    assert row.detailed_received_at is not None
    assert row.detailed_overdue is False


def test_a_later_version_of_an_alien_report_finds_nothing(system: System) -> None:
    report_no = number(submit(system))
    stranger = Reporter("x", "smdvs", "legal_person", OTHER_ENTERPRISE, None)
    assert later(system, report_no, who=stranger, enterprise_credit_code=OTHER_ENTERPRISE) == NotFound()
    assert (
        submissions.void(system, stranger, report_no, "误报", ORIGIN, None, None, clock.now()) == NotFound()
    )
    assert view_of(system, report_no).row.version == 1


def test_who_has_read_an_older_version_is_told_the_newest(system: System) -> None:
    report_no = number(submit(system))
    later(system, report_no)
    assert later(system, report_no, expected=1) == Changed(2)
    assert view_of(system, report_no).row.version == 2


def test_of_later_versions_at_the_same_moment_exactly_one_is_accepted(system: System) -> None:
    report_no, bodies, barrier = number(submit(system)), [report(deaths=n) for n in range(4)], Barrier(4)

    def send(body: Report) -> Accepted | Refused:
        barrier.wait()
        return submissions.submit_version(
            system, REPORTER, report_no, Act.SUPPLEMENT, body, ORIGIN, None, 1, clock.now()
        )

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(send, bodies))
    assert outcomes.count(Accepted(report_no, 2)) == 1
    assert outcomes.count(Changed(2)) == 3
    assert len(view_of(system, report_no).history) == 2


def test_a_later_version_under_the_same_key_is_stored_once(system: System) -> None:
    report_no, same, barrier = number(submit(system)), report(deaths=1), Barrier(6)

    def send(_: int) -> Accepted | Refused:
        barrier.wait()
        return submissions.submit_version(
            system, REPORTER, report_no, Act.SUPPLEMENT, same, ORIGIN, "key", 1, clock.now()
        )

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(send, range(6))) == {Accepted(report_no, 2)}
    assert later(system, report_no, key="key", deaths=5) == KeyReused()
    assert later(system, report_no, Act.DETAILED, key="key", deaths=1) == KeyReused()
    assert len(view_of(system, report_no).history) == 2


def test_a_report_is_withdrawn_with_a_reason_and_stays_so(system: System) -> None:
    report_no = number(submit(system))
    now = clock.now()
    missing = submissions.void(system, REPORTER, report_no, " ", ORIGIN, None, 1, now)
    assert missing == NotNow("reason_missing", Status.INITIAL_SUBMITTED, Act.VOID)
    assert submissions.void(system, REPORTER, report_no, "误报", ORIGIN, "k", 1, now) == Accepted(
        report_no, 2
    )
    assert submissions.void(system, REPORTER, report_no, "误报", ORIGIN, "k", 1, now) == Accepted(
        report_no, 2
    )
    assert later(system, report_no) == NotNow("act_not_possible", Status.VOIDED, Act.SUPPLEMENT)
    assert view_of(system, report_no).history[-1].version.reason == "误报"


def test_the_database_itself_refuses_to_change_what_was_submitted(system: System) -> None:
    submit(system)
    for statement in ("UPDATE report_versions SET document = '{}'", "DELETE FROM report_versions"):
        with pytest.raises(DBAPIError, match="never changed"), system.database.engine.begin() as connection:
            connection.exec_driver_sql(statement)


def test_statements_do_not_grow_with_the_number_of_reports_or_versions(
    system: System, assert_queries: AssertQueries
) -> None:
    report_no = number(submit(system))
    for _ in range(5):
        submit(system)
        later(system, report_no)
    with assert_queries(4):
        later(system, report_no)
    with assert_queries(4):
        submit(system)
