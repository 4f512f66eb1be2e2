"""A report for paper: what it says, its history and digests, and nobody whom the viewer may not see."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from clients.rp.entitlement import Reader
from clients.smdvs import reports
from tests.clients.conftest import Browser, system_of
from tests.clients.provider import OTHER_ENTERPRISE, Person


@pytest.fixture
def report_no(browser: Browser) -> str:
    browser.sign_in()
    sent = browser.submit(**{"vehicles-0-owner_name": "王示例", "vehicles-0-owner_phone": "19900000009"})
    return str(sent.location.split("/")[-1].split("?")[0])


def test_it_has_number_status_history_digests_and_lines_to_sign(
    browser: Browser, smdvs: Flask, report_no: str
) -> None:
    page = browser.get(f"/smdvs/reports/{report_no}/print").text
    view = reports.find(system_of(smdvs), Reader("regulator", None), report_no)
    assert view is not None
    for text in (report_no, "已快报", "记录核验通过", view.history[0].version.digest, "填报单位（盖章）"):
        assert text in page
    assert f'href="/smdvs/reports/{report_no}/print"' in browser.get(f"/smdvs/reports/{report_no}").text


def test_a_regulators_paper_names_nobody(browser: Browser, report_no: str) -> None:
    browser.sign_in(Person.natural_person(roles=["regulator"]))
    page = browser.get(f"/smdvs/reports/{report_no}/print").text
    assert "*示例" in page
    assert not [who for who in ("李示例", "王示例", "19900000001", "19900000009") if who in page]


def test_another_enterprises_report_can_not_be_printed(browser: Browser, report_no: str) -> None:
    browser.sign_in(Person.handler(OTHER_ENTERPRISE))
    answer = browser.get(f"/smdvs/reports/{report_no}/print")
    none = browser.get("/smdvs/reports/SMDVS-20200101-0001/print")
    assert (answer.status_code, answer.text) == (none.status_code, none.text)
    assert answer.status_code == 404


def test_nothing_is_printed_without_signing_in(browser: Browser) -> None:
    assert browser.get("/smdvs/reports/SMDVS-20200101-0001/print").status_code == 303


def test_the_page_holds_no_inline_script_or_style(browser: Browser, report_no: str) -> None:
    page = browser.get(f"/smdvs/reports/{report_no}/print").text
    assert not re.search(r"<script(?! src=)|<style|\sstyle=|\son\w+=", page)
