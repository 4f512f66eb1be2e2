from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import update

from idp import clock
from idp.domain.audit import internal_origin
from idp.services import deletion
from idp.storage.accounts import Account
from idp.storage.database import transaction
from tests.web.visitor import Visitor, problems

PHONE = "19900001002"


def set_status(app: Flask, status: str) -> None:
    with app.app_context(), transaction() as session:
        mine = Account.login_name == "li_shili"
        session.execute(update(Account).where(mine).values(status=status, deletion_requested_at=clock.now()))


def leave(person: Visitor) -> None:
    answer = person.send("/account/deletion", {"login_name": "li_shili", "action": "delete"})
    assert (answer.status_code, answer.location) == (303, "/")


def test_the_page_says_what_happens_and_the_login_name_confirms_it(person: Visitor) -> None:
    page = person.get("/account/deletion")
    assert all(text in page.text for text in ("7 天内重新登录即可撤销", "登录名不再使用"))
    wrong = person.send("/account/deletion", {"login_name": "somebody", "action": "delete"})
    assert (wrong.status_code, problems(wrong)) == (422, ["与您的登录名不一致，请核对后重新输入"])
    assert person.get("/account").status_code == 200
    leave(person)
    assert "已收到您的删除申请" in person.get("/").text
    assert person.get("/account").location == "/login"


def test_it_needs_both_factors_of_the_last_ten_minutes(
    person: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = clock.now() + timedelta(minutes=11)
    monkeypatch.setattr(clock, "now", lambda: later)
    form = {"login_name": "li_shili", "action": "delete"}
    assert person.send("/account/deletion", form).location == "/account/confirm?next=/account/deletion"


def test_an_enterprise_with_applications_is_told_what_to_settle(owner: Visitor, applicant: Visitor) -> None:
    page = owner.get("/account/deletion").text
    assert "待审核的经办人申请" in page
    assert 'value="delete"' not in page
    refused = owner.send("/account/deletion", {"login_name": "yanshi_car", "action": "delete"})
    assert refused.status_code == 422


def test_signing_in_within_the_pause_takes_it_back(person: Visitor) -> None:
    leave(person)
    answer = person.sign_in("li_shili", PHONE)
    assert answer.location == "/login/revival"
    page = person.get("/login/revival").text
    assert "已申请删除" in page
    assert 'name="sms_code"' not in page
    back = person.send("/login/revival", {"action": "revive"})
    assert (back.status_code, back.location) == (303, "/account")
    assert "已撤销删除" in person.get("/account").text


def test_a_sleeping_account_wakes_by_another_code(app: Flask, person: Visitor) -> None:
    person.send("/logout", {}, page="/account")
    set_status(app, "dormant")
    assert person.sign_in("li_shili", PHONE).location == "/login/revival"
    assert "已转入休眠" in person.get("/login/revival").text
    assert person.get("/account").location == "/login"
    empty = person.send("/login/revival", {"action": "revive"})
    assert problems(empty) == ["请输入短信验证码"]
    person.send("/login/revival", {"action": "send_code"})
    back = person.send("/login/revival", {"action": "revive", "sms_code": person.code(PHONE)})
    assert back.location == "/account"
    assert "账号已恢复使用" in person.get("/account").text


def test_nobody_learns_of_the_state_without_both_factors(app: Flask, person: Visitor) -> None:
    set_status(app, "dormant")
    stranger = Visitor(app)
    form = {"identifier": "li_shili", "password": "Wrong#2026pw", "sms_code": "000000", "action": "login"}
    page = stranger.send("/login", form)
    assert problems(page) == ["登录信息不正确，请核对账号、密码和验证码后重试"]
    assert stranger.get("/login/revival").location == "/login"


def test_a_forged_form_changes_nothing(person: Visitor) -> None:
    answer = person.http.post("/account/deletion", data={"login_name": "li_shili"})
    assert answer.status_code == 400
    assert person.get("/account").status_code == 200
    leave(person)
    person.sign_in("li_shili", PHONE)
    assert person.http.post("/login/revival", data={"action": "revive"}).status_code == 400
    assert person.get("/account").location == "/login"


def test_after_the_pause_the_phone_registers_anew(app: Flask, person: Visitor) -> None:
    leave(person)
    with app.app_context():
        later = clock.now() + timedelta(days=8)
        assert deletion.finish_due(app.extensions["idp"], later, internal_origin("worker")) == 1
    taken = person.register("li_shili", PHONE)
    assert problems(taken) == ["该登录名已被使用，请换一个"]
    assert person.register("li_again", PHONE).location == "/account/verification"
