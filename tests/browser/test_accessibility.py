"""No page has a serious barrier: axe-core on everything that each kind of account can reach by links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from playwright.sync_api import Browser, Page

from tests.applications import Applications, serving
from tests.browser import axe
from tests.journeys.people import DEMO_PASSWORD, PHONES

PASSWORD = "Barrier#2026"
WIDTHS = (360, 1440)
PAGES_AT_MOST = 80  # of one account; more would mean that the crawl goes in circles
ACCOUNTS = ("legal", "handler", "multi", "pending", "person", "admin", "regulator")
LANGUAGES = {"legal": "en"}  # one of them reads English: its words are longer
FILES = re.compile(r"/(static|bootstrap|language|dev/|admin/reviews/scans?|account/verification/captcha)\b")


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Applications]:
    """The demonstration data; no captcha to read, no minute to wait."""
    environ = {"IDP_THROTTLE": "off", "IDP_CAPTCHA": "off", "IDP_SMS_FIXED_CODE": "123456"}
    with serving(tmp_path_factory.mktemp("accessibility"), environ) as running:
        yield running


@pytest.fixture(scope="module")
def with_captcha(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Applications]:
    """The same with captchas to look at."""
    with serving(tmp_path_factory.mktemp("with_captcha")) as running:
        yield running


@dataclass
class Examiner:
    """Somebody's window, in which every page is examined once at each width."""

    running: Applications
    page: Page
    seen: set[str] = field(default_factory=set)
    found: list[str] = field(default_factory=list)

    def examine(self, label: str | None = None) -> None:
        """Note what is wrong with the page shown."""
        for width in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": 900})
            place = label or self.page.url.removeprefix(self.running.idp_url)
            self.found += [f"{place} at {width}: {fault}" for fault in axe.faults(self.page)]

    def crawl(self, *starts: str) -> None:
        """Examine these pages and all they link to, on the platform."""
        waiting = [self.running.idp_url + start for start in starts]
        while waiting:
            address = waiting.pop()
            if (kind := kind_of(address)) in self.seen or not address.startswith(self.running.idp_url):
                continue
            self.seen.add(kind)
            assert len(self.seen) <= PAGES_AT_MOST, sorted(self.seen)
            if self.show(address):
                self.examine()
                waiting += self.page.eval_on_selector_all("a[href]", "all => all.map(link => link.href)")

    def show(self, address: str) -> bool:
        """Open a page; false for what is no page of ours."""
        answer = self.page.goto(address)
        assert answer is not None
        assert answer.status < 500, address
        return "html" in (answer.header_value("content-type") or "")

    def press(self, selector: str) -> None:
        """Press a button, whatever the browser thinks of the form."""
        self.page.eval_on_selector_all("form", "all => all.forEach(form => { form.noValidate = true; })")
        with self.page.expect_navigation():
            self.page.click(selector)


def kind_of(address: str) -> str:
    """What pages have in common that differ only in the row they show, or are no pages."""
    parts = urlsplit(address)
    path = re.sub(r"/[^/]*\d{2}[^/]*", "/*", parts.path)
    query = [f"{name}={value}" for name, value in parse_qsl(parts.query) if not re.search(r"\d{2}", value)]
    return "" if FILES.match(parts.path) else "?".join([path, *sorted(query)][:3])


@pytest.fixture
def examiner(installation: Applications, chromium: Browser) -> Iterator[Examiner]:
    """A fresh window."""
    context = chromium.new_context(locale="zh-CN")
    yield Examiner(installation, context.new_page(), {""})
    context.close()


def sign_in(examiner: Examiner, name: str) -> None:
    """用户登录 in the window."""
    assert PHONES[name]
    page = examiner.page
    page.goto(f"{examiner.running.idp_url}/login")
    page.fill("#identifier", f"demo_{name}")
    page.fill("#password", DEMO_PASSWORD)
    with page.expect_response(lambda response: response.request.method == "POST"):
        page.click("#send-code")
    page.fill("#sms_code", "123456")
    with page.expect_navigation():
        page.click("#login-submit")
    assert urlsplit(page.url).path != "/login", page.inner_text("main")


def test_nothing_bars_the_way_of_a_stranger(examiner: Examiner, with_captcha: Applications) -> None:
    examiner.running = with_captcha
    examiner.crawl("/", "/register", "/login", "/device", "/oauth/authorize", "/nowhere", "/admin")
    assert not examiner.found


@pytest.mark.parametrize("name", ACCOUNTS)
def test_nothing_bars_the_way_of_an_account(examiner: Examiner, name: str) -> None:
    sign_in(examiner, name)
    if name in LANGUAGES:
        examiner.page.goto(f"{examiner.running.idp_url}/language?to={LANGUAGES[name]}&back=/account")
    examiner.crawl("/", "/account", *(["/admin"] if name == "admin" else []))
    assert not examiner.found


@pytest.mark.parametrize(("path", "button"), [("/register", "[value=register]"), ("/login", "#login-submit")])
def test_nothing_bars_the_way_when_a_form_is_wrong(examiner: Examiner, path: str, button: str) -> None:
    examiner.page.goto(examiner.running.idp_url + path)
    examiner.press(f"button{button}" if button.startswith("[") else button)
    examiner.examine(f"{path}, wrong")
    assert not examiner.found


@pytest.mark.parametrize("subject_type", ["natural_person", "legal_person"])
def test_nothing_bars_the_way_to_verification(examiner: Examiner, subject_type: str, tmp_path: Path) -> None:
    register(examiner, f"axe_{subject_type[:7]}", f"199000003{'01' if subject_type < 'm' else '02'}")
    examiner.crawl("/account/verification")
    examiner.page.goto(f"{examiner.running.idp_url}/account/verification?subject_type={subject_type}")
    examiner.press("main button[value=submit]")
    examiner.examine(f"{subject_type}, wrong")
    assert not examiner.found


def register(examiner: Examiner, name: str, phone: str) -> None:
    """用户注册 in the window."""
    page = examiner.page
    page.goto(f"{examiner.running.idp_url}/register")
    typed = {"login_name": name, "password": PASSWORD, "confirm_password": PASSWORD, "phone": phone}
    for box, text in {**typed, "email": f"{name}@example.test"}.items():
        page.fill(f"#{box}", text)
    page.check("#agree")
    with page.expect_response(lambda response: response.request.method == "POST"):
        page.click("#send-code")
    page.fill("#sms_code", "123456")
    examiner.press("button[value=register]")
    assert urlsplit(page.url).path == "/account/verification", page.inner_text("main")


def test_nothing_bars_the_way_through_an_authorization(examiner: Examiner) -> None:
    sign_in(examiner, "multi")
    page = examiner.page
    page.goto(f"{examiner.running.smdvs_url}/smdvs/login")
    examiner.examine("/interaction/enterprise")
    page.check("[name=enterprise] >> nth=0")
    examiner.press("#enterprise-submit")
    examiner.examine("/interaction/consent")
    page.goto(f"{examiner.running.idp_url}/oauth/logout")
    examiner.examine("/oauth/logout")
    examiner.press("#logout-confirm")
    examiner.examine("signed out")
    assert not examiner.found


def test_nothing_bars_the_way_of_a_device(examiner: Examiner, installation: Applications) -> None:
    client = installation.register(
        {
            "client_name": "示例设备",
            "application_type": "native",
            "token_endpoint_auth_method": "none",
            "grant_types": ["urn:ietf:params:oauth:grant-type:device_code"],
            "scope": "openid profile",
        }
    )
    asked = {"client_id": client["client_id"], "scope": "openid profile"}
    answer = requests.post(f"{installation.idp_url}/oauth/device_authorization", data=asked, timeout=20)
    sign_in(examiner, "person")
    examiner.page.goto(answer.json()["verification_uri_complete"])
    examiner.press("#device-submit")
    examiner.examine("/device, question")
    examiner.press("#consent-approve")
    examiner.examine("/device, done")
    assert not examiner.found
