"""The page of figures: tables that say everything, links to the lists, files that are what was released."""

from __future__ import annotations

import hashlib
import json
import re
from html import unescape
from pathlib import Path

import pytest
from flask import Flask

import clients.smdvs
from bench.reports import ENTERPRISES, fill
from clients.smdvs.labels import LABELS
from tests.clients.conftest import Browser, system_of
from tests.clients.provider import OTHER_ENTERPRISE, Person
from tests.queries import AssertQueries

ECHARTS = Path(clients.smdvs.__file__).parent / "static" / "echarts"
PAGE = "/smdvs/statistics"


@pytest.fixture
def regulator(smdvs: Flask, browser: Browser) -> Browser:
    fill(system_of(smdvs), 90, whole=False)
    browser.sign_in(Person.natural_person(roles=["regulator"]))
    return browser


def total(page: str) -> int:
    return int(re.findall(r"<dt>上报</dt><dd>(\d+)</dd>", page)[0])


def test_the_files_of_echarts_are_the_released_ones() -> None:
    told = re.findall(
        r"^\| (\S+) \|.*\| ([0-9a-f]{64}) \|$", (ECHARTS / "README.md").read_text(), re.MULTILINE
    )
    assert {name for name, _ in told} == {"echarts.min.js", "china.json"}
    for name, digest in told:
        assert hashlib.sha256((ECHARTS / name).read_bytes()).hexdigest() == digest


def test_the_map_knows_every_province_by_its_code() -> None:
    china = json.loads((ECHARTS / "china.json").read_text())
    assert {feature["properties"]["id"] for feature in china["features"]} == LABELS["province"].keys()


def test_every_chart_has_a_table_that_says_the_same(regulator: Browser) -> None:
    page = regulator.get(PAGE).text
    drawn = re.findall(r'data-chart="\w+" data-table="([\w-]+)"', page)
    assert len(drawn) == 10
    assert all(f'<table class="table table-sm" id="{name}"' in page for name in drawn)


def test_each_row_leads_to_a_list_of_as_many_reports(regulator: Browser) -> None:
    page = regulator.get(PAGE).text
    rows = re.findall(r'<a href="(/smdvs/reports\?[^"]+)">[^<]+</a></th><td class="number">(\d+)</td>', page)
    assert len(rows) > 30
    for address, count in rows[:40]:
        assert f"符合条件的 {count} 份" in regulator.get(unescape(address)).text, address


def test_the_page_holds_no_inline_script_or_style_and_asks_nobody_else(regulator: Browser) -> None:
    answer = regulator.get(PAGE)
    assert not re.search(r"<script(?! src=)|<style|\sstyle=|\son\w+=", answer.text)
    policy = answer.headers["Content-Security-Policy"]
    assert "connect-src 'self'" in policy
    assert "unsafe" not in policy


def test_filters_count_and_faults_are_told_at_their_field(regulator: Browser) -> None:
    everything = total(regulator.get(PAGE).text)
    assert total(regulator.get(f"{PAGE}?status=closed").text) < everything
    wrong = regulator.get(f"{PAGE}?to=morgen")
    assert wrong.status_code == 422
    assert total(wrong.text) == everything
    assert "请填写日期，例如 2026-11-23" in wrong.text


def test_an_enterprise_sees_its_own_figures(regulator: Browser) -> None:
    everything = total(regulator.get(PAGE).text)
    regulator.sign_in(Person.handler(ENTERPRISES[0][0]))
    assert 0 < total(regulator.get(PAGE).text) < everything
    regulator.sign_in(Person.handler(OTHER_ENTERPRISE))
    assert total(regulator.get(PAGE).text) == 0


def test_who_acts_for_nobody_sees_no_figures(browser: Browser) -> None:
    assert browser.get(PAGE).location == "/smdvs/login?then=statistics"
    browser.sign_in(Person.natural_person())
    assert browser.get(PAGE).status_code == 403


def test_after_signing_in_the_figures_are_shown(browser: Browser) -> None:
    assert browser.sign_in(path="/smdvs/login?then=statistics").location.endswith(PAGE)


def test_texts_of_reports_are_no_markup_on_the_page(smdvs: Flask, browser: Browser) -> None:
    fill(system_of(smdvs), 30, whole=False, texts=['"><script>alert(1)</script>'])
    browser.sign_in(Person.natural_person(roles=["regulator"]))
    assert "<script>alert" not in browser.get(PAGE).text


def test_the_statements_of_the_page_are_few(regulator: Browser, assert_queries: AssertQueries) -> None:
    with assert_queries(5):  # the session and the figures
        regulator.get(PAGE)
