"""The seed by keyboard alone: from the home page to an application as a handler, without touching a mouse."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.applications import Applications
from tests.journeys.people import scan

PASSWORD = "Keyboard#2026"
PHONE = "19900000401"
TIMEOUT_MS = 20_000
STEPS_AT_MOST = 80  # of Tab, until a page is gone through

# What a person sees of the focus: an outline, or the shadow that Bootstrap puts around fields.
SHOWS_FOCUS = """() => {
  const at = document.activeElement;
  const style = getComputedStyle(at);
  const box = at.getBoundingClientRect();
  const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
  return box.width > 0 && box.height > 0 && (outlined || style.boxShadow !== "none");
}"""


@dataclass
class Keyboard:
    """Somebody's keyboard at a window."""

    running: Applications
    page: Page

    def press(self, *keys: str) -> None:
        """One key after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def go_to(self, selector: str) -> None:
        """Tab until this has the focus, which must be seen on the way."""
        for _ in range(STEPS_AT_MOST):
            self.press("Tab")
            assert self.page.evaluate(SHOWS_FOCUS), self.focused()
            if self.page.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
        pytest.fail(f"Tab does not lead to {selector} on {self.page.url}")

    def fill(self, **fields: str) -> None:
        """Type into these fields, which Tab reaches in this order."""
        for name, text in fields.items():
            self.go_to(f"[id='{name}']")
            self.press("Control+A")
            self.page.keyboard.type(text)

    def choose_first(self, name: str) -> None:
        """The first choice of a list, after the line that asks for one."""
        self.go_to(f"select[id='{name}']")
        self.press("ArrowDown")
        assert self.page.input_value(f"[id='{name}']")

    def attach(self, name: str, path: Path) -> None:
        """Open the file dialog of a field; what happens in it is the system's."""
        self.go_to(f"[id='{name}']")
        with self.page.expect_file_chooser() as chooser:
            self.press("Space")  # Enter would send the form
        chooser.value.set_files(str(path))

    def enter(self) -> None:
        """Enter where the focus is, and wait for the page it leads to."""
        with self.page.expect_navigation():
            self.press("Enter")

    def focused(self) -> str:
        """The element with the focus, for the message of a failed test."""
        return str(self.page.evaluate("document.activeElement.outerHTML.slice(0, 200)"))

    def code(self) -> str:
        """The newest code in the development outbox."""
        answer = self.page.request.get(
            f"{self.running.idp_url}/dev/outbox", headers={"Accept": "application/json"}
        )
        return str(next(sms["code"] for sms in answer.json() if sms["phone"] == PHONE))


@pytest.fixture
def keyboard(walked: Applications, chromium: Browser) -> Keyboard:
    """A window of ordinary size, in which the mark of the focus is there at once."""
    page = chromium.new_page(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    page.set_default_timeout(TIMEOUT_MS)
    return Keyboard(walked, page)


def test_the_seed_is_walked_by_keyboard_alone(keyboard: Keyboard, tmp_path: Path) -> None:
    picture = tmp_path / "scan.png"
    picture.write_bytes(scan())
    keyboard.page.goto(keyboard.running.idp_url)
    skip_to_the_content(keyboard)
    register(keyboard)
    verify(keyboard, picture)
    apply(keyboard)


def skip_to_the_content(keyboard: Keyboard) -> None:
    keyboard.go_to("a.skip")
    keyboard.press("Enter", "Tab")
    assert keyboard.page.evaluate("document.activeElement.closest('main') !== null"), keyboard.focused()


def register(keyboard: Keyboard) -> None:
    page = keyboard.page
    page.goto(f"{keyboard.running.idp_url}/")
    keyboard.go_to("header a[href='/register']")
    keyboard.enter()
    # A field that is wrong gets the focus, and says why.
    keyboard.fill(login_name="keyboard_li", password=PASSWORD, confirm_password="Other#2026")
    keyboard.fill(email="keyboard_li@example.test", phone="1990000")
    keyboard.go_to("#send-code")
    keyboard.press("Enter")  # the answer comes without another page
    is_told_what_is_wrong(page, "phone")
    keyboard.press("Control+A")
    page.keyboard.type(PHONE)
    keyboard.go_to("#send-code")
    keyboard.press("Enter")
    expect(page.locator("#sms_code")).to_be_focused()
    page.keyboard.type(keyboard.code())
    keyboard.go_to("#agree")
    keyboard.press("Space")
    keyboard.go_to("button[value=register]")
    keyboard.enter()
    is_told_what_is_wrong(page, "confirm_password")
    page.keyboard.type(PASSWORD)
    keyboard.press("Shift+Tab")
    page.keyboard.type(PASSWORD)
    keyboard.go_to("#sms_code")
    keyboard.enter()  # in a text field: registers, doesn't send another code
    assert page.url.endswith("/account/verification"), page.inner_text("main")


def is_told_what_is_wrong(page: Page, name: str) -> None:
    field = page.locator(f"#{name}")
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    described = (field.get_attribute("aria-describedby") or "").split()
    assert f"{name}-wrong" in described
    assert all(page.locator(f"#{place}").inner_text() for place in described)


def verify(keyboard: Keyboard, picture: Path) -> None:
    page = keyboard.page
    keyboard.go_to("main a.btn-primary")
    keyboard.enter()
    keyboard.fill(real_name="李示例", address="示例市演示区样板路3号")
    keyboard.choose_first("document_type")
    keyboard.fill(document_number="990101199001010027", valid_from="20200101")
    keyboard.go_to("#permanent")
    keyboard.press("Space")
    keyboard.attach("document_scan", picture)
    keyboard.go_to("main button[value=submit]")
    keyboard.enter()
    assert "已实名认证" in page.inner_text("main")


def apply(keyboard: Keyboard) -> None:
    page = keyboard.page
    keyboard.go_to("nav a[href='/account/handler-applications']")
    keyboard.enter()
    keyboard.fill(enterprise_name="示例新能源汽车有限公司", enterprise_credit_code="91990101MADEM00117")
    keyboard.enter()
    assert "待审核" in page.inner_text("main")
