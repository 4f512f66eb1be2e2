"""A captcha in a browser: another picture, the recording, and that a right answer is asked for once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from idp import clock
from idp.crypto import mac
from idp.domain import captchas
from idp.keyring import Keyring
from tests.applications import Applications, serving

PASSWORD = "Demo#2026pass"


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[Applications]:
    """Both applications, captchas asked for."""
    with serving(tmp_path, {"IDP_THROTTLE": "off", "IDP_SMS_FIXED_CODE": "123456"}) as applications:
        yield applications


@pytest.fixture(params=[True, False], ids=["with script", "without script"])
def page(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A narrow window, with and without JavaScript."""
    context = chromium.new_context(
        viewport={"width": 360, "height": 800}, locale="zh-CN", java_script_enabled=request.param
    )
    yield context.new_page()
    context.close()


def answers(applications: Applications, page: Page) -> captchas.Answers:
    """What only the picture and the recording tell."""
    octets = captchas.read_handle(page.input_value("[name=captcha_handle]"), clock.now())
    assert octets is not None
    keyring = Keyring.open(applications.idp_environ["IDP_KEYS_DIR"])
    keyring.ensure(clock.now())
    return captchas.answers(mac(keyring.mac_key, "captcha", octets))


def test_a_captcha_is_read_or_heard_once_and_the_code_comes(asking: Applications, page: Page) -> None:
    page.goto(asking.idp_url + "/register")
    for name in ("password", "confirm_password"):
        page.fill(f"#{name}", PASSWORD)
    page.fill("#login_name", "newcomer")
    page.fill("#email", "newcomer@example.test")
    page.fill("#phone", "19900001301")
    handle = page.input_value("[name=captcha_handle]")
    page.click("button[value=new_captcha]")
    expect(page.locator("[name=captcha_handle]")).not_to_have_value(handle)
    expect(page.locator("#phone")).to_have_value("19900001301")

    page.fill("#captcha", "????")
    page.click("#send-code")
    expect(page.locator("#register-page")).to_contain_text("图片验证码不正确")
    expect(page.locator("#captcha")).to_have_value("")

    page.click(".sound summary")
    sound = page.get_attribute("audio", "src")
    assert sound is not None
    recording = page.request.get(asking.idp_url + sound)
    assert recording.headers["content-type"] == "audio/wav"
    page.fill("#captcha", answers(asking, page).heard)
    page.click("#send-code")
    expect(page.locator("[data-status]")).to_contain_text("验证码已发送")
    expect(page.locator(".solved")).to_be_visible()
    expect(page.locator("#captcha")).to_be_hidden()

    page.click("#send-code")  # again, and nothing is to be read
    expect(page.locator("[data-status]")).to_contain_text("验证码已发送")
    page.fill("#sms_code", "123456")
    page.check("#agree")
    page.click("button[value=register]")
    expect(page).to_have_url(re.compile("/account"))
