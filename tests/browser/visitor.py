"""A person at a window of the browser: forms, buttons, and the phone that codes are sent to."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import Page

from tests.applications import Applications
from tests.browser.conftest import Camera


@dataclass
class Visitor:
    """Somebody with a login name, a password and a window of their own."""

    name: str
    password: str
    running: Applications
    page: Page
    camera: Camera

    def open(self, path: str) -> None:
        """Visit a page of the platform."""
        self.page.goto(self.running.idp_url + path)

    def shot(self, name: str, *, whole: bool = True) -> None:
        """Keep what the page shows; nothing of it may stick out to the right."""
        self.camera.shot(self.page, name, whole=whole)
        width = self.page.evaluate("document.documentElement.scrollWidth")
        assert width <= self.camera.width, f"{self.page.url} is {width} px wide"

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

    def send_code(self, selector: str = "#send-code") -> None:
        """获取验证码, sent without leaving the page."""
        with self.page.expect_response(lambda response: response.request.method == "POST"):
            self.page.click(selector)

    def register(self, phone: str) -> None:
        """用户注册 with the code sent to the phone."""
        self.open("/register")
        self.fill(
            login_name=self.name,
            password=self.password,
            confirm_password=self.password,
            email=f"{self.name}@example.com",
            phone=phone,
        )
        self.page.check("#agree")
        self.send_code("button[name='action'][value='send_code']")
        self.fill(sms_code=self.code_for(phone))
        self.shot("register")
        self.press("action=register")

    def sign_in(self, phone: str, identifier: str | None = None) -> None:
        """用户登录 on the page shown."""
        self.fill(identifier=identifier or self.name, password=self.password)
        self.send_code()
        self.fill(sms_code=self.code_for(phone))
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
