"""国家政务服务平台账号登录 with a second installation of this product as the other platform."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

import pytest

from tests.journeys.people import DEMO_PASSWORD, PHONES, Page, Person
from tests.two_platforms import LI_PHONE, Platforms, register_li, two_platforms


@pytest.fixture(scope="module")
def platforms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platforms]:
    with two_platforms(tmp_path_factory.mktemp("here"), tmp_path_factory.mktemp("national")) as both:
        yield both


@dataclass
class Traveller:
    """One person, one browser, two platforms."""

    platforms: Platforms
    here: Person = field(init=False)
    national: Person = field(init=False)

    def __post_init__(self) -> None:
        self.here = Person(self.platforms.here.idp_url)
        self.national = Person(self.platforms.national_url, self.here.browser)

    def onward(self, page: Page) -> Page:
        """Where a page between the platforms leads by itself."""
        address = page._tree().get_element_by_id("continue").get("href")
        assert page.response.headers["Refresh"] == f"0; url={address}"
        return self.here.open(urljoin(page.url, address))

    def sign_in(self, page: Page, login_name: str, phone: str) -> Page:
        """From the sign-in page here to the other platform, through its pages, and back."""
        page = self.onward(self.here.submit(page, "login-national"))
        assert page.url.startswith(f"{self.platforms.national_url}/login?request=")
        assert "工业和信息化部政务服务平台" in page.text
        page = self.national.sign_in(page, login_name, phone, DEMO_PASSWORD)
        if "consent-approve" in page.response.text:
            page = self.national.submit(page, "consent-approve")
        return page


@pytest.fixture
def traveller(platforms: Platforms) -> Traveller:
    return Traveller(platforms)


def test_who_is_known_at_both_by_one_document_lands_in_the_user_centre(
    platforms: Platforms, traveller: Traveller
) -> None:
    page = traveller.sign_in(traveller.here.open("/login"), "demo_person", PHONES["person"])
    assert page.url == f"{platforms.here.idp_url}/account"
    assert "demo_person" in page.text
    (link,) = [entry for entry in platforms.audit() if entry["event"] == "upstream:link"]
    assert link["result"] == "success"


def test_an_enterprise_known_at_both_by_its_credit_code_is_itself(
    platforms: Platforms, traveller: Traveller
) -> None:
    page = traveller.sign_in(traveller.here.open("/login"), "demo_legal", PHONES["legal"])
    assert page.url == f"{platforms.here.idp_url}/account"
    assert "demo_legal" in page.text
    assert "经办人审核" in page.text


def test_the_way_leads_on_to_the_business_system(platforms: Platforms, traveller: Traveller) -> None:
    """smdvs asks us, we ask the other platform; its word comes back through both."""
    page = traveller.here.open(f"{platforms.here.smdvs_url}/smdvs/login")
    assert urlsplit(page.url).path == "/login"
    page = traveller.onward(traveller.sign_in(page, "demo_handler", PHONES["handler"]))
    if "consent-approve" in page.response.text:
        page = traveller.here.submit(page, "consent-approve")
    assert page.url.startswith(f"{platforms.here.smdvs_url}/smdvs/")
    assert "示例新能源汽车有限公司" in page.text


def test_who_is_not_known_here_is_led_to_registration(platforms: Platforms, traveller: Traveller) -> None:
    guest = traveller.national
    register_li(guest)
    traveller.here.browser.cookies.clear()
    page = traveller.sign_in(traveller.here.open("/login"), "li_shili", LI_PHONE)
    assert page.response.status_code == 403
    assert "本平台还没有您的账号" in page.text
    assert page._tree().get_element_by_id("national-register").get("href") == "/register"
    assert platforms.audit()[-1]["result"] == "upstream_identity_unknown"
    assert traveller.here.open("/account").url.endswith("/login")


def test_whose_document_is_not_verified_there_is_told_so(platforms: Platforms, traveller: Traveller) -> None:
    traveller.national.register("nobody_yet", "19900008002", DEMO_PASSWORD)
    traveller.here.browser.cookies.clear()
    page = traveller.sign_in(traveller.here.open("/login"), "nobody_yet", "19900008002")
    assert "请先在国家政务服务平台完成实名认证" in page.text


def test_who_refuses_there_comes_back_to_a_calm_page(platforms: Platforms, traveller: Traveller) -> None:
    page = traveller.onward(traveller.here.submit(traveller.here.open("/login"), "login-national"))
    page = traveller.national.submit(page, "login-cancel")
    assert page.response.status_code == 403
    assert "登录已取消" in page.text


def test_no_identity_number_is_in_logs_or_the_trail(platforms: Platforms, traveller: Traveller) -> None:
    traveller.sign_in(traveller.here.open("/login"), "demo_multi", PHONES["multi"])
    kept = json.dumps(platforms.audit(), ensure_ascii=False, default=str)
    logs = [path for directory in platforms.directories for path in (directory / "log").iterdir()]
    assert len(logs) >= 4
    assert "990101" not in kept.replace("91990101", "")
    for path in logs:
        assert "990101" not in path.read_text(errors="replace").replace("91990101", "")
