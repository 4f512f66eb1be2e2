"""忘记密码, 账号找回, 手机号修改 and 绑定手机号, as the sign-in page leads to them, at both widths."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.applications import Applications
from tests.browser.conftest import Camera
from tests.browser.visitor import Visitor
from tests.journeys.people import scan

DEMO = "Demo#2026pass"
NEW = "Fresh#2026pass"
PHONE, NEW_PHONE = "19900000006", "19900000666"


def test_an_account_is_got_back_and_gets_another_phone(
    walked: Applications, camera: Camera, open_window: Callable[..., Page], tmp_path: Path
) -> None:
    person = Visitor("demo_person", NEW, walked, open_window(), camera)
    find_login_name(person)
    reset_password(person)
    change_phone(person)
    picture = tmp_path / "scan.png"
    picture.write_bytes(scan())
    apply_without_the_phone(person, picture)
    decide(Visitor("demo_admin", DEMO, walked, open_window(), camera))
    stop_and_sign_in(person)


def from_sign_in(person: Visitor, link: str) -> None:
    person.open("/login")
    with person.page.expect_navigation():
        person.page.get_by_role("link", name=link, exact=True).click()


def find_login_name(person: Visitor) -> None:
    from_sign_in(person, "账号找回")
    person.page.get_by_role("link", name="用个人证件").click()
    person.shot("find-account")
    person.page.select_option("#document_type", "id_card")
    person.fill(real_name="冯示例", document_number="990101198506150012")
    person.send_code()
    person.fill(sms_code=person.code_for(PHONE))
    person.press("action=find")
    expect(person.page.locator("#found-login-name")).to_have_text("de*******on")
    person.shot("found-account")


def reset_password(person: Visitor) -> None:
    from_sign_in(person, "忘记密码")
    person.fill(identifier="demo_person")
    person.send_code()
    expect(person.page.locator("[data-status]")).to_contain_text("如该账号存在")
    person.fill(sms_code=person.code_for(PHONE))
    person.shot("forgot-password")
    person.press("action=next")
    person.fill(document_number="990101198506150012", password="P@ssw0rd1", confirm_password=NEW)
    person.press("action=reset")
    expect(person.page.locator("#password-wrong")).to_contain_text("过于常见")
    person.shot("new-password")
    person.fill(document_number="990101198506150012", password=NEW, confirm_password=NEW)
    person.press("action=reset")
    expect(person.page.locator(".notice.success").first).to_contain_text("密码已重设")


def change_phone(person: Visitor) -> None:
    from_sign_in(person, "手机号修改")
    person.fill(identifier="demo_person", password=NEW)
    person.send_code()
    person.fill(sms_code=person.code_for(PHONE))
    person.shot("change-phone")
    person.press("action=next")
    person.fill(phone=NEW_PHONE)
    person.send_code()
    person.fill(sms_code=person.code_for(NEW_PHONE))
    person.shot("new-phone")
    person.press("action=change")
    expect(person.page.locator(".notice.success").first).to_contain_text("手机号已更换")
    person.sign_out()


def apply_without_the_phone(person: Visitor, picture: Path) -> None:
    from_sign_in(person, "绑定手机号")
    person.fill(phone="19900000667")
    person.send_code()
    person.fill(sms_code=person.code_for("19900000667"))
    person.shot("lost-phone")
    person.press("action=next")
    person.fill(
        identifier="demo_person",
        password=NEW,
        real_name="冯示例",
        document_number="990101198506150012",
        explanation="手机遗失，号码已停机",
    )
    person.page.set_input_files("#document_scan", str(picture))
    person.shot("lost-phone-application")
    person.press("action=apply")
    expect(person.page.locator("#lost-phone-applied-page")).to_contain_text("申请已提交")


def decide(administrator: Visitor) -> None:
    administrator.open("/login")
    administrator.sign_in("19900000007")
    administrator.open("/admin/reviews/phone-changes")
    administrator.page.get_by_role("link", name="审核", exact=True).click()
    expect(administrator.page.locator("img.scan")).to_be_visible()
    administrator.shot("phone-change-review")
    administrator.press("decision=reject")
    expect(administrator.page.locator("#reason-wrong")).to_be_visible()


def stop_and_sign_in(person: Visitor) -> None:
    person.open("/login")
    person.sign_in(NEW_PHONE)
    person.open("/account/phone")
    person.shot("phone-change-to-stop")
    person.press("action=withdraw")
    expect(person.page.locator(".notice.success").first).to_contain_text("已撤销更换手机号的申请")
