from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
from flask import Flask
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from idp import clock
from idp.services import factors
from idp.storage.accounts import Login
from idp.storage.database import reading, transaction
from idp.storage.factors import TotpSecret
from tests.web.conftest import MakeApp
from tests.web.test_step_up import grow_old
from tests.web.visitor import PASSWORD, Visitor, hidden, problems

TOTP = "/account/security/totp"
CODES = "/account/security/recovery-codes"
PASSKEYS = "/account/security/passkeys"
CONFIRM = "/account/confirm"
PHONE = "19900001077"


@pytest.fixture
def someone(app: Flask) -> Visitor:
    """A registered person: ``someone``."""
    someone = Visitor(app)
    someone.register("someone", PHONE)
    return someone


def set_up(visitor: Visitor, **fields: str) -> tuple[pyotp.TOTP, TestResponse]:
    """启用动态口令, and let half a minute pass, so that a fresh code can be used."""
    page = visitor.get(TOTP)
    secret = re.search(r'id="totp-secret">([A-Z2-7]{32})<', page.text)
    assert secret is not None
    app = pyotp.TOTP(secret.group(1))
    answer = visitor.send(TOTP, {"action": "confirm", "totp_code": app.at(clock.now()), **fields})
    rewind(visitor.app)
    return app, answer


def rewind(app: Flask) -> None:
    """As if no code had been used lately: tests don't wait for half a minute."""
    with app.app_context(), transaction() as session:
        session.execute(update(TotpSecret).values(last_step=0))


def sign_in(
    visitor: Visitor, code: str, password: str = PASSWORD, identifier: str = "someone"
) -> TestResponse:
    form = {"action": "login", "method": "totp", "identifier": identifier, "password": password}
    return visitor.send("/login", form | {"totp_code": code}, page="/login?method=totp")


def acr_of(app: Flask) -> list[str]:
    with app.app_context(), reading() as session:
        return list(
            session.scalars(select(Login.acr).where(Login.ended_at.is_(None)).order_by(Login.auth_time))
        )


def new_codes(visitor: Visitor) -> list[str]:
    answer = visitor.send(CODES, {"action": "renew"})
    assert answer.status_code == 303
    page, again = visitor.get(answer.location), visitor.get(answer.location)
    assert "只显示这一次" in page.text
    assert shown_codes(again) == []
    return shown_codes(page)


def shown_codes(page: TestResponse) -> list[str]:
    return re.findall(r'class="code">([0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4})<', page.text)


# --- setting up ---


def test_the_secret_is_shown_as_picture_and_as_text_and_never_in_an_address(someone: Visitor) -> None:
    page = someone.get(TOTP)
    assert re.search(r'<img src="data:image/svg\+xml[^"]+" alt="[^"]+"', page.text)
    assert "img-src 'self' data:" in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-store"
    _, answer = set_up(someone)
    assert urlsplit(answer.location).path == CODES
    page = someone.get(answer.location)
    assert "动态口令已启用" in page.text
    assert len(shown_codes(page)) == 10


def test_a_wrong_code_turns_nothing_on_and_keeps_the_secret(someone: Visitor) -> None:
    before = someone.get(TOTP).text
    page = someone.send(TOTP, {"action": "confirm", "totp_code": "000000"})
    assert page.status_code == 422
    assert "动态口令不正确" in problems(page)[0]
    secret = re.search(r'id="totp-secret">([A-Z2-7]{32})<', before)
    assert secret is not None
    assert secret.group(1) in page.text
    page = someone.send(TOTP, {"action": "confirm"})
    assert problems(page) == ["请输入动态口令"]


def test_a_change_of_factors_gives_the_login_a_new_token(someone: Visitor) -> None:
    old = someone.http.get_cookie("login")
    set_up(someone)
    new = someone.http.get_cookie("login")
    assert old is not None
    assert new is not None
    assert old.value != new.value


def test_from_a_page_that_needs_a_factor_the_person_comes_back_to_it(someone: Visitor) -> None:
    back = "/interaction/resume?request=abc"
    assert hidden(someone.get(f"{TOTP}?next={back}"), "next") == back
    _, answer = set_up(someone, next=back)
    assert parse_qs(urlsplit(answer.location).query)["next"] == [back]
    assert f'href="{back}"' in someone.get(answer.location).text
    assert "evil" not in someone.get(f"{CODES}?next=//evil.example/").text


def test_the_page_of_security_says_what_there_is(someone: Visitor) -> None:
    assert "未启用" in someone.get("/account/security").text
    set_up(someone)
    page = someone.get("/account/security").text
    assert "已启用" in page
    assert "剩余 10 个" in page


def test_pages_of_factors_are_for_whoever_has_just_signed_in(someone: Visitor, visitor: Visitor) -> None:
    for path in (TOTP, CODES, PASSKEYS):
        assert visitor.get(path).location == "/login"
    grow_old(someone.app)
    for path in (TOTP, CODES, PASSKEYS):
        assert urlsplit(someone.get(path).location).path == CONFIRM


# --- signing in ---


def test_the_sign_in_page_asks_for_the_code_without_javascript(someone: Visitor, app: Flask) -> None:
    page = Visitor(app).get("/login").text
    assert "改用动态口令登录" in page
    page = Visitor(app).get("/login?method=totp").text
    assert 'id="totp_code"' in page
    assert 'id="sms_code"' not in page
    assert {"identifier", "password", "login-submit", "login-page"} <= set(re.findall(r'id="([\w-]+)"', page))


def test_password_and_one_time_password_sign_in_strongly(someone: Visitor, app: Flask) -> None:
    totp, _ = set_up(someone)
    other = Visitor(app)
    assert sign_in(other, totp.at(clock.now())).location == "/account"
    assert acr_of(app)[-1] == "urn:gsp:acr:2fa-crypto"
    assert "动态口令" in other.get("/account/sessions").text


def test_whatever_is_wrong_is_answered_alike(someone: Visitor, app: Flask) -> None:
    totp, _ = set_up(someone)
    other = Visitor(app)
    wrong_code = f"{(int(totp.at(clock.now())) + 1) % 10**6:06}"
    answers = [
        sign_in(other, wrong_code),
        sign_in(other, totp.at(clock.now()), "Wrong#2026pass"),
        other.send(
            "/login",
            {
                "action": "login",
                "method": "totp",
                "identifier": "nobody_1",
                "password": PASSWORD,
                "totp_code": "1",
            },
        ),
    ]
    assert {answer.status_code for answer in answers} == {422}
    assert {problems(answer)[0] for answer in answers} == {"登录信息不正确，请核对账号、密码和验证码后重试"}
    assert all('id="totp_code"' in answer.text for answer in answers)
    assert problems(sign_in(other, ""))[0] == "请输入动态口令"


def test_a_recovery_code_signs_in_and_lets_the_factor_be_replaced(someone: Visitor, app: Flask) -> None:
    totp, _ = set_up(someone)
    confirm_by(someone, totp)
    codes = new_codes(someone)
    assert len(codes) == 10
    other = Visitor(app)
    assert sign_in(other, codes[0]).location == "/account"
    assert acr_of(app)[-1] == "urn:gsp:acr:2fa"
    assert other.send(TOTP, {"action": "remove"}).location == "/account/security"
    assert "动态口令已停用" in other.get("/account/security").text
    set_up(other)


# --- showing it again ---


def confirm_by(visitor: Visitor, totp: pyotp.TOTP, purpose: str = "factors") -> TestResponse:
    rewind(visitor.app)
    form = {"action": "confirm", "method": "totp", "purpose": purpose, "next": TOTP, "password": PASSWORD}
    page = f"{CONFIRM}?purpose={purpose}&next={TOTP}"
    return visitor.send(CONFIRM, form | {"totp_code": totp.at(clock.now())}, page=page)


def test_an_sms_is_not_enough_to_change_a_factor(someone: Visitor, app: Flask) -> None:
    totp, _ = set_up(someone)
    answer = someone.get(TOTP)
    assert urlsplit(answer.location).path == CONFIRM
    page = someone.get(answer.location)
    assert 'id="totp_code"' in page.text
    assert "改用短信验证码" not in page.text
    someone.send(CONFIRM, {"action": "send_code"}, page=answer.location)
    by_sms = {"action": "confirm", "method": "sms", "purpose": "factors", "password": PASSWORD}
    page = someone.send(CONFIRM, by_sms | {"sms_code": someone.code(PHONE)}, page=answer.location)
    assert page.status_code == 422
    answer = confirm_by(someone, totp)
    assert (answer.status_code, answer.location) == (303, TOTP)
    assert acr_of(app) == ["urn:gsp:acr:2fa-crypto"]
    assert someone.send(TOTP, {"action": "remove"}).location == "/account/security"


def test_a_strong_sign_in_is_not_confirmed_by_sms(someone: Visitor, app: Flask) -> None:
    totp, _ = set_up(someone)
    confirm_by(someone, totp)
    grow_old(app)
    page = someone.get(CONFIRM)
    assert 'id="totp_code"' in page.text
    assert "改用短信验证码" not in page.text
    assert confirm_by(someone, totp, "").status_code == 303
    assert acr_of(app) == ["urn:gsp:acr:2fa-crypto"]


def test_for_other_acts_sms_and_code_are_both_offered(someone: Visitor, app: Flask) -> None:
    set_up(someone)
    grow_old(app)
    page = someone.get(f"{CONFIRM}?next=/account")
    assert "改用动态口令或恢复码" in page.text
    page = someone.get(f"{CONFIRM}?next=/account&method=totp")
    assert "改用短信验证码" in page.text
    assert hidden(page, "method") == "totp"


# --- administrators ---


@pytest.fixture
def strict(make_app: MakeApp) -> Visitor:
    """An administrator where administrators must sign in strongly."""
    app = make_app(throttle=False, captcha="off", admin_acr="2fa-crypto")
    administrator = Visitor(app)
    administrator.register("someone", PHONE)
    administrator.become_administrator("someone")
    return administrator


def test_an_administrator_without_a_factor_is_led_to_set_one_up(strict: Visitor) -> None:
    answer = strict.get("/admin")
    assert (answer.status_code, answer.location) == (303, "/account/security")
    assert "请先在这里设置一种" in strict.get("/account/security").text
    totp, _ = set_up(strict)
    answer = strict.get("/admin/audit")
    assert urlsplit(answer.location).path == CONFIRM
    assert "管理功能要求更强的登录方式" in strict.get(answer.location).text
    rewind(strict.app)
    form = {"action": "confirm", "method": "totp", "purpose": "administration", "next": "/admin/audit"}
    code = {"password": PASSWORD, "totp_code": totp.at(clock.now())}
    assert strict.send(CONFIRM, form | code, page=answer.location).location == "/admin/audit"
    assert strict.get("/admin/audit").status_code == 200


def test_a_recovery_code_is_no_way_into_the_administration(strict: Visitor) -> None:
    totp, _ = set_up(strict)
    confirm_by(strict, totp)
    code = new_codes(strict)[0]
    other = Visitor(strict.app)
    assert sign_in(other, code).location == "/account"
    assert urlsplit(other.get("/admin").location).path == CONFIRM
    again = new_codes(strict)[0]
    form = {"action": "confirm", "method": "totp", "purpose": "administration", "password": PASSWORD}
    for purpose, status in (("administration", 422), ("factors", 303)):  # it isn't used up in vain
        fields = form | {"purpose": purpose, "totp_code": again}
        assert other.send(CONFIRM, fields, page=f"{CONFIRM}?purpose=administration").status_code == status


def test_who_is_no_administrator_is_told_so_first(make_app: MakeApp) -> None:
    visitor = Visitor(make_app(throttle=False, captcha="off", admin_acr="2fa-crypto"))
    visitor.register("someone", PHONE)
    assert visitor.get("/admin").status_code == 403


# --- hostile ---


@pytest.mark.parametrize("path", [TOTP, PASSKEYS])
def test_a_form_of_another_site_changes_nothing(someone: Visitor, path: str) -> None:
    set_up(someone)
    confirm_by(someone, pyotp.TOTP(_secret(someone)))
    assert someone.http.post(path, data={"action": "remove", "id": "x"}).status_code == 400
    assert someone.http.post(CODES, data={"action": "renew"}).status_code == 400
    with someone.app.app_context(), reading() as session:
        account_id = session.scalars(select(TotpSecret.account_id)).one()
        has = factors.overview(account_id)
    assert has.totp_since is not None
    assert has.recovery_codes_left == 10


def _secret(visitor: Visitor) -> str:
    with visitor.app.app_context(), reading() as session:
        sealed = session.scalars(select(TotpSecret.secret_encrypted)).one()
        keyring = visitor.app.extensions["idp"].keyring
        return str(keyring.fields.decrypt(sealed, "totp_secrets.secret"))


def test_nobody_removes_what_is_not_theirs(someone: Visitor) -> None:
    for row in ("", "x" * 22, "x" * 5000):
        assert someone.send(PASSKEYS, {"action": "remove", "id": row}).status_code == 303
        assert "没有找到这条记录" in someone.get(PASSKEYS).text
    assert someone.send(TOTP, {"action": "remove"}).status_code == 303
