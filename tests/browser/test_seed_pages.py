"""The pages of the customer's document one by one, at both widths, with the demonstration's people."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from idp.web.messages.blocks import BLOCKS, HOT_TERMS
from tests.applications import Applications
from tests.browser.conftest import Camera
from tests.browser.visitor import Visitor

PASSWORD = "Demo#2026pass"
PHONES = {
    "demo_legal": "19900000001",
    "demo_handler": "19900000003",
    "demo_multi": "19900000004",
    "demo_person": "19900000006",
    "demo_admin": "19900000007",
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
    for text in ("登录名/统一社会信用代码/身份证号", "获取验证码", "12381", *LOGIN_LINKS):
        expect(card).to_contain_text(text)
    stranger.shot("login")
    for name in ("绑定手机号", "忘记密码", "账号找回", "手机号修改", "立即注册", "在线帮助"):
        stranger.open("/login")
        card.get_by_role("link", name=name).click()
        expect(stranger.page.locator("h1").first).to_be_visible()
        assert "/login" not in stranger.page.url


def test_a_person_of_several_enterprises_chooses_one(stranger: Visitor) -> None:
    stranger.name = "demo_multi"
    stranger.open("/login")
    stranger.sign_in(PHONES["demo_multi"])
    stranger.open("/account/enterprise")
    expect(stranger.page.locator("main")).to_contain_text("样板动力电池有限公司")
    stranger.shot("switch-enterprise")
    for name, path in {
        "progress": "/progress",
        "security": "/account/security",
        "sessions": "/account/sessions",
        "consents": "/account/consents",
    }.items():
        stranger.open(path)
        expect(stranger.page.locator("h1").first).to_be_visible()
        stranger.shot(name)
