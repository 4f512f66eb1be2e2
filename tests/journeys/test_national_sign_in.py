"""国家政务服务平台账号登录 with a second installation of this product as the other platform."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

from idp.domain.upstream import SCOPES
from tests.applications import Applications, free_ports, serving
from tests.journeys.people import DEMO_PASSWORD, PHONES, Page, Person, scan

ENVIRON = {"IDP_THROTTLE": "off", "IDP_CAPTCHA": "off"}
CLIENT_ID = "miit-platform"


@dataclass(frozen=True)
class Platforms:
    """Both: ``national`` answers as ``localhost``, so that a browser keeps their cookies apart."""

    here: Applications
    national: Applications
    national_url: str
    directories: tuple[Path, ...]

    def audit(self) -> list[dict[str, Any]]:
        """The trail here, oldest first."""
        return trail(self.here)


@pytest.fixture(scope="module")
def platforms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platforms]:
    port, here_port = free_ports(2)
    url = f"http://localhost:{port}"
    of_national = ENVIRON | {"IDP_PORT": str(port), "IDP_ISSUER": url}
    of_here = ENVIRON | {
        "IDP_PORT": str(here_port),
        "IDP_UPSTREAM_ISSUER": url,
        "IDP_UPSTREAM_CLIENT_ID": CLIENT_ID,
    }
    directories = tmp_path_factory.mktemp("national"), tmp_path_factory.mktemp("here")
    with serving(directories[0], of_national) as national, serving(directories[1], of_here) as here:
        national.register(
            {
                "client_id": CLIENT_ID,
                "client_name": "工业和信息化部政务服务平台",
                "redirect_uris": [f"{here.idp_url}/login/national/callback"],
                "token_endpoint_auth_method": "private_key_jwt",
                "jwks_uri": f"{here.idp_url}/login/national/jwks.json",
                "scope": " ".join(SCOPES),
                "id_token_signed_response_alg": "ES256",
                "userinfo_signed_response_alg": "ES256",
                "userinfo_encrypted_response_alg": "ECDH-ES",
                "userinfo_encrypted_response_enc": "A256GCM",
            }
        )
        yield Platforms(here, national, url, directories)


def trail(running: Applications) -> list[dict[str, Any]]:
    """What the audit trail says, oldest first."""
    file = running.idp_environ["IDP_DATABASE_URL"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        rows = connection.execute("SELECT * FROM audit_events ORDER BY id").fetchall()
    return [dict(row) for row in rows]


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
    guest.register("li_shili", "19900008001", DEMO_PASSWORD)
    form = {
        "subject_type": "natural_person",
        "real_name": "李示例",
        "document_type": "id_card",
        "document_number": "990101199001010027",
        "address": "示例市演示区样板路3号",
        "valid_from": "2020-01-01",
        "permanent": "y",
    }
    page = guest.open("/account/verification?subject_type=natural_person")
    page = guest.submit(page, "action=submit", form, files={"document_scan": scan()})
    assert "已实名认证" in page.text
    traveller.here.browser.cookies.clear()
    page = traveller.sign_in(traveller.here.open("/login"), "li_shili", "19900008001")
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
