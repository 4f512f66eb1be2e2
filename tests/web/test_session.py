from __future__ import annotations

import pytest

from tests.web.conftest import MakeApp
from tests.web.visitor import Visitor

PROTECTED = [
    "/account",
    "/account/verification",
    "/account/handler-applications",
    "/account/enterprise",
    "/account/sessions",
    "/account/consents",
    "/account/security",
    "/enterprise/handlers",
    "/admin",
    "/admin/clients",
    "/admin/clients/new",
    "/admin/accounts",
    "/admin/reviews",
    "/admin/audit",
    "/admin/keys",
    "/admin/deliveries",
]


@pytest.mark.parametrize("path", PROTECTED)
def test_strangers_are_sent_to_sign_in_without_a_way_back(visitor: Visitor, path: str) -> None:
    answer = visitor.get(path)
    assert (answer.status_code, answer.location) == (303, "/login")


@pytest.mark.parametrize("token", ["", "x", "a" * 43, "ü" * 43, "a" * 4000])
def test_a_made_up_login_cookie_is_nobody(visitor: Visitor, token: str) -> None:
    visitor.http.set_cookie("login", token)
    assert visitor.get("/account").location == "/login"


def test_the_login_cookie_is_out_of_reach_of_scripts_and_other_sites(visitor: Visitor) -> None:
    visitor.register("li_shili", "19900001002")
    cookie = visitor.http.get_cookie("login")
    assert cookie is not None
    assert (cookie.http_only, cookie.same_site, cookie.path, cookie.secure) == (True, "Lax", "/", False)
    assert cookie.expires is None


def test_over_https_cookies_are_bound_to_the_host(make_app: MakeApp) -> None:
    visitor = Visitor(make_app(issuer="https://idp.example.test", throttle=False, captcha="off"))
    page = visitor.get("/login", base_url="https://idp.example.test")
    (cookie,) = page.headers.getlist("Set-Cookie")
    assert cookie.startswith("__Host-page=")
    assert all(word in cookie for word in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"))
    assert "Domain" not in cookie


def test_a_signed_in_person_goes_on_from_the_sign_in_page(person: Visitor) -> None:
    assert person.get("/login").location == "/account"


def test_another_device_can_be_signed_out_from_here(person: Visitor) -> None:
    other = Visitor(person.app)
    other.sign_in("li_shili", "19900001002")
    assert person.get("/account/sessions").text.count('name="session"') == 2
    (remote,) = set(_sids(person)) - {_own_sid(person)}
    assert person.send("/account/sessions", {"session": remote, "action": "end"}).status_code == 303
    assert other.get("/account").location == "/login"
    assert person.get("/account").status_code == 200


def test_nobody_ends_a_session_of_another_account(person: Visitor, owner: Visitor) -> None:
    (sid,) = _sids(owner)
    person.send("/account/sessions", {"session": sid, "action": "end"})
    assert owner.get("/account").status_code == 200


def _sids(visitor: Visitor) -> list[str]:
    page = visitor.get("/account/sessions").text
    return [part.partition('"')[0] for part in page.split('name="session" value="')[1:]]


def _own_sid(visitor: Visitor) -> str:
    page = visitor.get("/account/sessions").text
    return page.partition("本设备")[2].partition('name="session" value="')[2].partition('"')[0]
