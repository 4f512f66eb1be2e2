from __future__ import annotations

from flask import Flask

from idp.domain.audit import internal_origin
from idp.services import accounts, outbox
from idp.services.authentication import find_login
from tests.web.conftest import MakeApp
from tests.web.visitor import APPLICATION, LEGAL, LI, Visitor, hidden

PHONE = "19900001002"


def token(visitor: Visitor, name: str = "login") -> str:
    cookie = visitor.http.get_cookie(name)
    assert cookie is not None
    return cookie.value


def messages(visitor: Visitor, purpose: str) -> list[str]:
    with visitor.app.app_context():
        sent = outbox.list_recent_sms(visitor.app.extensions["idp"])
    return [message.phone for message in sent if message.purpose == purpose]


def test_a_new_browser_is_told_to_the_phone_and_not_to_the_browser(person: Visitor) -> None:
    known = token(person, "device")
    person.send("/logout", {}, page="/account")
    first = person.sign_in("li_shili", PHONE)
    assert (token(person, "device"), messages(person, "device_new")) == (known, [])
    other = Visitor(person.app)
    second = other.sign_in("li_shili", PHONE)
    assert (first.status_code, first.location) == (second.status_code, second.location)
    assert messages(person, "device_new") == [PHONE]
    other.send("/logout", {}, page="/account")
    other.sign_in("li_shili", PHONE)
    assert messages(person, "device_new") == [PHONE]


def test_the_device_cookie_lasts_a_year_out_of_scripts_reach(make_app: MakeApp, visitor: Visitor) -> None:
    answer = visitor.register("li_shili", PHONE)
    (cookie,) = [line for line in answer.headers.getlist("Set-Cookie") if line.startswith("device=")]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Max-Age=31536000" in cookie
    secure = Visitor(make_app(throttle=False, captcha="off", issuer="https://idp.example"))
    lines = secure.register("wang_shili", "19900001003").headers.getlist("Set-Cookie")
    (cookie,) = [line for line in lines if line.startswith("__Host-device=")]
    assert "Secure" in cookie


def test_a_forged_device_cookie_is_none(person: Visitor) -> None:
    other = Visitor(person.app)
    other.http.set_cookie("device", "x" * 43)
    other.sign_in("li_shili", PHONE)
    other.http.set_cookie("device", "' OR 1=1 --")
    other.send("/logout", {}, page="/account")
    other.sign_in("li_shili", PHONE)
    assert len(messages(person, "device_new")) == 2


def test_a_known_browser_can_be_removed(person: Visitor) -> None:
    page = person.get("/account/sessions")
    assert "常用设备" in page.text
    form = {"action": "forget", "device": hidden(page, "device")}
    assert person.send("/account/sessions", form).status_code == 303
    assert "已移除该设备" in person.get("/account/sessions").text
    person.send("/logout", {}, page="/account")
    person.sign_in("li_shili", PHONE)
    assert messages(person, "device_new") == [PHONE]


def test_one_other_session_and_all_others_are_ended_from_here(person: Visitor) -> None:
    others = [Visitor(person.app) for _ in range(3)]
    for other in others:
        other.sign_in("li_shili", PHONE)
    page = person.get("/account/sessions").text
    assert "30 分钟不操作自动退出，每次登录最长 8 小时" in page
    assert page.count("内网") >= 4
    with person.app.app_context():
        login = find_login(person.app.extensions["idp"], token(others[0]))
    assert login is not None
    person.send("/account/sessions", {"session": login.sid, "action": "end"})
    assert others[0].get("/account").location == "/login"
    person.send("/account/sessions", {"action": "end_others"})
    assert "已退出其他所有设备" in person.get("/account/sessions").text
    assert [other.get("/account").location for other in others] == ["/login"] * 3
    assert "退出其他所有设备" not in person.get("/account/sessions").text


def test_the_present_session_is_ended_like_a_sign_out(person: Visitor) -> None:
    sid = hidden(person.get("/account/sessions"), "session")
    assert person.send("/account/sessions", {"session": sid, "action": "end"}).location == "/"
    assert person.get("/account").location == "/login"


def test_somebody_elses_session_is_not_ended(person: Visitor, owner: Visitor) -> None:
    sid = hidden(owner.get("/account/sessions"), "session")
    person.send("/account/sessions", {"session": sid, "action": "end"})
    assert owner.get("/account").status_code == 200


def test_becoming_verified_gives_the_browser_a_new_token(visitor: Visitor) -> None:
    visitor.register("li_shili", PHONE)
    before = token(visitor)
    assert visitor.verify(LI).status_code == 303
    after = token(visitor)
    assert after != before
    thief = Visitor(visitor.app)
    thief.http.set_cookie("login", before)
    assert thief.get("/account").location == "/login"
    visitor.get("/account")
    assert token(visitor) == after


def test_a_new_password_gives_the_browser_a_new_token(person: Visitor) -> None:
    before = token(person)
    new = "Neue#2026word"
    form = {"old_password": "Demo#2026pass", "password": new, "confirm_password": new}
    assert person.send("/account/security", form).status_code == 303
    assert token(person) != before
    assert person.get("/account").status_code == 200


def test_approving_renews_both_sides(owner: Visitor, applicant: Visitor) -> None:
    of_owner, of_applicant = token(owner), token(applicant)
    form = {"id": hidden(owner.get("/enterprise/handlers"), "id"), "decision": "approve"}
    assert owner.send("/enterprise/handlers", form).status_code == 303
    assert token(owner) != of_owner
    assert applicant.get("/account").status_code == 200
    assert token(applicant) != of_applicant
    assert applicant.get("/account").status_code == 200
    assert APPLICATION["enterprise_name"] == LEGAL["enterprise_name"]


def test_a_role_given_by_somebody_else_renews_the_token_at_the_next_page(app: Flask, person: Visitor) -> None:
    before = token(person)
    platform = app.extensions["idp"]
    with app.app_context():
        account_id = accounts.find_account_id(platform, "li_shili")
        assert account_id is not None
        accounts.set_platform_role(platform, account_id, "administrator", True, internal_origin("test"))
    form = hidden(person.get("/account"), "csrf_token")
    assert token(person) != before
    assert person.http.post("/logout", data={"csrf_token": form}).status_code == 303
