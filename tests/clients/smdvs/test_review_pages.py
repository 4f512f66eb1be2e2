"""The regulator's acts: only the regulator's, once, on what was read, and nothing typed is lost."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from clients.smdvs import accesses
from clients.smdvs.lifecycle import Act
from clients.smdvs.storage import reports as rows
from clients.smdvs.storage.database import DatabaseUnavailable
from clients.smdvs.vocabulary import Status
from tests.clients.conftest import Browser, system_of
from tests.clients.life import act_on, brought_to
from tests.clients.provider import Person, TestProvider

REGULATOR = Person(
    "regulator-1", "周示例", capacity={"account_type": "natural_person", "roles": ["regulator"]}
)
OTHER_REGULATOR = Person(
    "regulator-2", "吴示例", capacity={"account_type": "natural_person", "roles": ["regulator"]}
)


def page_of(browser: Browser, report_no: str) -> str:
    return browser.get(f"/smdvs/reports/{report_no}").text


def csrf(browser: Browser, report_no: str) -> str:
    return page_of(browser, report_no).split('name="csrf_token" value="', 1)[1].split('"', 1)[0]


def post(browser: Browser, report_no: str, name: str = "review", **fields: str) -> TestResponse:
    typed = {"csrf_token": csrf(browser, report_no), **fields}
    return browser.http.post(f"/smdvs/reports/{report_no}/{name}", data=typed)


def status_of(app: Flask, report_no: str) -> tuple[str, int]:
    with system_of(app).database.reading() as session:
        row = rows.get_report(session, report_no)
    return row.status, row.version


@pytest.fixture
def regulator(browser: Browser) -> Browser:
    browser.sign_in(REGULATOR)
    return browser


@pytest.mark.parametrize(
    ("status", "decision", "leads_to"),
    [
        (Status.DETAILED_SUBMITTED, "review", Status.UNDER_REVIEW),
        (Status.UNDER_REVIEW, "accept", Status.ACCEPTED),
        (Status.UNDER_REVIEW, "return", Status.RETURNED),
        (Status.ACCEPTED, "investigate", Status.INVESTIGATING),
        (Status.SUPPLEMENTED, "void", Status.VOIDED),
    ],
)
def test_an_act_is_done_on_the_version_that_was_read(
    regulator: Browser, smdvs: Flask, status: Status, decision: str, leads_to: Status
) -> None:
    report_no = brought_to(system_of(smdvs), status)
    version = str(status_of(smdvs, report_no)[1])
    answer = post(regulator, report_no, decision=decision, version=version, reason="请补充铭牌照片")
    assert answer.status_code == 303, answer.text
    assert status_of(smdvs, report_no) == (leads_to, int(version) + 1)
    page = regulator.get(answer.location).text
    assert 'id="done"' in page
    assert "请补充铭牌照片" in page


def test_a_report_with_a_result_is_closed_and_one_without_is_not(regulator: Browser, smdvs: Flask) -> None:
    report_no = brought_to(system_of(smdvs), Status.ACCEPTED)
    assert 'value="close"' not in page_of(regulator, report_no)
    refused = post(regulator, report_no, decision="close", version="4")
    assert refused.status_code == 409
    assert "还没有提交调查结果" in refused.text
    act_on(system_of(smdvs), report_no, Act.FINAL)
    assert 'value="close"' in page_of(regulator, report_no)
    assert post(regulator, report_no, decision="close", version="5").status_code == 303
    assert status_of(smdvs, report_no) == (Status.CLOSED, 6)


@pytest.mark.parametrize("person", [Person.handler(), Person.legal_person(), Person.natural_person()])
@pytest.mark.parametrize("name", ["review", "persons"])
def test_who_is_no_regulator_is_refused_and_nothing_happens(
    browser: Browser, smdvs: Flask, person: Person, name: str
) -> None:
    report_no = brought_to(system_of(smdvs), Status.UNDER_REVIEW)
    browser.sign_in()
    token = csrf(browser, report_no)
    browser.sign_in(person)
    typed = {"csrf_token": token, "decision": "accept", "version": "3", "reason": "一个原因"}
    answer = browser.http.post(f"/smdvs/reports/{report_no}/{name}", data=typed)
    assert answer.status_code == 403
    assert 'data-reason="role_missing"' in answer.text
    assert status_of(smdvs, report_no) == (Status.UNDER_REVIEW, 3)
    assert list(accesses.lines(system_of(smdvs).database)) == []


def test_who_has_just_lost_the_role_is_refused(
    regulator: Browser, smdvs: Flask, provider: TestProvider
) -> None:
    report_no = brought_to(system_of(smdvs), Status.UNDER_REVIEW)
    token = csrf(regulator, report_no)
    provider.answer_changes["introspect"] = lambda answer: {**answer, "roles": []}
    typed = {"csrf_token": token, "decision": "accept", "version": "3"}
    answer = regulator.http.post(f"/smdvs/reports/{report_no}/review", data=typed)
    assert answer.status_code == 403
    assert status_of(smdvs, report_no) == (Status.UNDER_REVIEW, 3)


@pytest.mark.parametrize("decision", ["return", "void"])
@pytest.mark.parametrize(
    ("reason", "told"),
    [("", "请填写原因"), ("  ", "请填写原因"), ("因" * 501, "最多 500 个字"), ("a\x07b", "不可见的控制字符")],
)
def test_a_reason_that_must_be_there_is_asked_for_at_its_field(
    regulator: Browser, smdvs: Flask, decision: str, reason: str, told: str
) -> None:
    report_no = brought_to(system_of(smdvs), Status.UNDER_REVIEW)
    answer = post(regulator, report_no, decision=decision, version="3", reason=reason)
    assert answer.status_code == 422
    assert told in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert status_of(smdvs, report_no) == (Status.UNDER_REVIEW, 3)


@pytest.mark.parametrize(
    "fields",
    [
        {"decision": "detailed", "version": "3"},
        {"decision": "x", "version": "3"},
        {"version": "3"},
        {"decision": "accept"},
        {"decision": "accept", "version": "x"},
        {"decision": "accept", "version": "٣"},
        {"decision": "accept", "version": "9" * 30},
    ],
)
def test_a_form_that_our_pages_do_not_make_does_nothing(
    regulator: Browser, smdvs: Flask, fields: dict[str, str]
) -> None:
    report_no = brought_to(system_of(smdvs), Status.UNDER_REVIEW)
    assert post(regulator, report_no, **fields).status_code == 400
    assert status_of(smdvs, report_no) == (Status.UNDER_REVIEW, 3)


def test_who_read_an_older_version_is_told_and_keeps_what_was_typed(regulator: Browser, smdvs: Flask) -> None:
    report_no = brought_to(system_of(smdvs), Status.UNDER_REVIEW)
    act_on(system_of(smdvs), report_no, Act.ACCEPT)
    answer = post(regulator, report_no, decision="return", version="3", reason="请补充铭牌照片")
    assert answer.status_code == 409
    assert "有了变化（现为第 4 版）" in answer.text
    assert "请补充铭牌照片" in answer.text
    assert status_of(smdvs, report_no) == (Status.ACCEPTED, 4)


def test_a_report_that_is_not_there_is_not_reviewed(regulator: Browser, smdvs: Flask) -> None:
    report_no = brought_to(system_of(smdvs), Status.UNDER_REVIEW)
    typed = {"csrf_token": csrf(regulator, report_no), "decision": "accept", "version": "3", "reason": "原因"}
    for name in ("review", "persons"):
        answer = regulator.http.post(f"/smdvs/reports/SMDVS-20200101-0001/{name}", data=typed)
        assert answer.status_code == 404


def test_of_two_regulators_at_once_one_decides_and_the_other_is_told(
    smdvs_backend: Flask, provider: TestProvider
) -> None:
    report_no = brought_to(system_of(smdvs_backend), Status.UNDER_REVIEW)
    windows = [Browser(smdvs_backend.test_client(), provider) for _ in range(2)]
    for window, person in zip(windows, (REGULATOR, OTHER_REGULATOR), strict=True):
        window.sign_in(person)
    tokens = [csrf(window, report_no) for window in windows]
    barrier = Barrier(2)

    def decide(index: int) -> TestResponse:
        typed = {"csrf_token": tokens[index], "version": "3", "reason": f"意见 {index}"}
        barrier.wait()
        decision = ("accept", "return")[index]
        return windows[index].http.post(
            f"/smdvs/reports/{report_no}/review", data={**typed, "decision": decision}
        )

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(decide, range(2)))
    assert sorted(answer.status_code for answer in answers) == [303, 409]
    loser = next(index for index, answer in enumerate(answers) if answer.status_code == 409)
    assert f"意见 {loser}" in answers[loser].text
    assert status_of(smdvs_backend, report_no)[1] == 4


def test_another_sites_form_is_not_taken_and_ours_comes_back(regulator: Browser, smdvs: Flask) -> None:
    report_no = brought_to(system_of(smdvs), Status.UNDER_REVIEW)
    answer = post(
        regulator, report_no, csrf_token="x", decision="return", version="3", reason="写了一半的意见"
    )
    assert answer.status_code == 400
    assert "写了一半的意见" in answer.text
    assert status_of(smdvs, report_no) == (Status.UNDER_REVIEW, 3)
    assert resubmitted(regulator, answer).status_code == 303
    assert status_of(smdvs, report_no) == (Status.RETURNED, 4)


def resubmitted(browser: Browser, answer: TestResponse) -> TestResponse:
    """Press the button of the page that gave the form back."""
    form = answer.text.split('id="again-form"', 1)[1].split("</form>", 1)[0]
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
    fields["reason"] = form.split("<textarea", 1)[1].split(">", 1)[1].split("</textarea>", 1)[0].strip()
    address = answer.text.split('<form method="post" action="/smdvs/reports/', 1)[1].split('"', 1)[0]
    return browser.http.post(f"/smdvs/reports/{address}", data=fields)


def test_a_session_that_ended_meanwhile_loses_nothing(
    regulator: Browser, smdvs: Flask, provider: TestProvider
) -> None:
    report_no = brought_to(system_of(smdvs), Status.UNDER_REVIEW)
    token = csrf(regulator, report_no)
    typed = {"csrf_token": token, "decision": "return", "version": "3", "reason": "写了一半的意见"}
    provider.revoke_all()
    # The first finds the sign-in revoked, the second finds none.
    answers = [regulator.http.post(f"/smdvs/reports/{report_no}/review", data=typed) for _ in range(2)]
    for answer in answers:
        assert answer.status_code == 401
        assert "写了一半的意见" in answer.text
        assert f"/smdvs/login?then={report_no}" in answer.text
    assert status_of(smdvs, report_no) == (Status.UNDER_REVIEW, 3)
    regulator.sign_in(REGULATOR)
    assert resubmitted(regulator, answers[-1]).status_code == 303
    assert status_of(smdvs, report_no) == (Status.RETURNED, 4)


def test_a_silent_provider_and_a_busy_database_lose_nothing(
    regulator: Browser, smdvs: Flask, provider: TestProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    report_no = brought_to(system_of(smdvs), Status.UNDER_REVIEW)
    token = csrf(regulator, report_no)
    typed = {"csrf_token": token, "decision": "return", "version": "3", "reason": "写了一半的意见"}
    provider.broken.add("introspect")
    silent = regulator.http.post(f"/smdvs/reports/{report_no}/review", data=typed)
    provider.broken.clear()

    def busy(*_: object) -> None:
        raise DatabaseUnavailable("SELECT 1", {}, Exception("database is locked"))

    with monkeypatch.context() as patch:
        patch.setattr("clients.smdvs.reviews.carry_out", busy)
        locked = regulator.http.post(f"/smdvs/reports/{report_no}/review", data=typed)
    for answer in (silent, locked):
        assert answer.status_code == 503
        assert "写了一半的意见" in answer.text
    assert status_of(smdvs, report_no) == (Status.UNDER_REVIEW, 3)


def test_people_are_shown_to_a_regulator_once_the_look_is_in_the_log(
    regulator: Browser, smdvs: Flask
) -> None:
    report_no = brought_to(system_of(smdvs), Status.UNDER_REVIEW)
    before = page_of(regulator, report_no)
    assert "19900000001" not in before
    assert "李示例" not in before.split("<main", 1)[1]
    answer = post(regulator, report_no, "persons", reason=" 电话核实\n火情 ")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert "李示例" in answer.text
    assert "19900000001" in answer.text
    assert "电话核实 火情" in answer.text  # the look stands in the time line at once
    (line,) = accesses.lines(system_of(smdvs).database)
    assert '"sub": "regulator-1"' in line
    assert "reporter_phone" in line
    assert "19900000001" not in line
    assert "李示例" not in line
    again = page_of(regulator, report_no)
    assert "19900000001" not in again
    assert "电话核实 火情" in again


@pytest.mark.parametrize(("reason", "told"), [("", "请填写查看原因"), ("因" * 201, "原因最多 200 个字")])
def test_without_a_reason_nobody_is_shown(regulator: Browser, smdvs: Flask, reason: str, told: str) -> None:
    report_no = brought_to(system_of(smdvs), Status.UNDER_REVIEW)
    answer = post(regulator, report_no, "persons", reason=reason)
    assert answer.status_code == 422
    assert told in answer.text
    assert "19900000001" not in answer.text
    assert list(accesses.lines(system_of(smdvs).database)) == []


def test_when_the_log_can_not_be_written_nobody_is_shown(
    regulator: Browser, smdvs: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    report_no = brought_to(system_of(smdvs), Status.UNDER_REVIEW)

    def busy(*_: object) -> None:
        raise DatabaseUnavailable("INSERT", {}, Exception("database is locked"))

    monkeypatch.setattr(accesses, "record", busy)
    answer = post(regulator, report_no, "persons", reason="电话核实火情")
    assert answer.status_code == 503
    assert "19900000001" not in answer.text


def test_the_log_is_the_regulators_and_not_shown_to_the_enterprise(
    browser: Browser, smdvs: Flask, provider: TestProvider
) -> None:
    report_no = brought_to(system_of(smdvs), Status.UNDER_REVIEW)
    regulator = Browser(smdvs.test_client(), provider)
    regulator.sign_in(REGULATOR)
    post(regulator, report_no, "persons", reason="电话核实火情")
    browser.sign_in(Person.handler())
    page = page_of(browser, report_no)
    assert "电话核实火情" not in page
    assert "regulator-1" not in page
    assert "周示例" not in page
    assert "*示例" in page  # the regulator who began the review, masked
