from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from idp import clock
from idp.domain import throttling
from idp.domain.upstream import SIGN_IN_TTL
from idp.oauth.upstream import sign_in
from idp.services.platform import Platform
from idp.web import national
from tests.oauth.people import People
from tests.oauth.upstream.guest import (
    INVALID,
    TWO_FACTORS,
    Guest,
    add_li,
    assert_refused,
    title,
    trail,
)
from tests.oauth.upstream.other_platform import SECRET, OtherPlatform
from tests.services.conftest import MovableClock


def test_the_link_is_shown_where_there_is_somewhere_to_go(make_app: Callable[..., Flask], app: Flask) -> None:
    assert "国家政务服务平台账号登录" in app.test_client().get("/login").text
    elsewhere = make_app().test_client()
    assert "账号登录</button>" not in elsewhere.get("/login").text
    assert 'href="/help#national">国家政务服务平台账号登录</a>' in elsewhere.get("/login").text
    assert 'id="national"' in elsewhere.get("/help").text
    for path in ("/login/national/callback", "/login/national/code", "/login/national/jwks.json"):
        assert elsewhere.get(path).status_code == 404


def test_the_other_platform_has_the_name_that_is_set(make: Callable[..., Flask]) -> None:
    assert "省级平台账号登录" in make(upstream_name="省级平台").test_client().get("/login").text


@pytest.mark.usefixtures("li")
def test_a_person_signs_in_there_and_is_signed_in_here(
    guest: Guest, upstream: OtherPlatform, platform: Platform, li: str
) -> None:
    response = guest.walk(upstream)
    assert (response.status_code, response.location) == (303, "/account")
    login = guest.login()
    assert login is not None
    assert (login.account_id, login.acr, login.amr) == (li, TWO_FACTORS, ("pwd", "sms", "mfa"))
    assert trail(platform)[-1].result == "success"
    assert [entry.account_id for entry in trail(platform, "upstream:link")] == [li]


def test_the_login_is_as_old_as_the_sign_in_there(
    guest: Guest, upstream: OtherPlatform, li: str, time: MovableClock
) -> None:
    upstream.auth_age = 3600
    guest.walk(upstream)
    login = guest.login()
    assert login is not None
    assert login.auth_time == int(time.now().timestamp()) - 3600
    assert login.created_at == time.now()


def test_the_request_is_as_strict_as_it_can_be(guest: Guest, upstream: OtherPlatform, li: str) -> None:
    first, second = guest.depart(), guest.depart()
    upstream.answer(first)
    asked = upstream.asked
    assert asked["response_type"] == "code"
    assert asked["redirect_uri"] == "http://127.0.0.1:5000/login/national/callback"
    assert asked["scope"] == "openid enterprise identity_document verified_claims"
    assert asked["code_challenge_method"] == "S256"
    assert asked["acr_values"] == TWO_FACTORS
    assert "cn_gov_real_name" in asked["claims"]
    upstream.answer(second)
    for name in ("state", "nonce", "code_challenge"):
        assert len(asked[name]) >= 43
        assert asked[name] != upstream.asked[name]
    assert not {"prompt", "max_age", "login_hint"} & asked.keys()


def test_without_pushed_requests_it_travels_in_the_address(
    guest: Guest, upstream: OtherPlatform, li: str
) -> None:
    upstream.pushes = False
    upstream.metadata = {"authorization_endpoint": f"{upstream.issuer}/authorization?tenant=1"}
    address = guest.depart()
    assert parse_qs(urlsplit(address).query)["tenant"] == ["1"]
    assert guest.back(upstream.answer(address)).location == "/account"
    assert "/par" not in upstream.calls


def test_a_secret_is_sent_as_the_specification_encodes_it(
    make: Callable[..., Flask], upstream: OtherPlatform
) -> None:
    app = make(upstream_client_secret=SECRET)
    platform: Platform = app.extensions["idp"]
    with app.app_context():
        add_li(People(platform), platform)
        assert Guest(app).walk(upstream).location == "/account"


def test_a_form_that_is_not_ours_leads_nowhere(app: Flask, upstream: OtherPlatform) -> None:
    response = app.test_client().post("/login/national", data={"csrf_token": "forged"})
    assert response.status_code == 400
    assert upstream.calls == []
    assert app.test_client().get("/login/national").status_code == 405


def test_an_address_can_not_begin_without_end(
    app: Flask, upstream: OtherPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = replace(throttling.UPSTREAM_OF_ADDRESS, most=0)
    monkeypatch.setattr(national, "UPSTREAM_OF_ADDRESS", limit)
    monkeypatch.setattr("idp.services.throttling._holds", lambda *_: True)
    page = Guest(app).press()
    assert (page.status_code, title(page)) == (429, "操作过于频繁")
    assert int(page.headers["Retry-After"]) > 0
    assert upstream.calls == []


def test_an_answer_counts_once(guest: Guest, upstream: OtherPlatform, platform: Platform, li: str) -> None:
    query = upstream.answer(guest.depart())
    assert guest.back(query).location == "/account"
    before = list(upstream.calls)
    replayed = guest.back(query)
    assert (replayed.status_code, title(replayed)) == (400, "本次登录已失效")
    assert upstream.calls == before
    assert trail(platform)[-1].result == "upstream_expired"


def test_an_answer_for_another_browser_counts_there_and_only_there(
    app: Flask, upstream: OtherPlatform, platform: Platform, li: str
) -> None:
    victim, attacker = Guest(app), Guest(app)
    query = upstream.answer(attacker.depart())
    assert_refused(victim, victim.back(query), platform, "upstream_expired")
    victim.depart()
    assert_refused(victim, victim.back(query), platform, "upstream_expired")
    assert attacker.back(query).location == "/account"


def test_an_answer_ten_minutes_later_comes_too_late(
    guest: Guest, upstream: OtherPlatform, platform: Platform, li: str, time: MovableClock
) -> None:
    query = upstream.answer(guest.depart())
    time.advance(minutes=10, seconds=1)
    assert_refused(guest, guest.back(query), platform, "upstream_expired")


@pytest.mark.parametrize("query", ["", "state=x", "code=x", "state=&code=x", "state=%00", "state=a&state=b"])
def test_an_answer_that_nobody_asked_for_is_none(guest: Guest, upstream: OtherPlatform, query: str) -> None:
    guest.depart()
    calls = list(upstream.calls)
    assert guest.back(query).status_code == 400
    assert guest.login() is None
    assert upstream.calls == calls


@pytest.mark.parametrize("issuer", ["https://evil.example", "", None])
def test_an_answer_of_another_provider_is_refused_before_anything_is_sent(
    guest: Guest, upstream: OtherPlatform, platform: Platform, li: str, issuer: str | None
) -> None:
    query = upstream.answer(guest.depart(), iss=issuer)
    calls = list(upstream.calls)
    assert_refused(guest, guest.back(query), platform, INVALID)
    assert trail(platform)[-1].detail["reason"] == "iss"
    assert upstream.calls == calls


def test_a_provider_that_never_tells_its_name_need_not(
    guest: Guest, upstream: OtherPlatform, li: str
) -> None:
    upstream.metadata = {"authorization_response_iss_parameter_supported": None}
    assert guest.back(upstream.answer(guest.depart(), iss=None)).location == "/account"


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        ("access_denied", "upstream_denied", 403),
        ("server_error", "upstream_unavailable", 503),
        ("temporarily_unavailable", "upstream_unavailable", 503),
        ("invalid_scope", "upstream_unavailable", 503),
        ("<script>", "upstream_unavailable", 503),
    ],
)
def test_an_error_from_there_ends_on_a_calm_page(
    guest: Guest, upstream: OtherPlatform, platform: Platform, li: str, error: str, code: str, status: int
) -> None:
    page = guest.back(upstream.answer(guest.depart(), code=None, error=error, error_description="<b>x</b>"))
    assert page.status_code == status
    assert "<b>x</b>" not in page.text
    assert_refused(guest, page, platform, code)


def test_an_answer_without_a_code_is_none(
    guest: Guest, upstream: OtherPlatform, platform: Platform, li: str
) -> None:
    assert_refused(guest, guest.back(upstream.answer(guest.depart(), code=None)), platform, INVALID)


def test_an_attempt_that_this_installation_has_not_sealed_is_none(platform: Platform) -> None:
    platform.ephemeral.put(sign_in._key("state", "browser"), b"kid.AAAA", SIGN_IN_TTL)
    assert sign_in.take_attempt(platform, "state", "browser") is None


@pytest.mark.parametrize("status", ["dormant", "leaving"])
def test_an_account_that_sleeps_or_is_leaving_may_come_back(
    guest: Guest, upstream: OtherPlatform, people: People, platform: Platform, status: str
) -> None:
    add_li(people, platform, status=status, deletion_requested_at=clock.now())
    response = guest.walk(upstream)
    assert (response.status_code, response.location) == (303, "/login/revival")
    assert guest.login() is None
    assert guest.http.get(response.location).status_code == 200


def test_a_frozen_account_is_told_so(
    guest: Guest, upstream: OtherPlatform, people: People, platform: Platform
) -> None:
    add_li(people, platform, status="frozen")
    assert_refused(guest, guest.walk(upstream), platform, "account_frozen")
