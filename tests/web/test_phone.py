from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from idp import clock
from idp.services import agreements, sms_codes
from idp.storage.accounts import Account
from idp.storage.database import reading, transaction
from idp.web import tickets
from tests.web.conftest import MakeApp
from tests.web.test_step_up import grow_old
from tests.web.visitor import LEGAL, LI, PASSWORD, Visitor, hidden, picture, problems

PHONE, NEW_PHONE = "19900001002", "19900001777"
OLD, NEW = "/account/phone", "/account/phone/new"
CHANGE, LOST, APPLICATION = "/change-phone", "/change-phone/lost", "/change-phone/lost/application"
QUEUE = "/admin/reviews/phone-changes"


def prove_old(visitor: Visitor) -> TestResponse:
    visitor.send(OLD, {"action": "send_code"})
    return visitor.send(OLD, {"action": "next", "password": PASSWORD, "sms_code": visitor.code(PHONE)})


def bind(visitor: Visitor, phone: str = NEW_PHONE, **fields: str) -> TestResponse:
    form = {"phone": phone, "ticket": hidden(visitor.get(NEW), "ticket")}
    visitor.send(NEW, form | {"action": "send_code"})
    return visitor.send(NEW, form | {"action": "change", "sms_code": visitor.code(phone)} | fields)


def prove_new(visitor: Visitor, phone: str = NEW_PHONE) -> TestResponse:
    visitor.send(LOST, {"phone": phone, "action": "send_code"})
    return visitor.send(LOST, {"phone": phone, "action": "next", "sms_code": visitor.code(phone)})


def apply(visitor: Visitor, **fields: Any) -> TestResponse:
    form = {
        "identifier": "li_shili",
        "password": PASSWORD,
        "real_name": LI["real_name"],
        "document_number": LI["document_number"],
        "explanation": "手机遗失，号码已停机",
        "document_scan": (picture(), "both sides.png"),
        "action": "apply",
    }
    page = visitor.get(APPLICATION)
    form |= {name: hidden(page, name) for name in ("ticket", "identity_consent_shown")}
    return visitor.send(APPLICATION, form | fields)


# --- signed in ---


def test_a_phone_is_changed_with_a_code_to_the_old_and_one_to_the_new(person: Visitor) -> None:
    other = Visitor(person.app)
    other.sign_in("li_shili", PHONE)
    assert prove_old(person).location == NEW
    answer = bind(person)
    assert (answer.status_code, answer.location) == (303, "/account/security")
    page = person.get("/account/security")
    assert "手机号已更换" in page.text
    assert "199****1777" in page.text
    assert other.get("/account").location == "/login"
    assert other.sign_in("li_shili", NEW_PHONE).location == "/account"


def test_without_the_old_number_there_is_no_page_for_the_new_one(person: Visitor) -> None:
    assert person.get(NEW).location == OLD
    assert person.send(NEW, {"phone": NEW_PHONE, "action": "change"}, page=OLD).location == OLD
    assert Visitor(person.app).get(OLD).location == "/login"
    assert Visitor(person.app).get(NEW).location == "/login"


def test_the_password_counts_as_well_as_the_code(person: Visitor) -> None:
    assert problems(person.send(OLD, {"action": "next"})) == ["请输入密码", "请输入短信验证码"]
    person.send(OLD, {"action": "send_code"})
    form = {"action": "next", "password": "Wrong#2026pass", "sms_code": person.code(PHONE)}
    page = person.send(OLD, form)
    assert page.status_code == 422
    assert person.get(NEW).location == OLD
    assert person.send(OLD, {"csrf_token": ""}).status_code == 400


def test_a_password_typed_before_asking_for_the_code_is_used_but_never_shown(person: Visitor) -> None:
    page = person.send(OLD, {"action": "send_code", "password": PASSWORD})
    assert PASSWORD not in page.text
    form = {"action": "next", "kept": hidden(page, "kept"), "sms_code": person.code(PHONE)}
    assert person.send(OLD, form).location == NEW


def test_whose_a_number_is_is_told_only_with_its_code(person: Visitor, owner: Visitor) -> None:
    prove_old(person)
    ticket = hidden(person.get(NEW), "ticket")
    form = {"phone": "19900001001", "ticket": ticket}
    page = person.send(NEW, form | {"action": "send_code"})
    assert page.status_code == 200
    assert "已绑定其他账号" not in page.text
    page = person.send(NEW, form | {"action": "change", "sms_code": "000000"})
    assert problems(page) == ["短信验证码不正确，请核对后重新输入"]
    page = bind(person, "19900001001")
    assert problems(page) == ["该手机号已绑定其他账号，请换一个手机号，或直接登录"]
    assert problems(person.send(NEW, {"action": "change", "ticket": ticket})) == [
        "请输入手机号",
        "请输入短信验证码",
    ]
    assert problems(person.send(NEW, form | {"action": "send_code", "phone": "12"})) == [
        "请输入 11 位中国大陆手机号"
    ]
    assert person.send(NEW, {"ticket": ticket, "csrf_token": ""}).status_code == 400


def test_a_ticket_is_for_the_account_that_proved_the_number(person: Visitor, owner: Visitor) -> None:
    prove_old(person)
    ticket = hidden(person.get(NEW), "ticket")
    answer = owner.send(NEW, {"phone": NEW_PHONE, "ticket": ticket, "action": "change"}, page=OLD)
    assert answer.location == OLD


def test_a_captcha_comes_before_a_code_to_the_new_number(make_app: MakeApp) -> None:
    visitor = Visitor(make_app(throttle=False))
    assert problems(visitor.send(LOST, {"phone": NEW_PHONE, "action": "send_code"})) == [
        "请输入图片中的验证码"
    ]
    assert "captcha_handle" in visitor.send(LOST, {"action": "new_captcha"}).text


def test_a_code_asked_for_twice_in_a_minute_is_refused_at_its_field(make_app: MakeApp) -> None:
    visitor = Visitor(make_app(captcha="off"))
    visitor.register("li_shili", PHONE)
    other = Visitor(visitor.app)
    for who, path, fields in (
        (visitor, OLD, {}),
        (other, LOST, {"phone": NEW_PHONE}),
        (other, CHANGE, {"identifier": "li_shili"}),
    ):
        who.send(path, fields | {"action": "send_code"})
        page = who.send(path, fields | {"action": "send_code"})
        assert (page.status_code, int(page.headers["Retry-After"]) > 0) == (429, True)
        assert "获取过于频繁" in problems(page)[0]


def test_scripts_are_told_in_json(person: Visitor) -> None:
    json = {"Accept": "application/json"}
    prove_old(person)
    for path in (OLD, NEW, LOST):
        page = person.get(path)
        form = {"csrf_token": hidden(page, "csrf_token"), "ticket": hidden(page, "ticket")}
        form |= {"action": "send_code", "phone": NEW_PHONE}
        answer = person.http.post(path, data=form, headers=json)
        assert answer.get_json()["problems"] == {}
    visitor = Visitor(person.app)
    form = {"csrf_token": hidden(visitor.get(CHANGE), "csrf_token"), "identifier": "li_shili"}
    answer = visitor.http.post(CHANGE, data=form | {"action": "send_code"}, headers=json)
    assert answer.get_json()["problems"] == {}


def test_another_picture_keeps_the_page(person: Visitor) -> None:
    prove_old(person)
    ticket = hidden(person.get(NEW), "ticket")
    page = person.send(NEW, {"action": "new_captcha", "phone": NEW_PHONE, "ticket": ticket})
    assert f'value="{NEW_PHONE}"' in page.text


def test_a_ticket_or_a_code_that_is_used_up_meanwhile_changes_nothing(
    person: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    prove_old(person)
    monkeypatch.setattr(tickets, "take", lambda _use: None)
    assert bind(person).location == OLD
    monkeypatch.undo()
    monkeypatch.setattr(sms_codes, "redeem_code", lambda *_: False)
    assert bind(person, "19900001778").location == OLD
    assert "短信验证码已失效" in person.get(OLD).text
    assert problems(prove_new(Visitor(person.app), "19900001779")) == ["短信验证码已失效，请重新获取"]


# --- from the sign-in page ---


def test_from_the_sign_in_page_one_code_to_the_old_number_is_enough(person: Visitor) -> None:
    visitor = Visitor(person.app)
    page = visitor.send(CHANGE, {"action": "send_code", "identifier": "li_shili", "password": PASSWORD})
    assert PASSWORD not in page.text
    form = {"action": "next", "identifier": "li_shili", "kept": hidden(page, "kept")}
    assert visitor.send(CHANGE, form | {"sms_code": visitor.code(PHONE)}).location == NEW
    assert bind(visitor).location == "/account/security"
    assert visitor.get(CHANGE).location == OLD


def test_wrong_factors_are_answered_as_at_the_sign_in(person: Visitor) -> None:
    visitor = Visitor(person.app)

    def answers(identifier: str) -> list[str]:
        form = {"identifier": identifier, "password": PASSWORD}
        sent = visitor.send(CHANGE, form | {"action": "send_code"})
        tried = visitor.send(CHANGE, form | {"action": "next", "sms_code": "000000"})
        texts = [re.sub(r'name="(csrf_token|kept)" value="[^"]*"', "", page.text) for page in (sent, tried)]
        return [text.replace(identifier, "?") for text in texts]

    assert answers("li_shili") == answers("no_such_one")
    assert problems(visitor.send(CHANGE, {"action": "next"})) == [
        "请输入登录名、统一社会信用代码或身份证号",
        "请输入密码",
        "请输入短信验证码",
    ]
    assert visitor.send(CHANGE, {"action": "send_code"}).status_code == 422
    assert visitor.send(CHANGE, {"csrf_token": ""}).status_code == 400


def test_a_worn_out_password_is_changed_first(person: Visitor) -> None:
    with person.app.app_context(), transaction() as session:
        session.execute(update(Account).values(password_changed_at=clock.now() - timedelta(days=90)))
    visitor = Visitor(person.app)
    visitor.send(CHANGE, {"action": "send_code", "identifier": "li_shili"})
    form = {"action": "next", "identifier": "li_shili", "password": PASSWORD}
    answer = visitor.send(CHANGE, form | {"sms_code": visitor.code(PHONE)})
    assert answer.location == "/account/password-expired"


def test_a_sleeping_account_is_woken_first(person: Visitor) -> None:
    with person.app.app_context(), transaction() as session:
        session.execute(update(Account).values(status="dormant"))
    visitor = Visitor(person.app)
    visitor.send(CHANGE, {"action": "send_code", "identifier": "li_shili"})
    form = {"action": "next", "identifier": "li_shili", "password": PASSWORD}
    answer = visitor.send(CHANGE, form | {"sms_code": visitor.code(PHONE)})
    assert answer.location == "/login/revival"


def test_the_sign_in_page_and_the_settings_lead_here(person: Visitor) -> None:
    page = Visitor(person.app).get("/login").text
    assert f'href="{CHANGE}"' in page
    assert f'href="{LOST}"' in page
    assert f'href="{OLD}"' in person.get("/account/security").text


# --- the lost phone ---


@pytest.fixture
def applied(person: Visitor) -> str:
    """The application's address in the queue."""
    visitor = Visitor(person.app)
    assert prove_new(visitor).location == APPLICATION
    page = apply(visitor)
    assert page.status_code == 200
    assert "申请已提交" in page.text
    assert visitor.get(APPLICATION).location == LOST
    return QUEUE


def entry(administrator: Visitor) -> str:
    found = re.findall(rf'href="({QUEUE}/[^"]+)"', administrator.get(QUEUE).text)
    assert len(found) == 1
    return str(found[0])


def test_a_reviewer_sees_the_document_beside_the_form_and_approves(
    person: Visitor, applied: str, administrator: Visitor
) -> None:
    path = entry(administrator)
    page = administrator.get(path)
    for mark in ("li_shili", LI["real_name"], LI["document_number"], "199****1777", f'src="{path}/scan"'):
        assert mark in page.text
    assert NEW_PHONE not in page.text
    scan = administrator.get(f"{path}/scan")
    assert (scan.mimetype, scan.headers["Cache-Control"]) == ("image/png", "no-store")
    answer = administrator.send(path, {"decision": "approve"})
    assert (answer.status_code, answer.location) == (303, QUEUE)
    assert person.get("/account").location == "/login"
    assert person.sign_in("li_shili", NEW_PHONE).location == "/account"
    assert "更换手机号" in administrator.get("/admin/audit").text


def test_applying_is_a_separate_consent_for_the_document(
    person: Visitor, applied: str, administrator: Visitor
) -> None:
    with person.app.app_context(), reading() as session:
        account_id = session.scalars(select(Account.id).where(Account.login_name == "li_shili")).one()
        given = agreements.list_of_account(account_id)
    assert any(one.document == "identity" and one.current for one in given)


def test_a_reviewer_decides_with_both_factors_of_the_last_ten_minutes(
    person: Visitor, applied: str, administrator: Visitor
) -> None:
    path = entry(administrator)
    grow_old(administrator.app)
    assert administrator.send(path, {"decision": "approve"}).location == f"/account/confirm?next={path}"
    assert person.get("/account").status_code == 200


def test_a_rejection_needs_a_reason(person: Visitor, applied: str, administrator: Visitor) -> None:
    path = entry(administrator)
    page = administrator.send(path, {"decision": "reject"})
    assert page.status_code == 422
    assert administrator.send(path, {"decision": "approve", "csrf_token": ""}).status_code == 400
    assert administrator.send(path, {"decision": "reject", "reason": "证件不清晰"}).location == QUEUE
    assert "没有等待审核的申请" in administrator.get(QUEUE).text
    assert "证件不清晰" in administrator.get(path).text
    assert person.get("/account").status_code == 200


def test_the_queue_is_for_administrators_alone(person: Visitor, applied: str, administrator: Visitor) -> None:
    path = entry(administrator)
    for page in (QUEUE, path, f"{path}/scan"):
        assert person.get(page).status_code == 403
        assert Visitor(person.app).get(page).location == "/login"
    assert person.send(path, {"decision": "approve"}, page="/account").status_code == 403
    assert administrator.get(f"{QUEUE}/nothing").status_code == 404
    assert administrator.get(f"{QUEUE}/nothing/scan").status_code == 404


def test_nobody_decides_on_the_own_application(person: Visitor, applied: str) -> None:
    person.become_administrator("li_shili")
    page = person.send(entry(person), {"decision": "approve"})
    assert problems(page) == ["您没有权限办理此项；自己的申请须由其他管理员审核"]


def test_the_holder_can_stop_an_application(person: Visitor, applied: str, administrator: Visitor) -> None:
    page = person.get(OLD)
    assert "有一项更换手机号的申请" in page.text
    answer = person.send("/account/phone/application", {"action": "withdraw"}, page=OLD)
    assert answer.location == OLD
    page = person.get(OLD)
    assert "已撤销更换手机号的申请" in page.text
    assert "有一项更换手机号的申请" not in page.text
    person.send("/account/phone/application", {"action": "withdraw"}, page=OLD)
    assert "该申请已处理过" in person.get(OLD).text
    assert "没有等待审核的申请" in administrator.get(QUEUE).text
    form = {"action": "withdraw", "csrf_token": ""}
    assert person.send("/account/phone/application", form, page=OLD).status_code == 400


def test_wrong_details_are_answered_alike_and_keep_what_was_typed(person: Visitor) -> None:
    visitor = Visitor(person.app)
    prove_new(visitor)
    answer = "填写的信息与账号不符。请核对登录名、密码、姓名和证件号；未实名认证的账号不能办理"
    for changes in ({"identifier": "no_such_one"}, {"password": "Wrong#2026pass"}, {"real_name": "王示例"}):
        page = apply(visitor, **changes)
        assert (page.status_code, problems(page)) == (422, [answer])
        assert "手机遗失，号码已停机" in page.text
        assert PASSWORD not in page.text
    page = apply(visitor, document_scan=(picture(), "both sides.pdf"))
    assert problems(page) == ["文件内容与扩展名不一致，请选择原始的扫描文件"]
    assert apply(visitor, csrf_token="").status_code == 400
    assert apply(visitor).status_code == 200


def test_the_new_number_comes_first_and_must_be_free(person: Visitor, owner: Visitor) -> None:
    visitor = Visitor(person.app)
    assert visitor.get(APPLICATION).location == LOST
    page = prove_new(visitor, "19900001001")
    assert problems(page) == ["该手机号已绑定其他账号，请换一个手机号，或直接登录"]
    assert visitor.send(LOST, {"csrf_token": ""}).status_code == 400
    prove_new(visitor)
    ticket = hidden(visitor.get(APPLICATION), "ticket")
    stranger = Visitor(person.app)
    assert stranger.send(APPLICATION, {"ticket": ticket}, page=LOST).location == LOST


def test_an_enterprise_applies_by_its_legal_representative(owner: Visitor, administrator: Visitor) -> None:
    visitor = Visitor(owner.app)
    prove_new(visitor)
    page = apply(
        visitor,
        identifier=LEGAL["enterprise_credit_code"],
        real_name=LEGAL["representative_name"],
        document_number=LEGAL["representative_document_number"],
    )
    assert page.status_code == 200
    assert LEGAL["enterprise_name"] in administrator.get(entry(administrator)).text
