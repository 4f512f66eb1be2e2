"""The pages of the customer's document one by one, at both widths, with the demonstration's people."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from idp.web.messages.blocks import BLOCKS, HOT_TERMS
from tests.applications import Applications
from tests.browser.conftest import Camera
from tests.browser.visitor import Visitor
from tests.journeys.people import scan

PASSWORD = "Demo#2026pass"
PHONES = {
    "demo_legal": "19900000001",
    "demo_handler": "19900000003",
    "demo_multi": "19900000004",
    "demo_person": "19900000006",
    "demo_admin": "19900000007",
}
NEW_PASSWORD = "Zhaohui#2026"
PICTURED_OF_ONES_OWN = {
    "progress": "/progress",
    "security": "/account/security",
    "sessions": "/account/sessions",
    "consents": "/account/consents",
    "one-time-password": "/account/security/totp",
    "export": "/account/export",
    "deletion": "/account/deletion",
}
LOGIN_LINKS = ("绑定手机号", "忘记密码", "账号找回", "手机号修改", "立即注册", "在线帮助")


@pytest.fixture
def stranger(demonstration: Applications, camera: Camera, open_window: Callable[..., Page]) -> Visitor:
    """Somebody who is not signed in."""
    return Visitor("nobody", PASSWORD, demonstration, open_window(), camera)


def test_the_home_page_its_blocks_search_and_help(stranger: Visitor) -> None:
    page = stranger.page
    stranger.open("/")
    for text in ("全国一体化在线政务服务平台", "工业和信息化部政务服务平台", *HOT_TERMS):
        expect(page.locator("body")).to_contain_text(text)
    stranger.shot("home")
    for block in BLOCKS:
        stranger.open("/")
        page.locator(".blocks").get_by_role("link", name=block.name).click()
        expect(page.locator("h1")).to_contain_text(block.name)
        stranger.shot(f"block-{block.code}", whole=block.code != "help")
    stranger.open("/")
    page.fill("#q", "忘记密码")
    page.keyboard.press("Enter")
    expect(page.locator("#search-page")).to_contain_text("找到")
    stranger.shot("search", whole=False)
    page.get_by_role("link", name="忘记密码，怎么办？").click()
    expect(page.locator("#password")).to_be_in_viewport()
    stranger.open("/search?q=烟花爆竹许可证")
    expect(page.locator("#nothing-found")).to_be_visible()
    stranger.shot("search-nothing-found")
    stranger.open("/accessibility")
    stranger.shot("accessibility")


def test_the_language_is_switched_and_kept(stranger: Visitor) -> None:
    stranger.open("/")
    stranger.page.get_by_role("link", name="English").click()
    expect(stranger.page.locator("html")).to_have_attribute("lang", "en")
    stranger.shot("home-english")
    stranger.page.get_by_role("link", name="简体中文").click()
    expect(stranger.page.locator("html")).to_have_attribute("lang", "zh-CN")


def test_the_sign_in_page_and_all_its_links(stranger: Visitor) -> None:
    stranger.open("/login")
    card = stranger.page.locator("#login-page")
    for text in (
        "登录名/统一社会信用代码/身份证号",
        "获取验证码",
        "国家政务服务平台账号登录",
        "12381",
        *LOGIN_LINKS,
    ):
        expect(card).to_contain_text(text)
    stranger.shot("login")
    for name in LOGIN_LINKS:
        stranger.open("/login")
        card.get_by_role("link", name=name).click()
        expect(stranger.page.locator("h1").first).to_be_visible()
        assert "/login" not in stranger.page.url


def test_another_platform_that_does_not_answer_is_said(stranger: Visitor) -> None:
    stranger.open("/login")
    stranger.press("login-national")
    expect(stranger.page.locator("main")).to_contain_text("国家政务服务平台")
    assert stranger.page.url.startswith(stranger.running.idp_url)


def test_a_forgotten_password_is_set_anew(stranger: Visitor) -> None:
    phone = f"1990000{stranger.camera.width:04d}"
    stranger.name = f"forgets_{stranger.camera.width}"
    stranger.register(phone)
    stranger.sign_out()
    stranger.open("/forgot-password")
    stranger.fill(identifier=stranger.name)
    stranger.send_code()
    stranger.fill(sms_code=stranger.code_for(phone))
    stranger.page.locator("main form").first.get_by_role("button").last.click()
    expect(stranger.page.locator("#confirm_password")).to_be_visible()
    stranger.shot("new-password")
    stranger.fill(password=NEW_PASSWORD, confirm_password=NEW_PASSWORD)
    stranger.page.locator("main form").first.get_by_role("button").last.click()
    stranger.page.wait_for_url("**/login")
    stranger.password = NEW_PASSWORD
    stranger.sign_in(phone)
    expect(stranger.page.locator("h1")).to_contain_text("用户中心")


def test_what_does_not_match_is_reviewed_by_hand(
    stranger: Visitor, open_window: Callable[..., Page], tmp_path: Path
) -> None:
    picture = tmp_path / "scan.png"
    picture.write_bytes(scan())
    width = stranger.camera.width
    stranger.name = f"manual_{width}"
    stranger.register(f"1990001{width:04d}")
    fill_in_person(stranger, picture)
    stranger.press("action=submit")
    stranger.shot("verification-mismatch")
    stranger.open("/account/verification?subject_type=natural_person&manual=1")
    fill_in_person(stranger, picture)
    stranger.fill(explanation="换领新证，登记信息尚未更新。")
    stranger.shot("manual-verification")
    stranger.press("action=submit")
    stranger.open("/account")
    expect(stranger.page.locator("main")).to_contain_text("待审核")
    administrator = Visitor("demo_admin", PASSWORD, stranger.running, open_window(), stranger.camera)
    administrator.open("/login")
    administrator.sign_in(PHONES["demo_admin"])
    administrator.open("/admin/reviews")
    administrator.shot("reviews")
    row = administrator.page.locator("tr, li").filter(has_text=stranger.name)
    row.get_by_role("link").last.click()
    administrator.shot("review")
    administrator.fill(reason="姓名与证件不一致，请核对后重新提交。")
    administrator.press("decision=reject")
    stranger.open("/account/verification")
    expect(stranger.page.locator("main")).to_contain_text("姓名与证件不一致")
    stranger.shot("verification-rejected")


def fill_in_person(somebody: Visitor, picture: Path) -> None:
    """A name that the registry knows otherwise."""
    if "natural_person" not in somebody.page.url:
        somebody.open("/account/verification?subject_type=natural_person")
    somebody.page.select_option("#document_type", "id_card")
    somebody.fill(
        real_name="王样板",
        document_number="990101199508080024",
        address="示例市示例区示例路 3 号",
        valid_from="2020-01-01",
        valid_until="2040-01-01",
    )
    somebody.page.set_input_files("#document_scan", str(picture))


def test_a_person_of_several_enterprises_chooses_one(stranger: Visitor) -> None:
    stranger.name = "demo_multi"
    stranger.open("/login")
    stranger.sign_in(PHONES["demo_multi"])
    stranger.open("/account/enterprise")
    expect(stranger.page.locator("main")).to_contain_text("样板动力电池有限公司")
    stranger.shot("switch-enterprise")
    for name, path in PICTURED_OF_ONES_OWN.items():
        stranger.open(path)
        expect(stranger.page.locator("h1").first).to_be_visible()
        stranger.shot(name)
