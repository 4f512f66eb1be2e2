"""A report's page and its versions: who is shown what, what comes next, whether the record holds."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from clients.smdvs.lifecycle import Act, Side
from clients.smdvs.next_steps import next_step
from clients.smdvs.vocabulary import Status
from tests.clients.conftest import Browser, system_of
from tests.clients.documents import vehicle
from tests.clients.life import act_on, brought_to
from tests.clients.provider import OTHER_ENTERPRISE, Person

REGULATOR = Person.natural_person(roles=["regulator"])
COLLEAGUE = Person.handler()
COLLEAGUE.sub, COLLEAGUE.name = "person-2", "王示例"
LEGAL = Person.legal_person()
LEGAL.name = "示例公司"
OWNER = {"owner_name": "赵示例", "owner_phone": "19900000077"}


def main_of(browser: Browser, path: str) -> str:
    answer = browser.get(f"/smdvs/reports/{path}")
    assert answer.status_code == 200, answer.text
    return answer.text.split("<main", 1)[1].split("</main>", 1)[0]


@pytest.mark.parametrize("status", list(Status))
def test_the_enterprise_is_led_by_one_primary_step(browser: Browser, smdvs: Flask, status: Status) -> None:
    report_no = brought_to(system_of(smdvs), status)
    browser.sign_in()
    card = main_of(browser, report_no).split('id="next-step"', 1)[1].split("</section>", 1)[0]
    step = next_step(status, Side.ENTERPRISE, has_final=status is Status.CLOSED)
    assert step.words in card
    assert card.count("btn-primary") == (step.primary is not None)
    links = re.findall(r'id="act-(\w+)" href="/smdvs/reports/[^"]+/(\w+)"', card)
    offered = [*([step.primary] if step.primary else []), *step.others]
    assert [name for name, _ in links] == [path for _, path in links] == offered


@pytest.mark.parametrize("status", list(Status))
def test_the_regulator_is_led_by_one_primary_step(browser: Browser, smdvs: Flask, status: Status) -> None:
    report_no = brought_to(system_of(smdvs), status)
    browser.sign_in(REGULATOR)
    card = main_of(browser, report_no).split('id="next-step"', 1)[1].split("</section>", 1)[0]
    step = next_step(status, Side.REGULATOR, has_final=status is Status.CLOSED)
    assert step.words in card
    assert card.count("btn-primary") == (step.primary is not None)
    offered = [*([step.primary] if step.primary else []), *step.others]
    assert re.findall(r'name="decision" value="(\w+)"', card) == offered


def test_the_reason_of_a_return_stands_above_everything(browser: Browser, smdvs: Flask) -> None:
    report_no = brought_to(system_of(smdvs), Status.RETURNED)
    browser.sign_in()
    page = main_of(browser, report_no)
    assert page.index('id="return-reason"') < page.index('id="next-step"')
    assert page.count("请补充车辆铭牌照片") == 2
    act_on(system_of(smdvs), report_no, Act.DETAILED)
    assert 'id="return-reason"' not in main_of(browser, report_no)


@pytest.mark.parametrize(
    ("person", "author", "contact", "owner"),
    [
        (Person.handler(), "李示例", "19900000001", "赵示例"),
        (COLLEAGUE, "*示例", "199****0001", "*示例"),
        (LEGAL, "李示例", "199****0001", "*示例"),
        (REGULATOR, "*示例", "199****0001", "*示例"),
    ],
)
def test_people_are_shown_to_those_who_must_know(
    browser: Browser, smdvs: Flask, person: Person, author: str, contact: str, owner: str
) -> None:
    report_no = brought_to(system_of(smdvs), Status.SUPPLEMENTED, vehicles=[vehicle(**OWNER)])
    browser.sign_in(person)
    for path in (report_no, f"{report_no}/versions/1", f"{report_no}/versions/2"):
        page = main_of(browser, path)
        assert f"{author}（经办人）" in page
        assert ("李示例" in page) == (author == "李示例")
        assert ("19900000001" in page) == (contact == "19900000001")
        assert ("赵示例" in page) == (owner == "赵示例")
        assert ("19900000077" in page) == (owner == "赵示例")


def test_every_act_can_be_opened_from_the_time_line_newest_first(browser: Browser, smdvs: Flask) -> None:
    report_no = brought_to(system_of(smdvs), Status.CLOSED)
    browser.sign_in()
    page = main_of(browser, report_no)
    links = re.findall(rf'href="/smdvs/reports/({report_no}/versions/\d+)"', page)
    assert links == [f"{report_no}/versions/{number}" for number in (6, 5, 4, 3, 2, 1)]
    kinds = [re.search(r"<h1>第 \d 版 · (\w+)</h1>", main_of(browser, link)) for link in links]
    assert [kind[1] for kind in kinds if kind] == ["结案", "调查结果", "受理", "开始审核", "详报", "快报"]


def test_a_version_says_what_it_changed_field_by_field(browser: Browser, smdvs: Flask) -> None:
    report_no = brought_to(system_of(smdvs), Status.INITIAL_SUBMITTED)
    act_on(system_of(smdvs), report_no, Act.SUPPLEMENT, deaths=2, vehicles=[vehicle(brand="样板", **OWNER)])
    act_on(system_of(smdvs), report_no, Act.SUPPLEMENT, deaths=2, vehicles=[vehicle(brand="样板", **OWNER)])
    browser.sign_in(COLLEAGUE)
    table = main_of(browser, f"{report_no}/versions/2").split('id="changes"', 1)[1].split("</section>", 1)[0]
    rows = [re.sub(r"<[^>]+>", "|", row) for row in re.findall(r"<tr>(.*?)</tr>", table)[1:]]
    cells = [[cell for cell in row.split("|") if cell] for row in rows]
    assert ["死亡人数", "0", "2"] in cells
    assert ["第 1 辆车 · 品牌（LTEST00A0R1000001）", "示例", "样板"] in cells
    assert [cell[2] for cell in cells if "姓名" in cell[0]] == ["*示例"]
    assert "相同" in main_of(browser, f"{report_no}/versions/3")
    assert 'id="changes"' not in main_of(browser, f"{report_no}/versions/1")


@pytest.mark.parametrize("number", ["0", "2", "99999999999999999999999"])
def test_a_version_that_is_not_there_is_answered_like_a_report_that_is_not(
    browser: Browser, smdvs: Flask, number: str
) -> None:
    report_no = brought_to(system_of(smdvs), Status.INITIAL_SUBMITTED)
    browser.sign_in()
    absent = browser.get("/smdvs/reports/SMDVS-20200101-0001")
    answer = browser.get(f"/smdvs/reports/{report_no}/versions/{number}")
    assert answer.status_code == absent.status_code == 404
    assert answer.text == absent.text
    browser.sign_in(Person.handler(OTHER_ENTERPRISE))
    assert browser.get(f"/smdvs/reports/{report_no}/versions/1").status_code == 404


def test_a_record_that_was_tampered_with_says_so_and_can_still_be_read(
    browser: Browser, smdvs: Flask
) -> None:
    system = system_of(smdvs)
    report_no = brought_to(system, Status.DETAILED_SUBMITTED)
    browser.sign_in()
    assert "记录核验通过" in main_of(browser, report_no)
    with system.database.transaction() as session:
        session.execute(text("DROP TRIGGER report_versions_stay_update"))
        session.execute(text("UPDATE report_versions SET personal_sealed = 'x' WHERE version = 2"))
    page = main_of(browser, report_no)
    assert "记录核验未通过" in page
    assert "第 2 版与当时提交的内容不一致" in page


def test_what_was_done_is_said_and_nothing_else_is(browser: Browser, smdvs: Flask) -> None:
    report_no = brought_to(system_of(smdvs), Status.RETURNED)
    browser.sign_in()
    assert "已退回企业补正" in main_of(browser, f"{report_no}?done=return")
    assert 'id="done"' not in main_of(browser, f"{report_no}?done=%3Cb%3E")


def test_seconds_that_nobody_typed_are_no_change_and_a_changed_phone_is_one(
    browser: Browser, smdvs: Flask
) -> None:
    """Masks may hide what differs, but not that something does."""
    system = system_of(smdvs)
    times: dict[str, Any] = {
        "learned_at": "2026-11-23T09:30:00+08:00",
        "occurred_at": "2026-11-23T08:30:00+08:00",
    }
    late: dict[str, Any] = {"late_reason": "首次获知后误以为无需上报"}
    report_no = brought_to(system, Status.INITIAL_SUBMITTED, **times, **late)
    times["learned_at"] = "2026-11-23T09:30:07+08:00"
    act_on(system, report_no, Act.SUPPLEMENT, **times, **late, reporter_phone="19900110001")
    browser.sign_in(COLLEAGUE)
    table = main_of(browser, f"{report_no}/versions/2").split('id="changes"', 1)[1].split("</section>", 1)[0]
    assert "企业获知时间" not in table
    assert "联系电话" in table
    assert table.count("199****0001") == 2


def test_the_result_of_the_investigation_is_told_in_words(browser: Browser, smdvs: Flask) -> None:
    report_no = brought_to(system_of(smdvs), Status.CLOSED)
    browser.sign_in(REGULATOR)
    for path in (report_no, f"{report_no}/versions/5"):
        told = main_of(browser, path).split('id="result"', 1)[1].split("</section>", 1)[0]
        names = re.findall(r"<dt>([^<]+)</dt>", told)
        assert names == ["查明的原因", "原因分析", "责任方", "责任说明", "整改措施", "召回意向"]
        assert "评估中" in told
        assert "battery" not in told
