from __future__ import annotations

from idp.domain.audit import internal_origin
from idp.services import clients, consents
from idp.services.authentication import find_login
from tests.web.visitor import PASSWORD, Visitor, problems

NEW = "Neue#2026word"


def consent(person: Visitor) -> None:
    platform = person.app.extensions["idp"]
    cookie = person.http.get_cookie("login")
    assert cookie is not None
    with person.app.app_context():
        origin = internal_origin("test")
        metadata = {"client_id": "example", "client_name": "示例业务系统"}
        clients.register(platform, metadata | {"redirect_uris": ["https://rp.example.test/"]}, origin)
        login = find_login(platform, cookie.value)
        assert login is not None
        consents.remember(login.account_id, "example", None, frozenset({"openid", "phone"}), origin)


def test_a_consent_is_told_in_words_and_can_be_taken_back(person: Visitor) -> None:
    consent(person)
    page = person.get("/account/consents").text
    assert all(text in page for text in ("示例业务系统", "您的手机号", "本人"))
    person.send("/account/consents", {"client_id": "example", "action": "withdraw"})
    page = person.get("/account/consents").text
    assert "已撤回授权" in page
    assert "还没有授权过业务系统" in page


def test_a_new_password_needs_the_old_one_and_ends_other_sessions(person: Visitor) -> None:
    other = Visitor(person.app)
    other.sign_in("li_shili", "19900001002")
    form = {"old_password": "Wrong#2026pw", "password": NEW, "confirm_password": NEW}
    page = person.send("/account/security", form)
    assert (page.status_code, problems(page)) == (422, ["原密码不正确"])
    assert NEW not in page.text
    assert person.send("/account/security", form | {"old_password": PASSWORD}).status_code == 303
    assert "密码已修改" in person.get("/account/security").text
    assert other.get("/account").location == "/login"


def test_the_account_page_masks_what_identifies(person: Visitor) -> None:
    page = person.get("/account").text
    for shown in ("*示例", "199****1002", "li_***@example.test"):
        assert shown in page
    for kept_back in ("李示例", "19900001002", "li_shili@example.test"):
        assert kept_back not in page


def test_the_user_centre_has_what_the_document_names(person: Visitor, owner: Visitor) -> None:
    for somebody, own in ((person, "经办人申请"), (owner, "经办人审核")):
        page = somebody.get("/account").text
        for text in ("☑已实名认证", "系统绑定", "切换企业", "账号设置", "实名认证", own):
            assert text in page
    page = person.get("/account").text
    assert "9****************7" in page
    for fact in ("账号", "姓名", "证件类型", "证件号码", "手机号", "邮箱"):
        assert f"<dt>{fact}</dt>" in page


def test_each_state_has_one_clear_next_step(visitor: Visitor, person: Visitor, owner: Visitor) -> None:
    visitor.register("newcomer", "19900001005")
    for somebody, next_step in ((visitor, "立即认证"), (person, "经办人申请"), (owner, "经办人审核")):
        page = somebody.get("/account").text
        _, button = page.split('class="btn btn-primary"')
        assert next_step in button[:120]
