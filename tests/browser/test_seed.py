"""The customer's document, walked in a browser: 注册, 认证, 申请, 审核, 登录上报, 撤销, 拒绝.

Every step leaves a screenshot in ``var/screenshots``, to be looked at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.applications import Applications
from tests.browser.conftest import SCREENSHOTS
from tests.journeys.people import scan

PASSWORD = "Browser#2026"
CREDIT_CODE = "91990101MADEM0038Y"
ENTERPRISE = "演示汽车科技有限公司"
TIMEOUT_MS = 20_000


@dataclass
class Visitor:
    """A person with a browser window of their own."""

    name: str
    running: Applications
    page: Page
    shots: Path

    def open(self, path: str) -> None:
        """Visit a page of the platform."""
        self.page.goto(self.running.idp_url + path)

    def shot(self, step: str) -> None:
        """Keep what the window shows."""
        self.page.screenshot(path=str(self.shots / f"{step}.png"), full_page=True)

    def code_for(self, phone: str) -> str:
        """The newest code in the development outbox."""
        answer = self.page.request.get(
            f"{self.running.idp_url}/dev/outbox", headers={"Accept": "application/json"}
        )
        return str(next(sms["code"] for sms in answer.json() if sms["phone"] == phone))

    def fill(self, **fields: str) -> None:
        """Type into the fields of these ids."""
        for name, value in fields.items():
            self.page.fill(f"[id='{name}']", value)

    def press(self, button: str) -> None:
        """Press a button, ``id`` or ``name=value``, and wait for the answer."""
        name, _, value = button.partition("=")
        selector = f"button[name='{name}'][value='{value}']" if value else f"#{name}"
        with self.page.expect_navigation():
            self.page.click(selector)

    def register(self, phone: str) -> None:
        """用户注册 with the code sent to the phone."""
        self.open("/register")
        self.fill(
            login_name=self.name,
            password=PASSWORD,
            confirm_password=PASSWORD,
            email=f"{self.name}@example.com",
            phone=phone,
        )
        self.page.check("#agree")
        self.send_code("button[name='action'][value='send_code']")
        self.fill(sms_code=self.code_for(phone))
        self.shot(f"01-{self.name}-register")
        self.press("action=register")

    def send_code(self, selector: str) -> None:
        """获取验证码, sent without leaving the page."""
        with self.page.expect_response(lambda response: response.request.method == "POST"):
            self.page.click(selector)

    def sign_in(self, phone: str) -> None:
        """用户登录 on the page shown."""
        self.fill(identifier=self.name, password=PASSWORD)
        self.send_code("#send-code")
        self.fill(sms_code=self.code_for(phone))
        self.shot(f"05-{self.name}-login")
        self.press("login-submit")

    def sign_out(self) -> None:
        """退出."""
        self.open("/account")
        with self.page.expect_navigation():
            self.page.get_by_role("button", name="退出").first.click()


def pick_first(page: Page, field: str) -> None:
    """Choose the first real option of a select."""
    value = page.eval_on_selector(
        f"[id='{field}']", "select => [...select.options].map(option => option.value).find(value => value)"
    )
    page.select_option(f"[id='{field}']", value)


@pytest.mark.parametrize("width", [1440, 360])
def test_the_seed_document_is_walked_from_registration_to_refusal(
    walked: Applications, chromium: Browser, tmp_path: Path, width: int
) -> None:
    shots = SCREENSHOTS / str(width)
    shots.mkdir(parents=True, exist_ok=True)

    def visitor(name: str) -> Visitor:
        context: BrowserContext = chromium.new_context(viewport={"width": width, "height": 900})
        context.set_default_timeout(TIMEOUT_MS)
        return Visitor(name, walked, context.new_page(), shots)

    picture = tmp_path / "scan.png"
    picture.write_bytes(scan())
    legal, handler = visitor("browser_legal"), visitor("browser_li")
    handler.open("/")
    handler.shot("00-home")
    authenticate_legal_person(legal, picture)
    authenticate_natural_person(handler, picture)
    apply(handler)
    approve(legal)
    sign_in_at_smdvs(handler)
    submit_report(handler)
    refused_after_revocation(handler, legal)


def authenticate_legal_person(legal: Visitor, picture: Path) -> None:
    legal.register("19900000201")
    legal.shot("02-offer")
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
    legal.shot("02-legal-person")
    legal.press("action=submit")
    legal.open("/account")
    expect(legal.page.locator("main")).to_contain_text("已实名认证")
    legal.shot("02-legal-account")


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
    handler.shot("03-wrong-number")  # the check digit is wrong: the message stands at the field
    handler.fill(document_number="990101199001010027")
    handler.page.set_input_files("#document_scan", str(picture))
    handler.press("action=submit")
    handler.open("/account")
    expect(handler.page.locator("main")).to_contain_text("已实名认证")
    handler.shot("03-account")


def apply(handler: Visitor) -> None:
    handler.open("/account/handler-applications")
    handler.fill(enterprise_name=ENTERPRISE, enterprise_credit_code=CREDIT_CODE)
    handler.page.check("input[name='matters'][value='nev-accident-report']")
    handler.fill(valid_until=(datetime.now(UTC) + timedelta(days=90)).date().isoformat())
    handler.shot("04-apply")
    handler.press("action=apply")
    expect(handler.page.locator("main")).to_contain_text("待审核")
    handler.shot("04-applied")


def approve(legal: Visitor) -> None:
    legal.open("/enterprise/handlers")
    expect(legal.page.locator("main")).to_contain_text("browser_li")
    legal.shot("04-review")
    legal.press("decision=approve")
    expect(legal.page.locator("main")).to_contain_text("已通过")
    legal.shot("04-approved")


def sign_in_at_smdvs(handler: Visitor) -> None:
    handler.sign_out()
    handler.page.goto(f"{handler.running.smdvs_url}/smdvs/")
    handler.shot("05-smdvs-home")
    with handler.page.expect_navigation():
        handler.page.click("#login")
    expect(handler.page.locator("#login-page")).to_be_visible()
    handler.sign_in("19900000202")
    expect(handler.page.locator("main")).to_contain_text(ENTERPRISE)
    handler.shot("06-consent")
    handler.press("consent-approve")
    handler.page.wait_for_url(f"{handler.running.smdvs_url}/**")
    handler.shot("06-smdvs-list")


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
    handler.shot("07-report-form")
    press_submit(handler)
    expect(handler.page.locator("main")).to_contain_text("SMDVS-")
    handler.shot("07-report-accepted")


def refused_after_revocation(handler: Visitor, legal: Visitor) -> None:
    fill_in_report(handler)
    legal.open("/enterprise/handlers")
    legal.press("decision=revoke")
    expect(legal.page.locator("main")).to_contain_text("已撤销")
    legal.shot("08-revoked")
    press_submit(handler)
    expect(handler.page.locator("main")).not_to_contain_text("SMDVS-")
    expect(handler.page.locator("main")).to_contain_text("撤销")
    handler.shot("08-refused")
