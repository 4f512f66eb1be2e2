from __future__ import annotations

import re

from flask import Flask

from tests.web.conftest import MakeApp
from tests.web.visitor import PASSWORD, Visitor, hidden, problems

REGISTRATION = {
    "login_name": "li_shili",
    "password": PASSWORD,
    "confirm_password": PASSWORD,
    "email": "li@example.test",
    "phone": "19900001002",
    "agree": "y",
}


def test_registering_signs_in_and_offers_verification(visitor: Visitor) -> None:
    answer = visitor.register("li_shili", "19900001002")
    assert (answer.status_code, answer.location) == (303, "/account/verification")
    offer = visitor.get("/account/verification")
    assert "立即认证" in offer.text
    assert "未认证" in offer.text


def test_registration_shows_every_problem_at_once_with_focus_on_the_first(visitor: Visitor) -> None:
    page = visitor.send("/register", {"action": "register", "login_name": "1x", "email": "li@example.test"})
    assert page.status_code == 422
    assert len(problems(page)) >= 5
    assert 'value="li@example.test"' in page.text
    focused = re.findall(r"<input[^>]*autofocus[^>]*>", page.text)
    assert len(focused) == 1
    assert 'id="login_name"' in focused[0]


def test_passwords_typed_before_asking_for_the_code_are_used_but_never_shown(visitor: Visitor) -> None:
    page = visitor.send("/register", REGISTRATION | {"action": "send_code"})
    assert page.status_code == 200
    assert PASSWORD not in page.text
    assert "已输入，可留空" in page.text
    form = {name: value for name, value in REGISTRATION.items() if "password" not in name}
    form |= {"action": "register", "kept": hidden(page, "kept"), "sms_code": visitor.code("19900001002")}
    assert visitor.send("/register", form).status_code == 303
    visitor.send("/logout", {}, page="/account")
    assert visitor.sign_in("li_shili", "19900001002").location == "/account"


def test_a_typed_password_wins_over_a_kept_one(visitor: Visitor) -> None:
    page = visitor.send("/register", REGISTRATION | {"action": "send_code"})
    form = REGISTRATION | {"password": "Else#2026word", "action": "register", "kept": hidden(page, "kept")}
    page = visitor.send("/register", form | {"sms_code": visitor.code("19900001002")})
    assert problems(page) == ["两次输入的密码不一致，请重新输入"]


def test_sign_in_uses_a_kept_password_for_the_same_identifier_only(person: Visitor) -> None:
    visitor = Visitor(person.app)
    form = {"identifier": "li_shili", "password": PASSWORD, "action": "send_code"}
    kept = hidden(visitor.send("/login", form), "kept")
    assert kept
    login = {"action": "login", "kept": kept, "sms_code": visitor.code("19900001002")}
    page = visitor.send("/login", login | {"identifier": "someone_else"})
    assert problems(page) == ["请输入密码"]
    kept = hidden(visitor.send("/login", form), "kept")
    login |= {"identifier": "li_shili", "kept": kept, "sms_code": visitor.code("19900001002")}
    assert visitor.send("/login", login).location == "/account"


def test_asking_for_a_code_answers_the_same_for_unknown_identifiers(person: Visitor) -> None:
    visitor = Visitor(person.app)

    def answer(identifier: str) -> str:
        page = visitor.send("/login", {"identifier": identifier, "password": "x", "action": "send_code"})
        return re.sub(r'name="(csrf_token|kept)" value="[^"]*"', "", page.text).replace(identifier, "?")

    assert answer("li_shili") == answer("no_such_one")
    assert answer("990101199001010027") == answer("990101198506150012")


def test_every_stranger_gets_the_same_sign_in_page_but_for_a_value_of_their_own(app: Flask) -> None:
    pages = [Visitor(app).get("/login") for _ in range(3)]
    values = [hidden(page, "csrf_token") for page in pages]
    assert len(set(values)) == 3
    assert len({page.text.replace(value, "") for page, value in zip(pages, values, strict=True)}) == 1


def test_a_notice_stands_on_the_sign_in_page_of_whom_it_concerns_and_of_nobody_else(app: Flask) -> None:
    told, stranger = Visitor(app), Visitor(app)
    assert "已保存" not in told.get("/login").text
    with told.http.session_transaction() as kept:
        kept["_flashes"] = [("success", "已保存")]
    assert "已保存" in told.get("/login").text
    assert "已保存" not in stranger.get("/login").text
    assert "已保存" not in told.get("/login").text


def test_a_failed_sign_in_says_nothing_of_which_part_was_wrong(person: Visitor) -> None:
    visitor = Visitor(person.app)
    form = {"identifier": "li_shili", "password": "Wrong#2026pw", "sms_code": "000000", "action": "login"}
    known = visitor.send("/login", form)
    unknown = visitor.send("/login", form | {"identifier": "no_such_one"})
    assert known.status_code == unknown.status_code == 422
    assert problems(known) == problems(unknown) == ["登录信息不正确，请核对账号、密码和验证码后重试"]
    assert "Wrong#2026pw" not in known.text


def test_enter_in_a_field_sends_the_form_rather_than_asks_for_a_code(person: Visitor) -> None:
    visitor = Visitor(person.app)
    for path in ("/login", "/register"):
        form = visitor.get(path).text.partition('action="' + path + '"')[2]
        first = re.search(
            r"<button[^>]*>", form
        )  # what Enter presses; nameless, for programs know the others
        assert first is not None
        assert "name=" not in first.group()
    visitor.send("/login", {"identifier": "li_shili", "action": "send_code"})
    login = {"identifier": "li_shili", "password": PASSWORD, "sms_code": visitor.code("19900001002")}
    assert visitor.send("/login", login).location == "/account"


def test_an_expired_page_says_so_with_what_was_typed(visitor: Visitor) -> None:
    page = visitor.http.post(
        "/login", data={"identifier": "li_shili", "action": "login", "password": PASSWORD}
    )
    assert page.status_code == 400
    assert "页面已过期，请重试" in problems(page)
    assert 'value="li_shili"' in page.text
    assert PASSWORD not in page.text


def test_a_script_gets_the_answer_as_json_and_nothing_is_kept(person: Visitor) -> None:
    form = {"csrf_token": hidden(person.get("/account"), "csrf_token"), "action": "send_code"}
    script = {"Accept": "application/json"}
    answer = person.http.post("/login", data=form | {"identifier": "li_shili"}, headers=script)
    assert (answer.status_code, answer.get_json()) == (200, {"problems": {}, "wait": 0})
    answer = person.http.post("/login", data=form, headers=script)
    assert answer.status_code == 422
    assert answer.get_json()["problems"] == {"identifier": "请输入登录名、统一社会信用代码或身份证号"}


def test_the_countdown_is_as_long_as_the_wait(make_app: MakeApp) -> None:
    for throttle, seconds in ((True, 60), (False, 0)):
        page = Visitor(make_app(throttle=throttle, captcha="off")).send(
            "/register", REGISTRATION | {"action": "send_code"}
        )
        assert f'data-wait="{seconds}"' in page.text


def test_an_unknown_request_is_explained_and_leads_nowhere(visitor: Visitor) -> None:
    page = visitor.get("/login?request=nothing-of-the-kind")
    assert page.status_code == 400
    assert "登录请求已失效" in page.text


def test_signing_out_ends_the_session_on_the_server(person: Visitor) -> None:
    stolen = person.http.get_cookie("login")
    assert stolen is not None
    assert person.send("/logout", {}, page="/account").status_code == 303
    thief = Visitor(person.app)
    thief.http.set_cookie("login", stolen.value)
    assert thief.get("/account").location == "/login"


def test_signing_in_renews_cookie_and_anti_forgery_value(person: Visitor) -> None:
    former = person.http.get_cookie("login")
    token = hidden(person.get("/account"), "csrf_token")
    person.send("/logout", {}, page="/account")
    person.sign_in("li_shili", "19900001002")
    renewed = person.http.get_cookie("login")
    assert former is not None
    assert renewed is not None
    assert renewed.value != former.value
    assert person.http.post("/logout", data={"csrf_token": token}).status_code == 400
