"""The regulator's acts: in order, with reasons, and exactly one of two at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask

from clients.rp import clock
from clients.rp.entitlement import Reader, Reporter
from clients.smdvs import reports, reviews, submissions
from clients.smdvs.access import Reviewer
from clients.smdvs.documents import report_from_json
from clients.smdvs.lifecycle import Act, NotNow
from clients.smdvs.report import Part, Report
from clients.smdvs.reports import ReportView
from clients.smdvs.submissions import Accepted, Changed, NotFound
from clients.smdvs.system import System
from clients.smdvs.versions import Origin
from clients.smdvs.vocabulary import Status
from tests.clients.conftest import system_of
from tests.clients.documents import report_json
from tests.clients.provider import ENTERPRISE

REPORTER = Reporter("person-1", "smdvs", "handler", ENTERPRISE, "authorization-1")
REVIEWER = Reviewer("regulator-1", "smdvs")
ORIGIN = Origin("browser", "李示例", "示例新能源汽车有限公司")


class Finding(Part):
    """Stands for the result of an investigation: what a version says is no matter of this module."""

    root_cause: str


@pytest.fixture
def system(smdvs_backend: Flask) -> System:
    return system_of(smdvs_backend)


def detailed(system: System) -> str:
    """A report that waits for its review."""
    made = report_from_json(report_json(), clock.now())
    assert isinstance(made, Report)
    first = submissions.submit_initial(system, REPORTER, made, ORIGIN, None, clock.now())
    assert isinstance(first, Accepted)
    send(system, first.report_no, Act.DETAILED, made)
    return first.report_no


def send(system: System, report_no: str, act: Act, document: Part) -> object:
    return submissions.submit_version(
        system, REPORTER, report_no, act, document, ORIGIN, None, None, clock.now()
    )


def review(
    system: System, report_no: str, act: Act, reason: str | None = None, expected: int | None = None
) -> object:
    return reviews.carry_out(system, REVIEWER, "周示例", report_no, act, reason, expected, clock.now())


def view_of(system: System, report_no: str) -> ReportView:
    found = reports.find(system, Reader("regulator-1", None), report_no)
    assert found is not None
    return found


def test_the_whole_way_from_detailed_to_closed_stands_in_the_chain(system: System) -> None:
    report_no = detailed(system)
    assert review(system, report_no, Act.REVIEW) == Accepted(report_no, 3)
    assert review(system, report_no, Act.RETURN, "请补充车辆铭牌照片") == Accepted(report_no, 4)
    view = view_of(system, report_no)
    assert (view.row.status, view.return_reason) == (Status.RETURNED, "请补充车辆铭牌照片")
    made = report_from_json(report_json(deaths=1), clock.now())
    assert isinstance(made, Report)
    assert send(system, report_no, Act.DETAILED, made) == Accepted(report_no, 5)
    assert review(system, report_no, Act.REVIEW) == Accepted(report_no, 6)
    assert review(system, report_no, Act.ACCEPT) == Accepted(report_no, 7)
    assert review(system, report_no, Act.INVESTIGATE) == Accepted(report_no, 8)
    assert send(system, report_no, Act.FINAL, Finding(root_cause="电池内短路")) == Accepted(report_no, 9)
    assert review(system, report_no, Act.CLOSE) == Accepted(report_no, 10)
    view = view_of(system, report_no)
    assert view.row.status == Status.CLOSED
    assert view.row.closed_at is not None
    assert view.broken is None
    assert view.return_reason is None
    assert view.document["deaths"] == 1
    assert view.result == {"root_cause": "电池内短路"}
    regulators = [entry for entry in view.history if entry.version.account_type == "regulator"]
    assert {entry.version.enterprise_credit_code for entry in regulators} == {""}
    assert {entry.reporter_name for entry in regulators} == {"*示例"}


def test_a_return_without_a_reason_and_an_act_out_of_turn_change_nothing(system: System) -> None:
    report_no = detailed(system)
    out_of_turn = NotNow("act_not_possible", Status.DETAILED_SUBMITTED, Act.ACCEPT)
    assert review(system, report_no, Act.ACCEPT) == out_of_turn
    review(system, report_no, Act.REVIEW)
    assert review(system, report_no, Act.RETURN, "") == NotNow(
        "reason_missing", Status.UNDER_REVIEW, Act.RETURN
    )
    assert view_of(system, report_no).row.version == 3


def test_a_report_without_a_result_is_not_closed(system: System) -> None:
    report_no = detailed(system)
    review(system, report_no, Act.REVIEW)
    review(system, report_no, Act.ACCEPT)
    assert review(system, report_no, Act.CLOSE) == NotNow("final_missing", Status.ACCEPTED, Act.CLOSE)


def test_who_has_read_an_older_version_is_told_the_newest(system: System) -> None:
    assert review(system, detailed(system), Act.REVIEW, expected=1) == Changed(2)


def test_a_report_that_is_not_there_is_not_reviewed(system: System) -> None:
    assert review(system, "SMDVS-20200101-0001", Act.REVIEW) == NotFound()


def test_of_two_regulators_at_once_exactly_one_decides(system: System) -> None:
    report_no = detailed(system)
    review(system, report_no, Act.REVIEW)
    barrier = Barrier(2)

    def decide(act: Act) -> object:
        barrier.wait()
        return review(system, report_no, act, "请补充", 3)

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(decide, (Act.ACCEPT, Act.RETURN)))
    assert sorted(map(str, outcomes)) == sorted([str(Accepted(report_no, 4)), str(Changed(4))])
    assert len(view_of(system, report_no).history) == 4
