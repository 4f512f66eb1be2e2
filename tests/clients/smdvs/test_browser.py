"""The pages: who sees what, what bad input is answered with, and that nothing typed is lost."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from clients.rp.entitlement import Reader
from clients.smdvs import reports, search, submissions
from clients.smdvs.app import MAX_BODY_BYTES
from clients.smdvs.storage.database import DatabaseUnavailable
from tests.clients.conftest import Browser, system_of
from tests.clients.provider import OTHER_ENTERPRISE, Person, TestProvider

URLENCODED = "application/x-www-form-urlencoded"
FORM = "/smdvs/reports/new"


def stored(smdvs: Flask) -> int:
    return reports.list_page(system_of(smdvs), Reader("", None), 1, 1).total


def busy(*_: object) -> None:
    raise DatabaseUnavailable("SELECT 1", {}, Exception("database is locked"))


def test_the_home_page_leads_to_sign_in_and_registration(browser: Browser, provider: TestProvider) -> None:
    page = browser.get("/smdvs/").text
    assert 'href="/smdvs/login"' in page
    assert f'href="{provider.issuer}/register"' in page
    for phone in ("12381", "010-59125710", "010-68200295", "010-68200269"):
        assert phone in page


@pytest.mark.parametrize("path", ["/smdvs/reports", FORM, "/smdvs/reports/SMDVS-20261123-0001"])
def test_nobody_sees_anything_without_signing_in(browser: Browser, path: str) -> None:
    answer = browser.get(path)
    assert answer.status_code == 303
    assert answer.location.startswith("/smdvs/login?then=")


@pytest.mark.parametrize("path", ["/smdvs/reports", FORM])
def test_a_natural_person_is_told_how_to_become_a_handler(
    browser: Browser, provider: TestProvider, path: str
) -> None:
    browser.sign_in(Person.natural_person())
    page = browser.get(path)
    assert page.status_code == 403
    assert "怎样成为经办人" in page.text
    assert f"{provider.issuer}/account/handler-applications" in page.text


def test_a_regulator_sees_all_reports_and_submits_none(
    browser: Browser, smdvs: Flask, provider: TestProvider
) -> None:
    browser.sign_in()
    report_no = browser.submit().location.split("/")[-1].split("?")[0]
    regulator = Browser(smdvs.test_client(), provider)
    regulator.sign_in(Person.natural_person(roles=["regulator"]))
    assert report_no in regulator.get("/smdvs/reports").text
    assert regulator.get(f"/smdvs/reports/{report_no}").status_code == 200
    assert regulator.get(FORM).status_code == 403


def test_another_enterprises_report_looks_like_none(browser: Browser) -> None:
    browser.sign_in()
    location = browser.submit().location
    browser.sign_in(Person.handler(OTHER_ENTERPRISE))
    answer, none = browser.get(location), browser.get("/smdvs/reports/SMDVS-20200101-0001")
    assert answer.status_code == none.status_code == 404
    assert answer.text == none.text


def test_the_form_is_filled_in_with_what_is_known(browser: Browser) -> None:
    browser.sign_in()
    page = browser.get(FORM).text
    assert 'name="enterprise_credit_code" value="91990101MADEM00117"' in page
    assert 'value="19900000001"' in page
    assert "示例新能源汽车有限公司" in page


def test_faults_are_told_at_their_fields_and_what_was_typed_is_kept(browser: Browser, smdvs: Flask) -> None:
    browser.sign_in()
    answer = browser.submit(**{"vehicles-0-vin": "LTEST00A1R1000001", "deaths": "许多", "place-city": ""})
    assert answer.status_code == 422
    assert "有 3 处需要修改" in answer.text
    assert "VIN 校验位（第 9 位）不符" in answer.text
    assert 'value="LTEST00A1R1000001"' in answer.text
    assert 'value="许多"' in answer.text
    assert answer.text.count("autofocus") == 1
    for name in re.findall(r'<li><a href="#([^"]+)">', answer.text):
        assert f'id="{name}"' in answer.text
    assert stored(smdvs) == 0


def test_what_was_typed_is_text_and_never_markup(browser: Browser) -> None:
    browser.sign_in()
    answer = browser.submit(
        narrative="</textarea><script>alert(1)</script>", **{"place-city": '"><b>'}, deaths=""
    )
    assert "<script>" not in answer.text
    assert '"><b>' not in answer.text


def test_vehicles_are_added_and_removed_without_losing_what_was_typed(browser: Browser) -> None:
    browser.sign_in()
    more = browser.submit(action="add_vehicle", narrative="还没写完的一段经过")
    assert more.status_code == 200
    assert 'id="vehicles-1-vin"' in more.text
    assert "还没写完的一段经过" in more.text
    fewer = browser.submit(action="remove_vehicle_0", **{"vehicles-1-vin": "LTEST00B4S1000002"})
    assert 'id="vehicles-1-vin"' not in fewer.text
    assert 'value="LTEST00B4S1000002"' in fewer.text


@pytest.mark.parametrize("action", ["remove_vehicle_x", "remove_vehicle_99999", "remove_vehicle_", "unknown"])
def test_a_button_that_does_not_exist_changes_nothing(browser: Browser, smdvs: Flask, action: str) -> None:
    browser.sign_in()
    assert browser.submit(action=action).status_code == 200
    assert stored(smdvs) == 0


def test_two_vehicles_are_stored_and_shown(browser: Browser) -> None:
    browser.sign_in()
    form = browser.form()
    second = {
        name.replace("-0-", "-1-"): text for name, text in form.items() if name.startswith("vehicles-0-")
    }
    answer = browser.http.post(FORM, data={**form, **second, "vehicles-1-vin": "LTEST00B4S1000002"})
    page = browser.get(answer.location).text
    assert "LTEST00A0R1000001" in page
    assert "LTEST00B4S1000002" in page
    assert "等 2 辆" in browser.get("/smdvs/reports").text


def test_a_form_sent_twice_is_stored_once(browser: Browser, smdvs: Flask) -> None:
    browser.sign_in()
    form = browser.form()
    first, again = (browser.http.post(FORM, data=form) for _ in range(2))
    assert first.location == again.location
    assert stored(smdvs) == 1


def test_a_form_changed_after_it_was_sent_is_asked_about(browser: Browser, smdvs: Flask) -> None:
    browser.sign_in()
    form = browser.form()
    browser.http.post(FORM, data=form)
    answer = browser.http.post(FORM, data={**form, "deaths": "1"})
    assert answer.status_code == 409
    assert "已经提交过一次" in answer.text
    assert stored(smdvs) == 1


@pytest.mark.parametrize("token", ["", "x", "é"])
def test_another_sites_form_is_not_taken(browser: Browser, smdvs: Flask, token: str) -> None:
    browser.sign_in()
    answer = browser.submit(csrf_token=token, narrative="页面过期时写的一段经过")
    assert answer.status_code == 400
    assert "页面已过期" in answer.text
    assert "页面过期时写的一段经过" in answer.text
    assert stored(smdvs) == 0


def test_the_providers_logout_keeps_what_was_typed_too(
    browser: Browser, smdvs: Flask, provider: TestProvider
) -> None:
    browser.sign_in()
    form = browser.form(narrative="正写着时被平台退出的一段经过")
    token = provider.logout_token(sub="person-1")
    assert browser.http.post("/smdvs/backchannel-logout", data={"logout_token": token}).status_code == 200
    answer = browser.http.post(FORM, data=form)
    assert answer.status_code == 401
    assert "登录已失效或授权已被撤销" in answer.text
    assert "正写着时被平台退出的一段经过" in answer.text
    assert stored(smdvs) == 0


def test_a_revoked_handler_reads_nothing_any_more(
    browser: Browser, provider: TestProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clients.rp.liveness.CACHE_SECONDS", 0.0)
    browser.sign_in()
    assert browser.get("/smdvs/reports").status_code == 200
    provider.revoke_all()
    answer = browser.get("/smdvs/reports")
    assert answer.status_code == 401
    assert "登录已失效或授权已被撤销" in answer.text
    assert browser.get("/smdvs/reports").status_code == 303


def test_a_busy_database_loses_nothing_that_was_typed(
    browser: Browser, smdvs: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser.sign_in()
    form = browser.form(narrative="数据库繁忙时的一段经过")
    with monkeypatch.context() as patch:
        patch.setattr(submissions, "submit_initial", busy)
        answer = browser.http.post(FORM, data=form)
    assert answer.status_code == 503
    assert "系统繁忙" in answer.text
    assert "数据库繁忙时的一段经过" in answer.text
    assert browser.http.post(FORM, data=form).status_code == 303


def test_a_page_on_a_busy_database_says_so(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    browser.sign_in()
    monkeypatch.setattr(search, "find_page", busy)
    answer = browser.get("/smdvs/reports")
    assert answer.status_code == 503
    assert "系统繁忙" in answer.text


def test_a_late_report_is_taken_with_its_reason_and_marked(browser: Browser) -> None:
    browser.sign_in()
    late = {"occurred_at": "2026-01-01T08:00", "learned_at": "2026-01-01T09:00"}
    refused = browser.submit(**late)
    assert refused.status_code == 422
    assert "请填写迟报原因" in refused.text
    taken = browser.submit(**late, late_reason="首次获知后误以为无需上报")
    assert "迟报" in browser.get(taken.location).text


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"narrative=%ff", URLENCODED, 400),
        (b"narrative=%00", URLENCODED, 400),
        (b"deaths=1&deaths=2", URLENCODED, 400),
        (b'{"deaths":1}', "application/json", 400),
        (b"--x\r\n", "multipart/form-data; boundary=x", 400),
        (b"", "", 400),
        (b"narrative=" + b"x" * MAX_BODY_BYTES, URLENCODED, 413),
    ],
)
def test_hostile_bodies_get_a_clear_page(
    browser: Browser, smdvs: Flask, body: bytes, content_type: str, status: int
) -> None:
    browser.sign_in()
    answer = browser.http.post(FORM, data=body, headers={"Content-Type": content_type})
    assert answer.status_code == status
    assert "message-page" in answer.text
    assert stored(smdvs) == 0


@pytest.mark.parametrize("page", ["0", "-1", "x", "9" * 30, "%00", "%ff"])
def test_a_strange_page_number_is_a_page_all_the_same(browser: Browser, page: str) -> None:
    browser.sign_in()
    assert browser.get(f"/smdvs/reports?page={page}").status_code == 200


@pytest.mark.parametrize("report_no", ["x", "%00", "%ff", "..", "SMDVS-20261123-0001'--", "中文"])
def test_a_strange_report_number_is_no_report(browser: Browser, report_no: str) -> None:
    browser.sign_in()
    assert browser.get(f"/smdvs/reports/{report_no}").status_code == 404


@pytest.mark.parametrize(
    "path", ["/smdvs/", "/smdvs/nothing", "/smdvs/api/v1/openapi.json", "/smdvs/static/theme.css"]
)
def test_every_answer_carries_the_security_headers(
    browser: Browser, provider: TestProvider, path: str
) -> None:
    headers = browser.get(path, buffered=True).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert f"form-action 'self' {provider.issuer};" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"


def test_pages_hold_no_inline_script_or_style(browser: Browser) -> None:
    browser.sign_in()
    for path in ("/smdvs/", "/smdvs/reports", FORM, browser.submit().location):
        page = browser.get(path).text
        assert not re.search(r"<style|\sstyle=|\son\w+=", page)
        ours = re.compile(r'<script src="/smdvs/static/[\w/]+\.js" defer></script>')
        assert all(ours.fullmatch(script) for script in re.findall(r"<script.*?</script>", page, re.DOTALL))


def test_files_of_the_look_are_served_from_here(browser: Browser) -> None:
    page = browser.get("/smdvs/").text
    for address in re.findall(r'<link [^>]*href="([^"]+)"', page):
        assert address.startswith("/smdvs/static/")
        assert browser.get(address, buffered=True).status_code == 200
