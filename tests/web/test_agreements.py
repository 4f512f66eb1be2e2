from __future__ import annotations

from flask import Flask
from sqlalchemy import select, update

from idp.domain.agreements import CURRENT
from idp.storage.accounts import Account
from idp.storage.agreements import Agreement
from idp.storage.database import reading, transaction
from tests.web.visitor import LI, Visitor, hidden, picture

PHONE = "19900001002"


def make_old(app: Flask) -> None:
    with app.app_context(), transaction() as session:
        session.execute(update(Agreement).values(version="2020-01-01"))
        session.execute(update(Account).values(agreed_versions="2020-01-01+2020-01-01"))


def consents(app: Flask) -> list[str]:
    with app.app_context(), reading() as session:
        return list(session.scalars(select(Agreement.version).where(Agreement.document == "identity")))


def test_a_new_version_is_asked_for_before_going_on(app: Flask, person: Visitor) -> None:
    make_old(app)
    assert person.get("/account/sessions").location == "/account/agreements?next=/account/sessions"
    page = person.get("/account/agreements?next=/account/sessions")
    assert all(name in page.text for name in ("用户服务协议", "隐私政策", CURRENT["privacy"]))
    form = {"action": "accept", "next": hidden(page, "next")}
    answer = person.send("/account/agreements", form, page="/account/agreements?next=/account/sessions")
    assert answer.location == "/account/sessions"
    assert person.get("/account/sessions").status_code == 200
    assert person.get("/account/agreements").location == "/account/consents"


def test_who_does_not_agree_may_take_the_data_along_and_leave(app: Flask, person: Visitor) -> None:
    make_old(app)
    assert person.send("/account/export", {"action": "download"}).status_code == 200
    assert person.get("/account/deletion").status_code == 200
    assert person.send("/logout", {}, page="/account/deletion").status_code == 303


def test_what_is_just_being_sent_is_not_lost(app: Flask, person: Visitor) -> None:
    token = hidden(person.get("/account"), "csrf_token")
    make_old(app)
    answer = person.http.post("/account/sessions", data={"csrf_token": token, "action": "end_others"})
    assert answer.location == "/account/sessions"


def test_it_leads_nowhere_else(app: Flask, person: Visitor) -> None:
    make_old(app)
    form = {"action": "accept", "next": "https://evil.example/"}
    assert person.send("/account/agreements", form).location == "/account"


def test_the_terms_tell_their_versions(visitor: Visitor) -> None:
    page = visitor.get("/terms").text
    assert page.count(CURRENT["terms"]) >= 3
    assert all(text in page for text in ("12381", "单独同意", "6 个月", "30 天"))


def test_pressing_the_button_below_the_text_is_the_separate_consent(app: Flask, visitor: Visitor) -> None:
    visitor.register("li_shili", PHONE)
    page = visitor.get("/account/verification?subject_type=natural_person")
    assert "处理身份证件信息的单独同意" in page.text
    shown = {"identity_consent_shown": hidden(page, "identity_consent_shown")}
    assert visitor.verify(LI, **shown).status_code == 303
    assert consents(app) == [CURRENT["identity"]]
    assert "您认证时没有记录到这项同意" not in visitor.get("/account/consents").text


def test_a_program_that_sends_the_fields_alone_is_verified_and_nothing_is_made_up(
    app: Flask, person: Visitor
) -> None:
    assert consents(app) == []
    page = person.get("/account/consents").text
    assert "您认证时没有记录到这项同意" in page
    person.send("/account/agreements", {"action": "consent_identity"}, page="/account/consents")
    assert consents(app) == [CURRENT["identity"]]


def test_asking_for_another_picture_is_no_consent(app: Flask, visitor: Visitor) -> None:
    visitor.register("li_shili", PHONE)
    shown = {"identity_consent_shown": CURRENT["identity"], "document_scan": (picture(), "scan.png")}
    form = {**LI, **shown, "action": "new_captcha"}
    visitor.send("/account/verification", form, page="/account/verification?subject_type=natural_person")
    assert consents(app) == []


def test_taking_it_back_makes_unverified_again(person: Visitor) -> None:
    answer = person.send("/account/agreements", {"action": "withdraw_identity"}, page="/account/consents")
    assert answer.location == "/account/consents"
    assert "已撤回，身份信息和证件扫描件已删除" in person.get("/account/consents").text
    assert "未认证" in person.get("/account").text
    assert person.verify(LI).status_code == 303


def test_an_enterprise_is_shown_the_way(owner: Visitor) -> None:
    page = owner.get("/account/consents").text
    assert "撤回即不再代表企业" in page
    assert 'value="withdraw_identity"' not in page
    owner.send("/account/agreements", {"action": "withdraw_identity"}, page="/account/consents")
    assert "法人账号不能单独撤回" in owner.get("/account/consents").text
