"""The whole way through smdvs, as a browser goes it."""

from __future__ import annotations

import time

from flask import Flask

from clients.smdvs.storage import reports
from tests.clients.conftest import HIDDEN, Browser, hidden, system_of
from tests.clients.provider import OTHER_ENTERPRISE, Person, TestProvider


def count(app: Flask) -> int:
    with system_of(app).database.reading() as session:
        return reports.count_reports(session, None)


def test_a_handler_signs_in_submits_and_reads_the_report(browser: Browser, smdvs: Flask) -> None:
    assert browser.sign_in(Person.handler()).location == "/smdvs/reports"
    stored = browser.submit()
    assert stored.status_code == 303, stored.text
    page = browser.get(stored.location)
    assert page.status_code == 200
    assert "示例新能源汽车有限公司" in page.text
    assert "authorization-1" in page.text
    assert "李示例（经办人）" in page.text.split("<main", 1)[1]
    assert "19900000001" in page.text
    assert stored.location.split("/")[-1].split("?")[0] in browser.get("/smdvs/reports").text
    assert count(smdvs) == 1


def test_a_revoked_handler_is_refused_at_the_very_next_submission_and_keeps_what_was_typed(
    browser: Browser, smdvs: Flask, provider: TestProvider
) -> None:
    browser.sign_in()
    fields = browser.form(narrative="写到一半时被撤销的一份快报")
    provider.revoke_all()
    began = time.monotonic()
    refused = browser.http.post("/smdvs/reports/new", data=fields)
    assert time.monotonic() - began < 1
    assert refused.status_code == 401
    assert "登录已失效或授权已被撤销" in refused.text
    assert "写到一半时被撤销的一份快报" in refused.text
    assert count(smdvs) == 0


def test_after_signing_in_again_in_another_window_the_old_form_goes_through(
    browser: Browser, smdvs: Flask, provider: TestProvider
) -> None:
    browser.sign_in()
    fields = browser.form()
    provider.revoke_all()
    assert browser.http.post("/smdvs/reports/new", data=fields).status_code == 401
    browser.sign_in()
    assert browser.http.post("/smdvs/reports/new", data=fields).status_code == 303
    assert count(smdvs) == 1


def test_a_form_of_one_enterprise_is_refused_after_switching_to_another(
    browser: Browser, smdvs: Flask
) -> None:
    browser.sign_in()
    fields = browser.form()
    browser.sign_in(Person.handler(OTHER_ENTERPRISE))
    refused = browser.http.post("/smdvs/reports/new", data=fields)
    assert refused.status_code == 403
    assert "企业不一致" in refused.text
    assert count(smdvs) == 0


def test_a_silent_provider_means_a_draft_and_503_and_nothing_accepted(
    browser: Browser, smdvs: Flask, provider: TestProvider
) -> None:
    browser.sign_in()
    fields = browser.form(narrative="平台没有回答时的一份快报")
    provider.broken.add("introspect")
    answer = browser.http.post("/smdvs/reports/new", data=fields)
    assert answer.status_code == 503
    assert "平台暂时无法核验授权，请稍后重试" in answer.text
    assert "平台没有回答时的一份快报" in answer.text
    assert "已保存为草稿，没有提交" in answer.text
    assert count(smdvs) == 0
    provider.broken.clear()
    assert "平台没有回答时的一份快报" in browser.get(f"/smdvs/reports/new?draft={fields['draft']}").text
    again = fields | {name: hidden(answer.text, name) for name in HIDDEN}
    assert browser.http.post("/smdvs/reports/new", data=again).status_code == 303
