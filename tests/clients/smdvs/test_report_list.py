"""The list of reports as a page: filters that are kept, pages that keep them, for those who may read."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from bench.reports import ENTERPRISES, fill
from clients.rp.entitlement import Reader
from clients.smdvs.search import Filters, find_page
from tests.clients.conftest import Browser, system_of
from tests.clients.provider import OTHER_ENTERPRISE, Person
from tests.queries import AssertQueries

ALL = Reader("regulator", None)


@pytest.fixture
def regulator(smdvs: Flask, browser: Browser) -> Browser:
    fill(system_of(smdvs), 90, whole=False)
    browser.sign_in(Person.natural_person(roles=["regulator"]))
    return browser


def shown(page: str) -> list[str]:
    return re.findall(r'class="report-no" href="/smdvs/reports/([^"]+)"', page)


def wanted(smdvs: Flask, **filters: object) -> list[str]:
    page = find_page(system_of(smdvs), ALL, Filters.model_validate(filters), 1, 100)
    return [row.report_no for row in page.rows]


def test_filters_narrow_the_list_and_stay_in_the_form(regulator: Browser, smdvs: Flask) -> None:
    page = regulator.get("/smdvs/reports?status=closed&status=voided&province=440000&q=SMDVS").text
    assert shown(page) == wanted(smdvs, status=["closed", "voided"], province="440000")
    assert re.search(r'id="status-closed"[^>]* checked', page)
    assert not re.search(r'id="status-accepted"[^>]* checked', page)
    assert '<option value="440000" selected>' in page
    assert 'id="q" name="q" value="SMDVS"' in page


def test_the_pages_of_a_narrowed_list_stay_narrowed(regulator: Browser, smdvs: Flask) -> None:
    numbers, path = [], "/smdvs/reports?status=closed"
    while path:
        page = regulator.get(path).text
        numbers += shown(page)
        following = re.search(r'rel="next" href="([^"]+)"', page)
        path = following[1].replace("&amp;", "&") if following else ""
    assert numbers == wanted(smdvs, status=["closed"])
    assert len(numbers) > 20


def test_a_wrong_filter_is_told_at_its_field_and_kept_as_it_was_typed(
    regulator: Browser, smdvs: Flask
) -> None:
    answer = regulator.get("/smdvs/reports?from=gestern&province=440000")
    assert answer.status_code == 422
    assert shown(answer.text) == wanted(smdvs, province="440000")
    assert (
        'value="gestern" autocomplete="off" aria-invalid="true" aria-describedby="from-note"' in answer.text
    )
    assert "请填写日期，例如 2026-11-23" in answer.text
    assert "有 1 个条件没有生效" in answer.text


@pytest.mark.parametrize(
    "query",
    [
        "q=%00",
        "q=%ff%fe",
        "q=%ED%A0%80",
        "from=0000-00-00&to=9999-99-99",
        "from=9999-12-31",
        "page=-1",
        "page=99999999999999999999",
        "page=x",
        "status=" + "a" * 5000,
        "&".join(f"status={number}" for number in range(500)),
        "status[]=closed",
        "severe=2",
        "q=" + "%25" * 60,
        "q=<script>alert(1)</script>",
    ],
)
def test_nothing_in_an_address_breaks_the_list(regulator: Browser, query: str) -> None:
    answer = regulator.get(f"/smdvs/reports?{query}")
    assert answer.status_code in {200, 422}
    assert "<script>" not in answer.text


def test_more_filters_are_open_when_one_of_them_is_set(regulator: Browser) -> None:
    assert '<details class="more" open>' in regulator.get("/smdvs/reports?cause=water").text
    assert '<details class="more">' in regulator.get("/smdvs/reports?status=closed").text


def test_an_enterprise_narrows_its_own_reports_only(regulator: Browser, smdvs: Flask) -> None:
    regulator.sign_in(Person.handler(ENTERPRISES[0][0]))
    own = shown(regulator.get(f"/smdvs/reports?q={ENTERPRISES[0][0]}").text)
    assert set(shown(regulator.get("/smdvs/reports").text)) == set(own[:20])
    assert shown(regulator.get(f"/smdvs/reports?q={ENTERPRISES[1][0]}").text) == []


def test_where_nothing_is_found_the_page_says_what_to_do(regulator: Browser) -> None:
    page = regulator.get("/smdvs/reports?q=没有这个").text
    assert "没有符合条件的上报。请减少条件后重新查询。" in page
    regulator.sign_in(Person.handler(OTHER_ENTERPRISE))
    assert "还没有上报。" in regulator.get("/smdvs/reports").text


def test_the_statements_of_the_list_do_not_grow_with_it(
    regulator: Browser, assert_queries: AssertQueries
) -> None:
    with assert_queries(9):  # the session, the rows, their number, two counts of what is late, four tabs
        regulator.get("/smdvs/reports")
