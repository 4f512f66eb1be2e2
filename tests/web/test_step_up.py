from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select, update

from idp.services import audit
from idp.storage.accounts import Login
from idp.storage.database import reading, transaction
from tests.web.conftest import MakeApp
from tests.web.visitor import PASSWORD, Visitor, hidden, problems

CONFIRM = "/account/confirm"
PHONE = "19900001001"  # the owner's


def grow_old(app: Flask) -> None:
    """Let more than ten minutes pass since every sign-in."""
    with app.app_context(), transaction() as session:
        session.execute(update(Login).values(auth_time=Login.auth_time - 601))


def decide(owner: Visitor, decision: str) -> str:
    page = owner.get("/enterprise/handlers")
    answer = owner.send("/enterprise/handlers", {"id": hidden(page, "id"), "decision": decision})
    assert answer.status_code == 303
    return str(answer.location)


def confirm(visitor: Visitor, back: str, phone: str = PHONE, **fields: str) -> str:
    """Show both factors again; where the browser is sent."""
    page = f"{CONFIRM}?next={back}"
    visitor.send(CONFIRM, {"action": "send_code", "next": back}, page=page)
    form = {"action": "confirm", "next": back, "password": PASSWORD, "sms_code": visitor.code(phone)}
    answer = visitor.send(CONFIRM, form | fields, page=page)
    return str(answer.location)


def test_an_approval_long_after_the_sign_in_needs_both_factors_again(
    applicant: Visitor, owner: Visitor
) -> None:
    grow_old(owner.app)
    assert decide(owner, "approve") == f"{CONFIRM}?next=/enterprise/handlers"
    assert "待审核" in owner.get("/enterprise/handlers").text
    assert confirm(owner, "/enterprise/handlers") == "/enterprise/handlers"
    assert "请再提交一次" in owner.get("/enterprise/handlers").text
    assert decide(owner, "approve") == "/enterprise/handlers"
    assert "已同意 li_shili" in owner.get("/enterprise/handlers").text


def test_a_refusal_needs_none(applicant: Visitor, owner: Visitor) -> None:
    grow_old(owner.app)
    assert decide(owner, "refuse") == "/enterprise/handlers"


def test_a_confirmation_gives_the_login_a_new_token_and_the_old_one_is_worth_nothing(
    owner: Visitor, app: Flask
) -> None:
    grow_old(app)
    old = owner.http.get_cookie("login")
    with app.app_context(), reading() as session:
        before = session.scalars(select(Login)).one()
        sid, auth_time, expires_at = before.sid, before.auth_time, before.expires_at
    confirm(owner, "/account")
    new = owner.http.get_cookie("login")
    assert old is not None
    assert new is not None
    assert old.value != new.value
    thief = Visitor(app)
    thief.http.set_cookie("login", old.value)
    assert thief.get("/account").location == "/login"
    with app.app_context(), reading() as session:
        after = session.scalars(select(Login)).one()
        assert (after.sid, after.expires_at) == (sid, expires_at)
        assert after.auth_time > auth_time + 500
        steps = audit.list_entries(app.extensions["idp"], "login:step_up")
        assert [(step.object_id, step.result) for step in steps] == [(sid, "success")]


@pytest.mark.parametrize(
    "back",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/account%0d%0aX:1",
        "",
        "x" * 700,
    ],
)
def test_nobody_is_led_to_another_site(owner: Visitor, back: str) -> None:
    assert owner.get(CONFIRM, query_string={"next": back}).location == "/account"
    grow_old(owner.app)
    assert confirm(owner, "/account", next=back) == "/account"


def test_who_has_just_signed_in_is_not_asked(owner: Visitor) -> None:
    answer = owner.get(f"{CONFIRM}?next=/account/security")
    assert (answer.status_code, answer.location) == (303, "/account/security")


def test_a_stranger_is_sent_to_the_sign_in(visitor: Visitor) -> None:
    assert visitor.get(CONFIRM).location == "/login"
    assert visitor.send(CONFIRM, {"action": "confirm"}, page="/login").location == "/login"


def test_what_is_missing_or_wrong_is_told_and_confirms_nothing(owner: Visitor) -> None:
    grow_old(owner.app)
    page = owner.send(CONFIRM, {"action": "confirm"})
    assert (page.status_code, problems(page)) == (422, ["请输入密码", "请输入短信验证码"])
    owner.send(CONFIRM, {"action": "send_code"})
    code = owner.code(PHONE)
    wrong = {"password": "Wrong#2026pass", "sms_code": code}, {"password": PASSWORD, "sms_code": "x"}
    for fields in wrong:
        page = owner.send(CONFIRM, {"action": "confirm", "next": "/account/security", **fields})
        assert page.status_code == 422
        assert problems(page) == ["密码或验证码不正确，请核对后重新输入"]
        assert hidden(page, "next") == "/account/security"
        assert PASSWORD not in page.text
    assert owner.get(CONFIRM).status_code == 200
    answer = owner.send(CONFIRM, {"action": "confirm", "password": PASSWORD, "sms_code": code})
    assert answer.status_code == 303


def test_a_code_of_the_sign_in_is_of_no_use_here(owner: Visitor, app: Flask) -> None:
    grow_old(app)
    Visitor(app).send("/login", {"action": "send_code", "identifier": "yanshi_car"})
    form = {"action": "confirm", "password": PASSWORD, "sms_code": owner.code(PHONE)}
    assert owner.send(CONFIRM, form).status_code == 422


def test_a_form_of_another_site_confirms_nothing(owner: Visitor) -> None:
    grow_old(owner.app)
    owner.send(CONFIRM, {"action": "send_code"})
    form = {"action": "confirm", "password": PASSWORD, "sms_code": owner.code(PHONE)}
    assert owner.http.post(CONFIRM, data=form).status_code == 400
    assert owner.get(CONFIRM).status_code == 200


def test_the_password_typed_before_asking_for_the_code_is_used_but_never_shown(owner: Visitor) -> None:
    grow_old(owner.app)
    page = owner.send(CONFIRM, {"action": "send_code", "password": PASSWORD})
    assert PASSWORD not in page.text
    form = {"action": "confirm", "kept": hidden(page, "kept"), "sms_code": owner.code(PHONE)}
    assert owner.send(CONFIRM, form).status_code == 303


def test_the_script_is_told_whether_a_code_was_sent(make_app: MakeApp) -> None:
    visitor = Visitor(make_app(captcha="off"))
    visitor.register("someone", "19900001077")
    grow_old(visitor.app)
    token = hidden(visitor.get(CONFIRM), "csrf_token")
    form = {"csrf_token": token, "action": "send_code"}
    script = {"Accept": "application/json"}
    answers = [visitor.http.post(CONFIRM, data=form, headers=script).get_json() for _ in range(2)]
    assert answers[0] == {"problems": {}, "wait": 60}
    assert "秒后再试" in answers[1]["problems"]["sms_code"]


def test_five_failures_lock_sign_in_and_confirmation_alike(make_app: MakeApp) -> None:
    app = make_app(captcha="off")
    visitor = Visitor(app)
    visitor.register("someone", "19900001077")
    grow_old(app)
    form = {"action": "confirm", "password": "Wrong#2026pass", "sms_code": "000000"}
    told = [problems(visitor.send(CONFIRM, form))[0] for _ in range(5)]
    assert "分钟后再试" in told[-1]
    visitor.send(CONFIRM, {"action": "send_code"})
    right = form | {"password": PASSWORD, "sms_code": visitor.code("19900001077")}
    assert "分钟后再试" in problems(visitor.send(CONFIRM, right))[0]
    stranger = Visitor(app)
    page = stranger.send("/login", form | {"identifier": "someone", "action": "login"})
    assert "分钟后再试" in problems(page)[0]
    with app.app_context():
        trail = audit.list_entries(app.extensions["idp"], "login:step_up")
        assert [step.result for step in trail] == ["login_locked", *["confirmation_wrong"] * 5]


def test_a_login_ended_meanwhile_is_not_revived(owner: Visitor, app: Flask) -> None:
    grow_old(app)
    owner.send(CONFIRM, {"action": "send_code"})
    form = {"action": "confirm", "password": PASSWORD, "sms_code": owner.code(PHONE)}
    form["csrf_token"] = hidden(owner.get(CONFIRM), "csrf_token")
    with app.app_context(), transaction() as session:
        session.execute(update(Login).values(ended_at=Login.created_at))
    assert owner.http.post(CONFIRM, data=form).location == "/login"
    assert owner.get("/account").location == "/login"
