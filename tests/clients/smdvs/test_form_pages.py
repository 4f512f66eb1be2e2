"""The forms of an enterprise: what was typed is never lost, and is nobody else's."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from clients.rp import clock
from clients.rp.entitlement import Reader
from clients.smdvs import attachments, forms, reports
from clients.smdvs.access import Reviewer
from clients.smdvs.attachments import Kept, Upload
from clients.smdvs.lifecycle import Act
from clients.smdvs.reports import ReportView
from clients.smdvs.reviews import carry_out
from clients.smdvs.submissions import Accepted
from clients.smdvs.tickets import Owner
from tests.clients.conftest import HIDDEN, Browser, hidden, system_of
from tests.clients.documents import detailed_json, result_json
from tests.clients.files import pdf, picture
from tests.clients.provider import ENTERPRISE, OTHER_ENTERPRISE, Person, TestProvider

OTHER = replace(Person.handler(), sub="person-2")
FORM = "/smdvs/reports/new"


def save(browser: Browser, **changes: str) -> TestResponse:
    return browser.http.post(FORM, data=browser.form(action="save", **changes))


def drafts_of(browser: Browser) -> list[str]:
    page = browser.get("/smdvs/drafts").text
    return re.findall(r'action="/smdvs/drafts/([^/]+)/delete"', page)


def total(smdvs: Flask) -> int:
    return reports.list_page(system_of(smdvs), Reader("", None), 1, 1).total


def view_of(smdvs: Flask, report_no: str) -> ReportView:
    view = reports.find(system_of(smdvs), Reader("", None), report_no)
    assert view is not None
    return view


def submitted(browser: Browser) -> str:
    answer = browser.submit()
    assert answer.status_code == 303, answer.text
    return answer.location.split("/")[-1].split("?")[0]


def later_form(browser: Browser, report_no: str, act: str) -> dict[str, str]:
    page = browser.get(f"/smdvs/reports/{report_no}/{act}")
    assert page.status_code == 200, page.text
    return {name: hidden(page.text, name) for name in (*HIDDEN, "base_version")}


def put_files(smdvs: Flask, draft_id: str) -> None:
    owner = Owner("person-1", ENTERPRISE)
    for name, content, kind in (
        ("现场.jpg", picture("JPEG"), "site_photo"),
        ("报告.pdf", pdf(), "investigation_report"),
    ):
        kept = attachments.keep_upload(
            system_of(smdvs), owner, draft_id, Upload(name, content), kind, clock.now()
        )
        assert isinstance(kept, Kept), kept


def send_later(browser: Browser, report_no: str, act: str, fields: dict[str, str]) -> TestResponse:
    return browser.http.post(f"/smdvs/reports/{report_no}/{act}", data={**fields, "action": "submit"})


def detailed(browser: Browser, smdvs: Flask, report_no: str) -> TestResponse:
    form = later_form(browser, report_no, "detailed")
    put_files(smdvs, form["draft"])
    return send_later(browser, report_no, "detailed", {**forms.fields_of(detailed_json()), **form})


def test_a_saved_form_comes_back_as_it_was_and_is_gone_with_its_submission(
    browser: Browser, smdvs: Flask
) -> None:
    browser.sign_in()
    answer = save(browser, narrative="写了一半的经过")
    assert "草稿已保存" in answer.text
    (draft_id,) = drafts_of(browser)
    again = browser.get(f"{FORM}?draft={draft_id}")
    assert "写了一半的经过" in again.text
    assert "已恢复您填写的内容" in again.text
    fields = browser.form() | {name: hidden(again.text, name) for name in HIDDEN}
    assert browser.http.post(FORM, data=fields).status_code == 303
    assert drafts_of(browser) == []
    assert total(smdvs) == 1


def test_a_refused_form_is_kept(browser: Browser) -> None:
    browser.sign_in()
    answer = browser.submit(narrative="短")
    assert answer.status_code == 422
    assert len(drafts_of(browser)) == 1


def test_a_form_sent_after_the_session_is_kept_and_come_back_to(browser: Browser, smdvs: Flask) -> None:
    browser.sign_in()
    form = browser.form(narrative="会话结束前写下的一段事故经过")
    browser.http.delete_cookie("smdvs_session", path="/smdvs/")
    answer = browser.http.post(FORM, data=form)
    assert answer.status_code == 401
    assert "会话结束前写下的一段事故经过" in answer.text
    match = re.search(r'id="login-again" href="([^"]+)"', answer.text)
    assert match is not None
    landed = browser.sign_in(path=match[1])
    opened = browser.get(landed.location)
    page = browser.get(opened.location)
    assert "会话结束前写下的一段事故经过" in page.text
    assert "已恢复您填写的内容，请核对后提交" in page.text
    assert total(smdvs) == 0


def test_a_save_after_the_session_is_kept_and_says_so(browser: Browser) -> None:
    browser.sign_in()
    form = browser.form(narrative="会话结束后脚本保存的内容")
    browser.http.delete_cookie("smdvs_session", path="/smdvs/")
    answer = browser.http.post(f"/smdvs/drafts/{form['draft']}", data=form)
    assert answer.status_code == 200
    assert "登录已失效" in (answer.json or {})["text"]


@pytest.mark.parametrize("action", ["submit", "attach"])
def test_a_revoked_handler_keeps_his_words_and_reads_them_when_authorised_again(
    browser: Browser, smdvs: Flask, provider: TestProvider, action: str
) -> None:
    browser.sign_in()
    form = browser.form(narrative="撤销授权前写下的一段事故经过", action=action)
    provider.revoke_all()
    answer = browser.http.post(FORM, data=form)
    assert answer.status_code == 401
    assert "login-again" in answer.text
    assert browser.get("/smdvs/drafts").status_code == 303
    assert total(smdvs) == 0
    browser.sign_in()
    assert "撤销授权前写下的一段事故经过" in browser.get(f"{FORM}?draft={form['draft']}").text


def test_a_draft_is_opened_by_its_owner_alone(browser: Browser, smdvs: Flask, provider: TestProvider) -> None:
    browser.sign_in()
    save(browser, narrative="只有本人可以看到的经过")
    (draft_id,) = drafts_of(browser)
    for person in (OTHER, Person.legal_person(), Person.handler(OTHER_ENTERPRISE)):
        stranger = Browser(smdvs.test_client(), provider)
        stranger.sign_in(replace(person, sub=f"{person.sub}-x"))
        answers = [stranger.get(f"/smdvs/drafts/{name}") for name in (draft_id, "A" * 22)]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].text == answers[1].text
        assert stranger.get(f"{FORM}?draft={draft_id}").status_code == 303
        assert drafts_of(stranger) == []


def test_another_account_can_not_send_an_open_form(browser: Browser, smdvs: Flask) -> None:
    browser.sign_in()
    form = browser.form()
    browser.sign_in(OTHER)
    answer = browser.http.post(FORM, data=form)
    assert answer.status_code == 403
    assert total(smdvs) == 0


def test_a_draft_for_another_enterprise_asks_to_switch(browser: Browser) -> None:
    browser.sign_in()
    save(browser)
    (draft_id,) = drafts_of(browser)
    browser.sign_in(Person.handler(OTHER_ENTERPRISE))
    answer = browser.get(f"/smdvs/drafts/{draft_id}")
    assert answer.status_code == 409
    assert "请切换企业" in answer.text


def test_a_draft_is_deleted_with_its_files_after_a_question(browser: Browser, smdvs: Flask) -> None:
    browser.sign_in()
    save(browser)
    (draft_id,) = drafts_of(browser)
    put_files(smdvs, draft_id)
    token = {"csrf_token": hidden(browser.get("/smdvs/drafts").text, "csrf_token")}
    path = f"/smdvs/drafts/{draft_id}/delete"
    assert browser.http.post(path, data={"csrf_token": "x"}).status_code == 400
    assert "删除这份草稿" in browser.http.post(path, data=token).text
    assert drafts_of(browser) == [draft_id]
    assert browser.http.post(path, data={**token, "confirm": "yes"}).status_code == 303
    assert drafts_of(browser) == []
    assert browser.http.post(path, data=token).status_code == 404
    owner = Owner("person-1", ENTERPRISE)
    assert attachments.of_draft(system_of(smdvs), owner, draft_id, clock.now()) == []


def test_the_script_saves_and_two_windows_do_not_overwrite_each_other(browser: Browser) -> None:
    browser.sign_in()
    form = browser.form(narrative="第一个窗口")
    path = f"/smdvs/drafts/{form['draft']}"
    first = browser.http.post(path, data=form)
    assert (first.status_code, first.json and first.json["revision"]) == (200, 1)
    page = browser.get(f"{FORM}?draft={form['draft']}").text
    second = {**form, **{name: hidden(page, name) for name in HIDDEN}, "narrative": "第二个窗口"}
    assert browser.http.post(path, data=second).status_code == 200
    stale = browser.http.post(path, data={**form, "draft_revision": "1", "narrative": "又是第一个"})
    assert stale.status_code == 409
    assert "另一个窗口" in (stale.json or {})["text"]
    kept = browser.http.post(FORM, data={**form, "draft_revision": "1", "action": "save"})
    assert "已另存为一份新草稿" in kept.text
    assert len(drafts_of(browser)) == 2


@pytest.mark.parametrize(
    ("changes", "status"),
    [({"csrf_token": "x"}, 400), ({"draft_ticket": "x"}, 401), ({"narrative": "长" * 90_000}, 413)],
)
def test_the_script_is_refused_what_is_not_a_form_of_ours(
    browser: Browser, changes: dict[str, str], status: int
) -> None:
    browser.sign_in()
    form = browser.form(**changes)
    assert browser.http.post(f"/smdvs/drafts/{form['draft']}", data=form).status_code == status
    assert drafts_of(browser) == []


def test_a_supplement_begins_with_what_was_reported(browser: Browser, smdvs: Flask) -> None:
    browser.sign_in()
    report_no = submitted(browser)
    page = browser.get(f"/smdvs/reports/{report_no}/supplement").text
    assert "LTEST00A0R1000001" in page
    form = later_form(browser, report_no, "supplement")
    fields = {**forms.fields_of(view_of(smdvs, report_no).content.whole), **form, "deaths": "1"}
    assert send_later(browser, report_no, "supplement", fields).status_code == 303
    assert send_later(browser, report_no, "supplement", fields).status_code == 303
    view = view_of(smdvs, report_no)
    assert [entry.act for entry in view.history] == [Act.INITIAL, Act.SUPPLEMENT]
    assert view.row.deaths == 1


def test_a_stale_form_is_told_so_and_loses_nothing(browser: Browser, smdvs: Flask) -> None:
    browser.sign_in()
    report_no = submitted(browser)
    whole = forms.fields_of(view_of(smdvs, report_no).content.whole)
    old, new = (later_form(browser, report_no, "supplement") for _ in range(2))
    send_later(browser, report_no, "supplement", {**whole, **new, "deaths": "1"})
    answer = send_later(
        browser, report_no, "supplement", {**whole, **old, "narrative": "旧窗口里写下的一段事故经过"}
    )
    assert answer.status_code == 409
    assert "已有第 2 版" in answer.text
    assert "旧窗口里写下的一段事故经过" in answer.text
    again = {**whole, **{name: hidden(answer.text, name) for name in (*HIDDEN, "base_version")}}
    assert send_later(browser, report_no, "supplement", again).status_code == 303


def test_a_detailed_report_needs_its_files_and_then_ends_the_supplements(
    browser: Browser, smdvs: Flask
) -> None:
    browser.sign_in()
    report_no = submitted(browser)
    form = later_form(browser, report_no, "detailed")
    without = send_later(browser, report_no, "detailed", {**forms.fields_of(detailed_json()), **form})
    assert without.status_code == 422
    assert "附件" in without.text
    done = detailed(browser, smdvs, report_no)
    assert done.status_code == 303, done.text
    assert view_of(smdvs, report_no).row.status == "detailed_submitted"
    assert browser.get(f"/smdvs/reports/{report_no}/supplement").status_code == 409


def test_the_result_of_the_investigation_is_sent_by_its_form(browser: Browser, smdvs: Flask) -> None:
    browser.sign_in()
    report_no = submitted(browser)
    detailed(browser, smdvs, report_no)
    for act in (Act.REVIEW, Act.ACCEPT):
        reviewer = Reviewer("regulator-1", "smdvs")
        done = carry_out(system_of(smdvs), reviewer, "", report_no, act, None, None, clock.now())
        assert isinstance(done, Accepted)
    form = later_form(browser, report_no, "final")
    short = send_later(browser, report_no, "final", {**result_json(root_cause_note="太短"), **form})
    assert short.status_code == 422
    assert "至少填写 50 个字" in short.text
    assert send_later(browser, report_no, "final", {**result_json(), **form}).status_code == 303
    assert (view_of(smdvs, report_no).result or {})["root_cause"] == "battery"


@pytest.mark.parametrize("act", ["supplement", "detailed", "final"])
def test_the_forms_of_an_alien_report_are_not_there(
    browser: Browser, smdvs: Flask, provider: TestProvider, act: str
) -> None:
    browser.sign_in()
    report_no = submitted(browser)
    stranger = Browser(smdvs.test_client(), provider)
    stranger.sign_in(replace(Person.handler(OTHER_ENTERPRISE), sub="person-b"))
    answers = [
        stranger.get(f"/smdvs/reports/{number}/{act}") for number in (report_no, "SMDVS-20200101-0001")
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].text == answers[1].text
