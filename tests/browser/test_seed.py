"""The customer's document, walked in a browser from 注册 to 拒绝, at both widths.

How to renew the pictures in docs/screenshots is told by docs/seed-coverage.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.applications import Applications
from tests.browser.conftest import Camera
from tests.browser.visitor import Visitor, pick_first
from tests.journeys.people import scan

PASSWORD = "Browser#2026"
CREDIT_CODE = "91990101MADEM0038Y"
ENTERPRISE = "演示汽车科技有限公司"


def test_the_seed_document_is_walked_from_registration_to_refusal(
    walked: Applications, camera: Camera, open_window: Callable[..., Page], tmp_path: Path
) -> None:
    picture = tmp_path / "scan.png"
    picture.write_bytes(scan())
    legal = Visitor("browser_legal", PASSWORD, walked, open_window(), camera)
    handler = Visitor("browser_li", PASSWORD, walked, open_window(), camera)
    authenticate_legal_person(legal, picture)
    authenticate_natural_person(handler, picture)
    apply(handler)
    approve(legal)
    sign_in_at_smdvs(handler)
    submit_report(handler)
    bound_system(handler)
    refused_after_revocation(handler, legal)
    sign_in_by_credit_code(legal)


def authenticate_legal_person(legal: Visitor, picture: Path) -> None:
    legal.register("19900000201")
    legal.shot("offer-of-verification")
    legal.open("/account/verification?subject_type=legal_person")
    for field in ("organization_type", "legal_person_type"):
        pick_first(legal.page, field)
    legal.page.select_option("#representative_document_type", "id_card")
    legal.fill(
        enterprise_credit_code=CREDIT_CODE,
        enterprise_name=ENTERPRISE,
        representative_name="张示例",
        representative_document_number="990101197812310016",
        address="示例市示例区示例路 1 号",
    )
    legal.page.set_input_files("#document_scan", str(picture))
    legal.page.set_input_files("#licence_scan", str(picture))
    legal.shot("verification-legal-person")
    legal.press("action=submit")
    legal.open("/account")
    expect(legal.page.locator("main")).to_contain_text("已实名认证")
    legal.shot("account-legal-person")


def authenticate_natural_person(handler: Visitor, picture: Path) -> None:
    handler.register("19900000202")
    handler.open("/account/verification?subject_type=natural_person")
    handler.page.select_option("#document_type", "id_card")
    handler.fill(
        real_name="李示例",
        document_number="990101199001010028",
        address="示例市示例区示例路 2 号",
        valid_from="2020-01-01",
        valid_until="2040-01-01",
    )
    handler.page.set_input_files("#document_scan", str(picture))
    handler.press("action=submit")
    handler.shot("verification-natural-person")  # the check digit is wrong: the message stands at the field
    handler.fill(document_number="990101199001010027")
    handler.page.set_input_files("#document_scan", str(picture))
    handler.press("action=submit")
    handler.open("/account")
    expect(handler.page.locator("main")).to_contain_text("已实名认证")
    handler.shot("account-natural-person")


def apply(handler: Visitor) -> None:
    handler.open("/account/handler-applications")
    handler.fill(enterprise_name=ENTERPRISE, enterprise_credit_code=CREDIT_CODE)
    handler.page.check("input[name='matters'][value='nev-accident-report']")
    handler.fill(valid_until=(datetime.now(UTC) + timedelta(days=90)).date().isoformat())
    handler.shot("handler-application")
    handler.press("action=apply")
    expect(handler.page.locator("main")).to_contain_text("待审核")
    handler.shot("handler-application-pending")


def approve(legal: Visitor) -> None:
    legal.open("/enterprise/handlers")
    expect(legal.page.locator("main")).to_contain_text("browser_li")
    legal.shot("handler-review")
    legal.press("decision=approve")
    expect(legal.page.locator("main")).to_contain_text("已通过")
    legal.shot("handlers-in-force")


def sign_in_at_smdvs(handler: Visitor) -> None:
    handler.sign_out()
    handler.page.goto(f"{handler.running.smdvs_url}/smdvs/")
    handler.shot("smdvs-home")
    with handler.page.expect_navigation():
        handler.page.click("#login")
    expect(handler.page.locator("#login-page")).to_be_visible()
    handler.sign_in("19900000202", "990101199001010027")  # by ID number
    expect(handler.page.locator("main")).to_contain_text(ENTERPRISE)
    handler.shot("consent")
    handler.press("consent-approve")
    handler.page.wait_for_url(f"{handler.running.smdvs_url}/**")
    handler.shot("smdvs-reports")


def bound_system(handler: Visitor) -> None:
    handler.open("/account/systems")
    expect(handler.page.locator("#systems-page")).to_contain_text("新能源汽车事故上报平台")
    expect(handler.page.locator("#systems-page")).to_contain_text("解除绑定")
    handler.shot("system-binding")


def sign_in_by_credit_code(legal: Visitor) -> None:
    legal.sign_out()
    legal.open("/login")
    legal.sign_in("19900000201", CREDIT_CODE)
    expect(legal.page.locator("main")).to_contain_text(ENTERPRISE)


def fill_in_report(handler: Visitor) -> None:
    page = handler.page
    page.goto(f"{handler.running.smdvs_url}/smdvs/reports/new")
    for field in (
        *("accident_type", "place-province", "vehicle_state", "preliminary_cause"),
        *("vehicles-0-vehicle_class", "vehicles-0-energy_type", "vehicles-0-battery-battery_type"),
    ):
        pick_first(page, field)
    moment = datetime.now(UTC) + timedelta(hours=8)
    texts = {
        "reporter_phone": "19900000202",
        "occurred_at": (moment - timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M"),
        "learned_at": (moment - timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M"),
        "place-city": "示例市",
        "place-address": "示例路 1 号",
        "vehicles-0-vin": "LTEST00A0R1000001",
        "vehicles-0-brand": "示例",
        "vehicles-0-model": "示例EV-1",
        "vehicles-0-odometer_km": "1234",
        "vehicles-0-battery-cell_maker": "样板电池",
        "vehicles-0-battery-pack_maker": "样板电池",
        "narrative": "静置停放时底部冒烟，随后起火，消防到场扑灭。",
        "deaths": "0",
        "injured_heavy": "0",
        "injured_light": "0",
        "property_loss": "100000",
    }
    handler.fill(**texts)
    page.check("[name='major_social_impact'][value='false']")


def press_submit(handler: Visitor) -> None:
    with handler.page.expect_navigation():
        handler.page.get_by_role("button", name=re.compile("提交")).last.click()


def submit_report(handler: Visitor) -> None:
    fill_in_report(handler)
    handler.shot("smdvs-report-form")
    press_submit(handler)
    expect(handler.page.locator("main")).to_contain_text("SMDVS-")
    handler.shot("smdvs-report-accepted")


def refused_after_revocation(handler: Visitor, legal: Visitor) -> None:
    fill_in_report(handler)
    legal.open("/enterprise/handlers")
    legal.press("decision=revoke")
    expect(legal.page.locator("main")).to_contain_text("已撤销")
    legal.shot("handler-revoked")
    press_submit(handler)
    expect(handler.page.locator("main")).not_to_contain_text("SMDVS-")
    expect(handler.page.locator("main")).to_contain_text("撤销")
    handler.shot("smdvs-refused")
