"""The life of a report in a browser, at both widths: from the empty form to the closed report.

The handler, the enterprise's legal person and the regulator each have a window of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from clients.smdvs import forms
from tests.applications import Applications
from tests.browser import axe
from tests.browser.conftest import Camera
from tests.browser.test_seed import fill_in_report
from tests.browser.visitor import Visitor
from tests.clients.documents import detailed_json, detailed_vehicle, result_json
from tests.clients.files import pdf, picture
from tests.journeys.people import DEMO_PASSWORD, PHONES

REASON = "请补充车辆铭牌照片，并说明起火前的充电情况。"


def test_a_report_goes_from_the_empty_form_to_its_end(
    walked: Applications, camera: Camera, open_window: Callable[..., Page]
) -> None:
    pictures = Camera(camera.width, camera.folder / "smdvs")
    pictures.folder.mkdir(exist_ok=True)
    handler, legal, regulator = (
        Visitor(f"demo_{name}", DEMO_PASSWORD, walked, open_window(), pictures)
        for name in ("handler", "legal", "regulator")
    )
    enter(handler, "handler")
    report_no = report(handler)
    send_detailed(handler, report_no, detailed_json())
    enter(regulator, "regulator")
    begin_review(regulator, report_no)
    return_it(regulator, report_no)
    read_the_reason(handler, report_no)
    send_detailed(handler, report_no, detailed_json(vehicles=[detailed_vehicle(model="SL7000BEV-2")]))
    see_what_changed(handler, report_no)
    look_at_people(regulator, report_no)
    accept(regulator, report_no)
    send_result(handler, report_no)
    close(regulator, report_no)
    enter(legal, "legal")
    read_the_end(legal, report_no)
    withdraw_another(handler)


def enter(visitor: Visitor, name: str) -> None:
    """Sign in at smdvs for the first time: 登录, 授权同意."""
    visitor.page.goto(f"{visitor.running.smdvs_url}/smdvs/login")
    visitor.sign_in(PHONES[name])
    if visitor.page.locator("#consent-approve").count():
        visitor.press("consent-approve")
    visitor.page.wait_for_url(f"{visitor.running.smdvs_url}/smdvs/**")


def report(handler: Visitor) -> str:
    fill_in_report(handler)
    press_submit(handler)
    seen(handler, "submitted", "已快报")
    return handler.page.inner_text("#report-no")


def press_submit(handler: Visitor) -> None:
    with handler.page.expect_navigation():
        handler.page.locator("main button[name='action'][value='submit']").last.click()


def begin_review(regulator: Visitor, report_no: str) -> None:
    show(regulator, "")
    expect(regulator.page.locator("#queues")).to_contain_text("待审核1")
    checked(regulator, "queue")
    show(regulator, f"/{report_no}")
    expect(regulator.page.locator("main")).not_to_contain_text("19900000202")
    regulator.press("decision=review")
    seen(regulator, "under-review", "审核中")


def return_it(regulator: Visitor, report_no: str) -> None:
    regulator.press("decision=return")
    expect(regulator.page.locator("#reason-note")).to_contain_text("请填写原因")
    checked(regulator, "return-without-reason")
    regulator.fill(reason=REASON)
    regulator.press("decision=return")
    seen(regulator, "returned", "退回补正")


def read_the_reason(handler: Visitor, report_no: str) -> None:
    show(handler, f"/{report_no}")
    expect(handler.page.locator("#return-reason")).to_contain_text(REASON)
    expect(handler.page.locator("#act-detailed")).to_have_text("补正详报")
    seen(handler, "to-correct", "退回补正")


def see_what_changed(handler: Visitor, report_no: str) -> None:
    show(handler, f"/{report_no}/versions/2")
    expect(handler.page.locator("#changes")).to_contain_text("车辆型号")
    checked(handler, "version")


def look_at_people(regulator: Visitor, report_no: str) -> None:
    show(regulator, f"/{report_no}")
    regulator.page.fill("#persons-reason", "电话核实充电情况")
    with regulator.page.expect_navigation():
        regulator.page.click("#persons-form button")
    expect(regulator.page.locator("#disclosed")).to_be_visible()
    expect(regulator.page.locator("#history")).to_contain_text("电话核实充电情况")
    checked(regulator, "people")


def accept(regulator: Visitor, report_no: str) -> None:
    show(regulator, f"/{report_no}")
    regulator.press("decision=review")
    regulator.press("decision=accept")
    seen(regulator, "accepted", "已受理")


def close(regulator: Visitor, report_no: str) -> None:
    show(regulator, f"/{report_no}")
    regulator.press("decision=close")
    seen(regulator, "closed", "结案")


def read_the_end(legal: Visitor, report_no: str) -> None:
    show(legal, f"/{report_no}")
    expect(legal.page.locator("#chain")).to_contain_text("记录核验通过")
    expect(legal.page.locator("#history > li")).to_have_count(9)
    seen(legal, "closed-enterprise", "结案")


def withdraw_another(handler: Visitor) -> None:
    fill_in_report(handler)
    press_submit(handler)
    with handler.page.expect_navigation():
        handler.page.click("#act-void")
    checked(handler, "void")
    handler.fill(reason="与另一份上报重复")
    handler.page.check("#confirm")
    handler.press("action=void")
    seen(handler, "voided", "作废")


def show(visitor: Visitor, path: str) -> None:
    visitor.page.goto(f"{visitor.running.smdvs_url}/smdvs/reports{path}")


def seen(visitor: Visitor, name: str, status: str) -> None:
    """The report stands so; the page is kept as a picture and has no barrier."""
    expect(visitor.page.locator("#status")).to_contain_text(status)
    checked(visitor, name)


def checked(visitor: Visitor, name: str) -> None:
    visitor.shot(name)
    assert axe.faults(visitor.page) == []


def send_detailed(handler: Visitor, report_no: str, document: dict[str, Any]) -> None:
    """The detailed report by its form, with a photo and the report of the investigation."""
    show(handler, f"/{report_no}/detailed")
    checked(handler, "detailed-form")
    enter_fields(handler.page, forms.fields_of(document))
    handler.page.check("[name='fire_locations'][value='battery_pack']")
    for kind, name, content in (
        ("site_photo", "现场.jpg", picture("JPEG")),
        ("investigation_report", "调查报告.pdf", pdf()),
    ):
        handler.page.select_option("#attachment_kind", kind)
        handler.page.set_input_files("#file", {"name": name, "mimeType": "", "buffer": content})
        expect(handler.page.locator("#attachment-list")).to_contain_text(name)
    press_submit(handler)
    expect(handler.page.locator("main")).to_contain_text("已详报")


def send_result(handler: Visitor, report_no: str) -> None:
    """The result of the investigation by its form."""
    show(handler, f"/{report_no}/final")
    checked(handler, "result-form")
    enter_fields(handler.page, forms.fields_of(result_json()))
    press_submit(handler)
    expect(handler.page.locator("#result")).to_contain_text("电池")


def enter_fields(page: Page, fields: forms.Fields) -> None:
    """Type or choose what each visible field of that name says."""
    for name, text in fields.items():
        field = page.locator(f"main [name='{name}']").first
        if not field.count() or name in ("enterprise_credit_code", "fire_locations", "major_social_impact"):
            continue
        if field.evaluate("element => element.tagName") == "SELECT":
            field.select_option(text)
        elif field.get_attribute("type") == "datetime-local":
            field.fill(text[:16])
        elif field.get_attribute("type") != "checkbox":
            field.fill(text)
