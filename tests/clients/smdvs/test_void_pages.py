"""作废 by the enterprise: on its own page, for a reason, meant, and before the review."""

from __future__ import annotations

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from clients.smdvs.lifecycle import Act
from clients.smdvs.storage import reports as rows
from clients.smdvs.vocabulary import Status
from tests.clients.conftest import Browser, hidden, system_of
from tests.clients.life import act_on, brought_to
from tests.clients.provider import Person, TestProvider

MEANT = {"reason": "与另一份上报重复", "confirm": "yes"}


def form(browser: Browser, report_no: str) -> dict[str, str]:
    page = browser.get(f"/smdvs/reports/{report_no}/void").text
    return {name: hidden(page, name) for name in ("csrf_token", "version", "submission_key")}


def post(browser: Browser, report_no: str, fields: dict[str, str]) -> TestResponse:
    return browser.http.post(f"/smdvs/reports/{report_no}/void", data=fields)


def status_of(app: Flask, report_no: str) -> str:
    with system_of(app).database.reading() as session:
        return rows.get_report(session, report_no).status


@pytest.mark.parametrize("status", [Status.INITIAL_SUBMITTED, Status.SUPPLEMENTED, Status.DETAILED_SUBMITTED])
def test_before_the_review_a_report_is_withdrawn(browser: Browser, smdvs: Flask, status: Status) -> None:
    report_no = brought_to(system_of(smdvs), status)
    browser.sign_in()
    answer = post(browser, report_no, {**form(browser, report_no), **MEANT})
    assert answer.status_code == 303, answer.text
    page = browser.get(answer.location).text
    assert "已作废" in page
    assert "与另一份上报重复" in page
    assert status_of(smdvs, report_no) == Status.VOIDED


@pytest.mark.parametrize(
    "status", [Status.UNDER_REVIEW, Status.RETURNED, Status.ACCEPTED, Status.CLOSED, Status.VOIDED]
)
def test_afterwards_the_page_says_how_it_stands(browser: Browser, smdvs: Flask, status: Status) -> None:
    report_no = brought_to(system_of(smdvs), status)
    browser.sign_in()
    answer = browser.get(f"/smdvs/reports/{report_no}/void")
    assert answer.status_code == 409
    assert "不能这样办理" in answer.text
    assert f'href="/smdvs/reports/{report_no}/void"' not in browser.get(f"/smdvs/reports/{report_no}").text


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"reason": "", "confirm": "yes"}, "请填写原因"),
        ({"reason": "因" * 501, "confirm": "yes"}, "最多 500 个字"),
        ({"reason": "与另一份上报重复"}, "请勾选"),
    ],
)
def test_without_a_reason_or_when_it_is_not_meant_nothing_happens(
    browser: Browser, smdvs: Flask, typed: dict[str, str], told: str
) -> None:
    report_no = brought_to(system_of(smdvs), Status.INITIAL_SUBMITTED)
    browser.sign_in()
    answer = post(browser, report_no, {**form(browser, report_no), **typed})
    assert answer.status_code == 422
    assert told in answer.text
    assert typed["reason"] in answer.text
    assert status_of(smdvs, report_no) == Status.INITIAL_SUBMITTED


def test_pressed_twice_it_is_one_void(browser: Browser, smdvs: Flask) -> None:
    report_no = brought_to(system_of(smdvs), Status.INITIAL_SUBMITTED)
    browser.sign_in()
    fields = {**form(browser, report_no), **MEANT}
    first, second = (post(browser, report_no, fields) for _ in range(2))
    assert first.location == second.location
    other = post(browser, report_no, {**fields, "reason": "另一个原因"})
    assert other.status_code == 409


def test_a_report_that_moved_on_meanwhile_is_asked_about_again(browser: Browser, smdvs: Flask) -> None:
    report_no = brought_to(system_of(smdvs), Status.INITIAL_SUBMITTED)
    browser.sign_in()
    fields = {**form(browser, report_no), **MEANT}
    act_on(system_of(smdvs), report_no, Act.SUPPLEMENT)
    answer = post(browser, report_no, fields)
    assert answer.status_code == 409
    assert "有了变化（现为第 2 版）" in answer.text
    assert "与另一份上报重复" in answer.text
    assert status_of(smdvs, report_no) == Status.SUPPLEMENTED
    assert post(browser, report_no, {**fields, "version": hidden(answer.text, "version")}).status_code == 303


def test_a_review_that_began_meanwhile_is_not_cut_short(browser: Browser, smdvs: Flask) -> None:
    report_no = brought_to(system_of(smdvs), Status.DETAILED_SUBMITTED)
    browser.sign_in()
    fields = {**form(browser, report_no), **MEANT}
    act_on(system_of(smdvs), report_no, Act.REVIEW)
    assert post(browser, report_no, fields).status_code == 409
    assert post(browser, report_no, {**fields, "version": "3"}).status_code == 409
    assert status_of(smdvs, report_no) == Status.UNDER_REVIEW


def test_a_form_without_a_version_does_nothing(browser: Browser, smdvs: Flask) -> None:
    report_no = brought_to(system_of(smdvs), Status.INITIAL_SUBMITTED)
    browser.sign_in()
    fields = {**form(browser, report_no), **MEANT}
    assert post(browser, report_no, {**fields, "version": ""}).status_code == 400
    assert status_of(smdvs, report_no) == Status.INITIAL_SUBMITTED


def test_a_revoked_handler_withdraws_nothing_and_keeps_what_was_typed(
    browser: Browser, smdvs: Flask, provider: TestProvider
) -> None:
    report_no = brought_to(system_of(smdvs), Status.INITIAL_SUBMITTED)
    browser.sign_in(Person.handler())
    fields = {**form(browser, report_no), **MEANT}
    provider.revoke_all()
    answer = post(browser, report_no, fields)
    assert answer.status_code == 401
    assert "与另一份上报重复" in answer.text
    assert status_of(smdvs, report_no) == Status.INITIAL_SUBMITTED
