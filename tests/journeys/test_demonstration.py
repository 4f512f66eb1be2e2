"""The demonstration accounts, each doing what it is there for."""

from __future__ import annotations

import json

import pytest

from tests.applications import Applications
from tests.journeys.people import DEMO_PASSWORD, PHONES, Page, Person


def at_smdvs(running: Applications, name: str, identifier: str | None = None) -> tuple[Person, Page]:
    person = Person(running.idp_url)
    page = person.open(f"{running.smdvs_url}/smdvs/login")
    assert "新能源汽车事故上报平台" in page.text  # the sign-in page names where one is going
    return person, person.sign_in(page, identifier or f"demo_{name}", PHONES[name], DEMO_PASSWORD)


def on_platform(running: Applications, name: str) -> tuple[Person, Page]:
    person = Person(running.idp_url)
    return person, person.sign_in(person.open("/login"), f"demo_{name}", PHONES[name], DEMO_PASSWORD)


def test_the_legal_person_signs_in_by_credit_code_and_consents_once(applications: Applications) -> None:
    legal, page = at_smdvs(applications, "legal", "91990101madem00117")
    assert "示例新能源汽车有限公司" in page.text
    page = legal.submit(page, "consent-approve")
    assert page.url.startswith(f"{applications.smdvs_url}/smdvs/")
    again = legal.open(f"{applications.smdvs_url}/smdvs/login")
    assert again.url.startswith(f"{applications.smdvs_url}/smdvs/"), again.text


def test_a_handler_of_two_enterprises_chooses_one(applications: Applications) -> None:
    multi, page = at_smdvs(applications, "multi")
    assert "/interaction/enterprise" in page.url
    assert "示例新能源汽车有限公司" in page.text
    assert "样板动力电池有限公司" in page.text
    page = multi.submit(page, "enterprise-submit", {"enterprise": "91990101MADEM002XY"})
    assert "样板动力电池有限公司" in page.text
    page = multi.submit(page, "consent-approve")
    assert "样板动力电池有限公司" in multi.open(f"{applications.smdvs_url}/smdvs/reports").text


def test_a_person_without_mandate_is_told_how_to_get_one(applications: Applications) -> None:
    person, page = at_smdvs(applications, "person")
    page = person.submit(page, "consent-approve")
    assert "经办人" in page.text
    assert page.response.status_code == 403


def test_a_pending_application_is_no_mandate(applications: Applications) -> None:
    pending, page = at_smdvs(applications, "pending")
    page = pending.submit(page, "consent-approve")
    assert page.response.status_code == 403
    assert "待审核" in pending.open("/account/handler-applications").text


def test_the_regulator_reads_every_report_and_may_not_write(applications: Applications) -> None:
    regulator, page = at_smdvs(applications, "regulator")
    page = regulator.submit(page, "consent-approve")
    assert "全部企业的上报" in regulator.open(f"{applications.smdvs_url}/smdvs/reports").text
    assert regulator.open(f"{applications.smdvs_url}/smdvs/reports/new").response.status_code == 403


def test_cancelling_the_sign_in_brings_the_person_back_to_smdvs(applications: Applications) -> None:
    handler = Person(applications.idp_url)
    page = handler.open(f"{applications.smdvs_url}/smdvs/login")
    page = handler.submit(page, "login-cancel")
    assert page.url.startswith(applications.smdvs_url)


def test_an_admin_registers_a_client_by_the_page(applications: Applications) -> None:
    admin, page = on_platform(applications, "admin")
    page = admin.open("/admin/clients/new")
    form = {
        "client_name": "示例业务系统",
        "redirect_uris": "https://rp.example.com/callback",
        "grant_types": "authorization_code",
        "token_endpoint_auth_method": "client_secret_basic",
        "scope": "openid enterprise handler",
        "matters": "nev-accident-report",
    }
    page = admin.submit(page, "redirect_uris", form)
    assert "示例业务系统" in page.text
    assert "client_secret 只显示这一次" in page.text
    assert "只显示这一次" not in admin.open(page.url).text


@pytest.mark.parametrize(
    "path", ["/admin", "/admin/clients", "/admin/accounts", "/admin/reviews", "/admin/audit"]
)
def test_only_admins_see_the_console(applications: Applications, path: str) -> None:
    stranger = Person(applications.idp_url).open(path)
    assert stranger.url.endswith("/login")


def test_nobody_without_a_login_learns_more_than_the_codes_in_the_outbox(applications: Applications) -> None:
    answer = Person(applications.idp_url).browser.get(
        f"{applications.idp_url}/dev/outbox", headers={"Accept": "application/json"}, timeout=20
    )
    assert all(
        message.keys() == {"phone", "purpose", "code", "sent_at"} for message in json.loads(answer.text)
    )
