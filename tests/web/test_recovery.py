from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from idp.storage.accounts import PasswordHistory
from idp.storage.database import reading
from tests.web.conftest import MakeApp
from tests.web.test_password_expired import begin
from tests.web.visitor import LEGAL, LI, PASSWORD, Visitor, hidden, problems

PHONE = "19900001002"
NEW = "Fresh#2026pass"
FORGOT, NEW_PASSWORD, FIND = "/forgot-password", "/forgot-password/new-password", "/find-account"


def prove_phone(visitor: Visitor, identifier: str = "li_shili", phone: str = PHONE) -> TestResponse:
    visitor.send(FORGOT, {"action": "send_code", "identifier": identifier})
    return visitor.send(FORGOT, {"action": "next", "identifier": identifier, "sms_code": visitor.code(phone)})


def reset(visitor: Visitor, **fields: str) -> TestResponse:
    form = {"password": NEW, "confirm_password": NEW, "document_number": LI["document_number"]}
    ticket = hidden(visitor.get(NEW_PASSWORD), "ticket")
    return visitor.send(NEW_PASSWORD, form | {"ticket": ticket, "action": "reset"} | fields)


# --- 忘记密码 ---


def test_a_forgotten_password_is_replaced_on_two_pages(person: Visitor) -> None:
    visitor = Visitor(person.app)
    answer = prove_phone(visitor)
    assert (answer.status_code, answer.location) == (303, NEW_PASSWORD)
    page = visitor.get(NEW_PASSWORD)
    assert 'name="document_number"' in page.text
    assert 'name="enterprise_credit_code"' not in page.text
    answer = reset(visitor)
    assert (answer.status_code, answer.location) == (303, "/login")
    assert "密码已重设" in visitor.get("/login").text
    assert person.get("/account").location == "/login"
    visitor.send("/login", {"action": "send_code", "identifier": "li_shili"})
    form = {"action": "login", "identifier": "li_shili", "sms_code": visitor.code(PHONE)}
    assert visitor.send("/login", form | {"password": PASSWORD}).status_code == 422
    visitor.send("/login", {"action": "send_code", "identifier": "li_shili"})
    form["sms_code"] = visitor.code(PHONE)
    assert visitor.send("/login", form | {"password": NEW}).location == "/account"


def test_whoever_came_from_a_client_goes_back_to_its_request(person: Visitor) -> None:
    visitor = Visitor(person.app)
    sign_in = begin(visitor)
    found = re.search(r'href="(/forgot-password[^"]*)"', visitor.get(sign_in).text)
    assert found is not None
    request_id = hidden(visitor.get(found.group(1)), "request")
    assert request_id
    form = {"identifier": "li_shili", "request": request_id}
    page = visitor.send(FORGOT, form | {"action": "send_code"})
    assert hidden(page, "request") == request_id
    visitor.send(FORGOT, form | {"action": "next", "sms_code": visitor.code(PHONE)})
    assert reset(visitor).location == sign_in
    assert "示例业务系统" in visitor.get(sign_in).text


def test_a_request_that_is_over_is_let_go(person: Visitor) -> None:
    visitor = Visitor(person.app)
    form = {"identifier": "li_shili", "request": "gone"}
    visitor.send(FORGOT, form | {"action": "send_code"})
    visitor.send(FORGOT, form | {"action": "next", "sms_code": visitor.code(PHONE)})
    assert reset(visitor).location == "/login"


def test_an_enterprise_gives_its_credit_code(owner: Visitor) -> None:
    visitor = Visitor(owner.app)
    prove_phone(visitor, "yanshi_car", "19900001001")
    assert 'name="enterprise_credit_code"' in visitor.get(NEW_PASSWORD).text
    page = reset(visitor, enterprise_credit_code="91990101MADEM00117")
    assert problems(page) == ["统一社会信用代码与该账号实名认证的信息不一致"]
    assert reset(visitor, enterprise_credit_code=LEGAL["enterprise_credit_code"]).location == "/login"


def test_an_unverified_account_needs_the_phone_alone(visitor: Visitor) -> None:
    visitor.register("newcomer", "19900001005")
    other = Visitor(visitor.app)
    prove_phone(other, "newcomer", "19900001005")
    assert "document_number" not in other.get(NEW_PASSWORD).text
    assert reset(other).location == "/login"


def test_the_code_keeps_what_was_typed(person: Visitor) -> None:
    page = Visitor(person.app).send(FORGOT, {"action": "send_code", "identifier": "li_shili"})
    assert page.status_code == 200
    assert 'value="li_shili"' in page.text
    assert "如该账号存在，验证码已发送" in page.text


def test_known_and_unknown_see_the_same_pages(person: Visitor) -> None:
    visitor = Visitor(person.app)

    def answers(identifier: str) -> list[str]:
        sent = visitor.send(FORGOT, {"action": "send_code", "identifier": identifier})
        tried = visitor.send(FORGOT, {"action": "next", "identifier": identifier, "sms_code": "000000"})
        texts = [re.sub(r'name="csrf_token" value="[^"]*"', "", page.text) for page in (sent, tried)]
        return [text.replace(identifier, "?") for text in texts]

    assert answers("li_shili") == answers("no_such_one")
    assert answers("990101199001010027") == answers("990101198506150012")


def test_what_is_missing_is_asked_for(visitor: Visitor) -> None:
    page = visitor.send(FORGOT, {"action": "next"})
    assert page.status_code == 422
    assert problems(page) == ["请输入登录名、统一社会信用代码或身份证号", "请输入短信验证码"]
    assert problems(visitor.send(FORGOT, {"action": "send_code"})) == [
        "请输入登录名、统一社会信用代码或身份证号"
    ]
    assert visitor.send(FORGOT, {"action": "next", "csrf_token": ""}).status_code == 400


def test_the_script_is_told_in_json(person: Visitor) -> None:
    token = hidden(person.get(FORGOT), "csrf_token")
    form = {"csrf_token": token, "action": "send_code", "identifier": "li_shili"}
    answer = person.http.post(FORGOT, data=form, headers={"Accept": "application/json"})
    assert answer.get_json() == {"problems": {}, "wait": 0}


def test_a_ticket_is_of_no_use_in_another_browser(person: Visitor) -> None:
    visitor, stranger = Visitor(person.app), Visitor(person.app)
    prove_phone(visitor)
    ticket = hidden(visitor.get(NEW_PASSWORD), "ticket")
    assert stranger.get(NEW_PASSWORD).location == FORGOT
    form = {"password": NEW, "confirm_password": NEW, "document_number": LI["document_number"]}
    answer = stranger.send(NEW_PASSWORD, form | {"ticket": ticket}, page=FORGOT)
    assert answer.location == FORGOT
    assert person.get("/account").status_code == 200


def test_a_page_of_an_older_ticket_changes_nothing(person: Visitor, owner: Visitor) -> None:
    visitor = Visitor(person.app)
    prove_phone(visitor)
    older = hidden(visitor.get(NEW_PASSWORD), "ticket")
    prove_phone(visitor, "yanshi_car", "19900001001")
    assert reset(visitor, ticket=older).location == FORGOT
    assert person.get("/account").status_code == 200
    assert owner.get("/account").status_code == 200


def test_a_ticket_is_used_once(person: Visitor) -> None:
    visitor = Visitor(person.app)
    prove_phone(visitor)
    page = visitor.get(NEW_PASSWORD)
    form = {"password": NEW, "confirm_password": NEW, "document_number": LI["document_number"]}
    form |= {"ticket": hidden(page, "ticket"), "csrf_token": hidden(page, "csrf_token")}
    cookie = visitor.http.get_cookie("page")
    assert cookie is not None
    assert visitor.http.post(NEW_PASSWORD, data=form).location == "/login"
    visitor.http.set_cookie("page", cookie.value)  # as it was before
    form |= {"password": "Third#2026pass", "confirm_password": "Third#2026pass"}
    assert visitor.http.post(NEW_PASSWORD, data=form).location == FORGOT


def test_of_two_resets_at_once_one_counts(person: Visitor) -> None:
    visitor = Visitor(person.app)
    prove_phone(visitor)
    page = visitor.get(NEW_PASSWORD)
    form = {name: hidden(page, name) for name in ("ticket", "csrf_token")}
    form["document_number"] = LI["document_number"]
    cookie = visitor.http.get_cookie("page")
    assert cookie is not None
    start = Barrier(3)

    def send(password: str) -> str:
        tab = person.app.test_client()
        tab.set_cookie("page", cookie.value)
        start.wait()
        answer = tab.post(NEW_PASSWORD, data=form | {"password": password, "confirm_password": password})
        return answer.location

    with ThreadPoolExecutor(3) as threads:
        answers = list(threads.map(send, [NEW, "Third#2026pass", "Fourth#2026pas"]))
    assert sorted(answers) == [FORGOT, FORGOT, "/login"]
    with person.app.app_context(), reading() as session:
        assert len(list(session.scalars(select(PasswordHistory)))) == 1


def test_a_wrong_identity_says_nothing_of_the_password(person: Visitor) -> None:
    visitor = Visitor(person.app)
    prove_phone(visitor)
    used = {"password": PASSWORD, "confirm_password": PASSWORD}
    page = reset(visitor, document_number="990101198506150012", **used)
    assert problems(page) == ["证件号码与该账号实名认证的信息不一致"]
    assert 'value="990101198506150012"' in page.text
    assert problems(reset(visitor, **used)) == ["不能使用最近用过的密码，请换一个"]
    assert problems(reset(visitor, document_number="")) == ["请输入证件号"]
    page = visitor.send(
        NEW_PASSWORD, {"ticket": hidden(visitor.get(NEW_PASSWORD), "ticket"), "csrf_token": ""}
    )
    assert page.status_code == 400


def test_the_ticket_ends_with_the_lock(make_app: MakeApp) -> None:
    visitor = Visitor(make_app(captcha="off"))
    visitor.register("li_shili", PHONE)
    visitor.verify(LI)
    prove_phone(visitor)
    for _ in range(4):
        assert reset(visitor, document_number="990101198506150012").status_code == 422
    assert "连续多次" in reset(visitor, document_number="990101198506150012").text
    assert visitor.get(NEW_PASSWORD).location == FORGOT


# --- 账号找回 ---


BY = {
    "phone": {"phone": PHONE},
    "natural_person": {name: LI[name] for name in ("real_name", "document_type", "document_number")},
    "legal_person": {"enterprise_credit_code": LEGAL["enterprise_credit_code"]},
}
UNKNOWN = {
    "phone": {"phone": "19900001777"},
    "natural_person": BY["natural_person"] | {"document_number": "990101198506150012"},
    "legal_person": {"enterprise_credit_code": "91990101MADEM00117"},
}


@pytest.mark.parametrize("way", list(BY))
def test_a_login_name_is_found_each_way(person: Visitor, owner: Visitor, way: str) -> None:
    visitor, fields = Visitor(person.app), BY[way] | {"by": way}
    login_name, phone = ("yanshi_car", "19900001001") if way == "legal_person" else ("li_shili", PHONE)
    page = visitor.send(FIND, fields | {"action": "send_code"}, page=f"{FIND}?by={way}")
    assert "如有相符的账号，验证码已发送" in page.text
    page = visitor.send(FIND, fields | {"action": "find", "sms_code": visitor.code(phone)})
    assert page.status_code == 200
    assert login_name not in page.text
    assert f"{login_name[:2]}{'*' * (len(login_name) - 4)}{login_name[-2:]}" in page.text
    assert f"您的登录名为{login_name}" in visitor.get("/dev/outbox").text


@pytest.mark.parametrize("way", list(BY))
def test_known_and_unknown_see_the_same(person: Visitor, owner: Visitor, way: str) -> None:
    visitor = Visitor(person.app)

    def answers(fields: dict[str, str]) -> list[str]:
        sent = visitor.send(FIND, fields | {"by": way, "action": "send_code"})
        tried = visitor.send(FIND, fields | {"by": way, "action": "find", "sms_code": "000000"})
        texts = [re.sub(r'name="csrf_token" value="[^"]*"', "", page.text) for page in (sent, tried)]
        for typed in fields.values():
            texts = [text.replace(typed, "?") for text in texts]
        return texts

    assert answers(BY[way]) == answers(UNKNOWN[way])


def test_what_is_wrong_is_said_at_its_field(visitor: Visitor) -> None:
    page = visitor.send(FIND, {"action": "find", "by": "natural_person"})
    assert problems(page) == ["请输入真实姓名", "请选择证件类型", "请输入证件号", "请输入短信验证码"]
    assert problems(visitor.send(FIND, {"action": "send_code", "phone": "12"})) == [
        "请输入 11 位中国大陆手机号"
    ]
    assert visitor.send(FIND, {"action": "find", "csrf_token": ""}).status_code == 400
    assert 'name="phone"' in visitor.get(f"{FIND}?by=elsewhere").text


def test_a_captcha_comes_before_the_code(make_app: MakeApp) -> None:
    visitor = Visitor(make_app(throttle=False))
    page = visitor.send(FIND, {"action": "send_code", "phone": PHONE})
    assert problems(page) == ["请输入图片中的验证码"]
    assert "captcha_handle" in visitor.send(FIND, {"action": "new_captcha"}).text


def test_a_code_asked_for_twice_in_a_minute_is_refused_at_its_field(make_app: MakeApp) -> None:
    visitor = Visitor(make_app(captcha="off"))
    for path, fields in ((FORGOT, {"identifier": "li_shili"}), (FIND, {"phone": PHONE})):
        visitor.send(path, fields | {"action": "send_code"})
        page = visitor.send(path, fields | {"action": "send_code"})
        assert (page.status_code, int(page.headers["Retry-After"]) > 0) == (429, True)
        assert "获取过于频繁" in problems(page)[0]


def test_scripts_finding_an_account_are_told_in_json(person: Visitor) -> None:
    form = {"csrf_token": hidden(person.get(FIND), "csrf_token"), "action": "send_code", "phone": PHONE}
    answer = person.http.post(FIND, data=form, headers={"Accept": "application/json"})
    assert answer.get_json()["problems"] == {}


def test_the_sign_in_page_leads_here(app: Flask) -> None:
    page = Visitor(app).get("/login").text
    for path in (FORGOT, FIND):
        assert f'href="{path}"' in page
