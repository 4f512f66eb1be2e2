"""A passkey in Chromium with its virtual authenticator: registered, then the only thing shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.applications import Applications, free_ports, serving
from tests.browser.conftest import SCREENSHOTS

PASSWORD = "Demo#2026pass"
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def at_a_domain(tmp_path: Path) -> Iterator[Applications]:
    """Both applications, the platform under a name: browsers make no passkeys for an address."""
    port = str(free_ports(1)[0])
    environ = {"IDP_PORT": port, "IDP_ISSUER": f"http://localhost:{port}", "IDP_THROTTLE": "off"}
    with serving(tmp_path, environ | {"IDP_CAPTCHA": "off"}) as applications:
        yield applications


def sign_in(page: Page, url: str) -> None:
    page.goto(f"{url}/login")
    page.fill("#identifier", "demo_person")
    page.fill("#password", PASSWORD)
    page.click("#send-code")
    expect(page.locator("[data-status]")).to_contain_text("验证码已发送")
    sent = requests.get(f"{url}/dev/outbox", headers={"Accept": "application/json"}, timeout=10).json()
    page.fill("#sms_code", sent[0]["code"])
    page.click("#login-submit")
    expect(page).to_have_url(re.compile("/account$"))


def take_picture(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    width = page.viewport_size["width"] if page.viewport_size else 0
    page.screenshot(path=str(SCREENSHOTS / f"{name}-{width}.png"), full_page=True)


def with_device(context: BrowserContext) -> Page:
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    return page


@pytest.mark.parametrize("width", [360, 1440])
def test_a_passkey_is_registered_and_signs_in(
    chromium: Browser, at_a_domain: Applications, width: int
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 900}, locale="zh-CN")
    page, url = with_device(context), at_a_domain.idp_environ["IDP_ISSUER"]
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text) if message.type == "error" else None)
    sign_in(page, url)
    page.goto(f"{url}/account/security")
    take_picture(page, "security")
    page.goto(f"{url}/account/security/passkeys")
    page.fill("#passkey_name", "办公电脑")
    page.click("form[data-passkey] button")
    expect(page.locator("#recovery-codes li")).to_have_count(10)
    take_picture(page, "recovery-codes")
    page.goto(f"{url}/account/security")
    expect(page.locator("#factors")).to_contain_text("已添加 1 个")
    page.click("header form button")
    page.goto(f"{url}/login")
    take_picture(page, "login-passkey")
    page.click("form[data-passkey] button")
    expect(page).to_have_url(re.compile("/account$"))
    page.goto(f"{url}/account/security/passkeys")
    expect(page.locator("main")).to_contain_text("办公电脑")
    take_picture(page, "passkeys")
    assert refused == []
    context.close()
