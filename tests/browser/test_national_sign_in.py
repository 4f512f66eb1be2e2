"""国家政务服务平台账号登录 in a real browser: two sites, and what a browser keeps between them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Camera
from tests.browser.visitor import Visitor
from tests.journeys.people import DEMO_PASSWORD, PHONES, Person
from tests.two_platforms import LI_PHONE, Platforms, register_li, two_platforms


@pytest.fixture(scope="module")
def platforms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platforms]:
    with two_platforms(tmp_path_factory.mktemp("here"), tmp_path_factory.mktemp("national")) as both:
        register_li(Person(both.national_url))
        yield both


@pytest.fixture
def here(platforms: Platforms, open_window: Callable[..., Page], camera: Camera) -> Visitor:
    return Visitor("", DEMO_PASSWORD, platforms.here, open_window(), camera)


def sign_in_there(visitor: Visitor, platforms: Platforms, login_name: str, phone: str) -> None:
    """Through the pages of the other platform; what its forms lead to is another site."""
    page = visitor.page
    page.wait_for_url(re.compile(f"^{platforms.national_url}/login"))
    there = Visitor(login_name, DEMO_PASSWORD, platforms.national, page, visitor.camera)
    there.fill(identifier=login_name, password=DEMO_PASSWORD)
    there.send_code()
    there.fill(sms_code=there.code_for(phone))
    there.press("login-submit")
    if page.locator("#consent-approve").count():
        page.click("#consent-approve")


def test_the_way_through_both_platforms_to_the_business_system(platforms: Platforms, here: Visitor) -> None:
    """Neither a policy for forms nor a cookie's SameSite stops it, though three sites follow one another."""
    here.page.goto(f"{platforms.here.smdvs_url}/smdvs/login")
    expect(here.page.locator("#login-national")).to_have_text("国家政务服务平台账号登录")
    here.shot("national-login")
    here.page.click("#login-national")
    sign_in_there(here, platforms, "demo_handler", PHONES["handler"])
    here.page.wait_for_url(re.compile(f"^{platforms.here.idp_url}/interaction|{platforms.here.smdvs_url}"))
    if here.page.locator("#consent-approve").count():
        here.page.click("#consent-approve")
    here.page.wait_for_url(re.compile(f"^{platforms.here.smdvs_url}/smdvs/"))
    expect(here.page.locator("body")).to_contain_text("示例新能源汽车有限公司")


def test_who_is_not_known_here_finds_the_way_to_registration(platforms: Platforms, here: Visitor) -> None:
    here.open("/login")
    here.page.click("#login-national")
    sign_in_there(here, platforms, "li_shili", LI_PHONE)
    expect(here.page.locator("h1")).to_have_text("本平台还没有您的账号")
    here.shot("national-unknown")
    here.press("national-register")
    assert here.page.url == f"{platforms.here.idp_url}/register"
