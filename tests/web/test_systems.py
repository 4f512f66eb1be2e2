from __future__ import annotations

from idp.services import consents
from idp.services.authentication import find_login
from tests.web.test_home import ORIGIN, register_client
from tests.web.visitor import Visitor


def bind(somebody: Visitor, client_id: str) -> None:
    platform = somebody.app.extensions["idp"]
    cookie = somebody.http.get_cookie("login")
    assert cookie is not None
    with somebody.app.app_context():
        login = find_login(platform, cookie.value)
        assert login is not None
        consents.remember(login.account_id, client_id, None, frozenset({"openid", "phone"}), ORIGIN)


def test_a_bound_system_is_told_in_words_and_unbound(person: Visitor) -> None:
    register_client(person.app)
    bind(person, "smdvs")
    page = person.get("/account/systems").text
    for text in ("新能源汽车事故上报平台", "您的手机号", "本人", "解除绑定"):
        assert text in page
    assert "可添加的业务系统" not in page
    assert person.send("/account/systems", {"client_id": "smdvs"}).status_code == 303
    page = person.get("/account/systems").text
    assert "已解除绑定" in page
    assert "可添加的业务系统" in page


def test_what_may_be_added_says_what_it_needs(visitor: Visitor, person: Visitor, owner: Visitor) -> None:
    register_client(person.app)
    register_client(person.app, client_id="open", client_name="无需授权的系统", matters=[], scope="openid")
    visitor.register("newcomer", "19900001005")
    for somebody, says in ((visitor, "须先完成实名认证"), (person, "您目前没有可代表的企业")):
        page = somebody.get("/account/systems").text
        assert says in page
        assert page.count(">添加<") == 1
    assert owner.get("/account/systems").text.count(">添加<") == 2


def test_only_ones_own_binding_can_be_ended(person: Visitor, owner: Visitor) -> None:
    register_client(person.app)
    bind(person, "smdvs")
    assert owner.send("/account/systems", {"client_id": "smdvs"}).status_code == 303
    assert "已解除绑定" not in owner.get("/account/systems").text
    assert "解除绑定" in person.get("/account/systems").text


def test_without_a_login_there_is_the_sign_in_page(visitor: Visitor) -> None:
    assert visitor.get("/account/systems").location == "/login"
