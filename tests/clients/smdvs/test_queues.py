"""The tabs above the list: what waits, for whom, and how many."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from clients.rp import clock
from clients.rp.entitlement import Reader, Reporter
from clients.smdvs import queues
from clients.smdvs.filters import Filters
from clients.smdvs.queues import OF_ENTERPRISE, OF_REGULATOR
from clients.smdvs.vocabulary import Status
from tests.clients.conftest import Browser, system_of
from tests.clients.life import brought_to
from tests.clients.provider import ENTERPRISE, OTHER_ENTERPRISE, Person

OTHER = Reporter("person-9", "smdvs", "legal_person", OTHER_ENTERPRISE, None)


def counted(app: Flask, enterprise: str | None) -> dict[str, int]:
    shown = queues.queues(system_of(app), Reader("x", enterprise), Filters(), clock.now())
    return {queue.name: queue.total for queue in shown}


def test_each_side_counts_what_waits_for_it_and_nobody_elses(smdvs_backend: Flask) -> None:
    for status in Status:
        brought_to(system_of(smdvs_backend), status)
    brought_to(
        system_of(smdvs_backend), Status.INITIAL_SUBMITTED, OTHER, enterprise_credit_code=OTHER_ENTERPRISE
    )
    assert counted(smdvs_backend, ENTERPRISE) == {"待提交详报": 2, "待补正": 1, "待调查结果": 2, "全部": 9}
    assert counted(smdvs_backend, OTHER_ENTERPRISE) == {
        "待提交详报": 1,
        "待补正": 0,
        "待调查结果": 0,
        "全部": 1,
    }
    assert counted(smdvs_backend, None) == {"待审核": 1, "审核中": 1, "已逾期": 0, "全部": 10}


def test_more_than_anybody_counts_are_more_than(smdvs: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues, "MOST", 1)
    for _ in range(3):
        brought_to(system_of(smdvs), Status.INITIAL_SUBMITTED)
    (*_, everything) = queues.queues(system_of(smdvs), Reader("x", None), Filters(), clock.now())
    assert everything.total_words == "1+"


@pytest.mark.parametrize(
    ("person", "names"),
    [
        (Person.handler(), list(OF_ENTERPRISE)),
        (Person.natural_person(roles=["regulator"]), list(OF_REGULATOR)),
    ],
)
def test_a_tab_leads_to_its_reports_and_is_marked(
    browser: Browser, smdvs: Flask, person: Person, names: list[str]
) -> None:
    waiting = brought_to(system_of(smdvs), Status.INITIAL_SUBMITTED)
    reviewed = brought_to(system_of(smdvs), Status.DETAILED_SUBMITTED)
    browser.sign_in(person)
    page = browser.get("/smdvs/reports").text
    tabs = page.split('id="queues"', 1)[1].split("</nav>", 1)[0]
    assert re.findall(r">(\w+)<span", tabs) == names
    address = re.findall(r'href="([^"]+)"', tabs)[0].replace("&amp;", "&")
    first = browser.get(address).text
    assert f'aria-current="page">{names[0]}<' in first
    table = first.split("<tbody>", 1)[1]
    assert (waiting in table, reviewed in table) == (names[0] == "待提交详报", names[0] == "待审核")
    assert ("提交详报" in table) == (names[0] == "待提交详报")
