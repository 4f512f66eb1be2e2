"""Signing in at smdvs and out again, and the provider's word that a session is over."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from clients.rp import clock
from clients.smdvs import cookies, sessions
from tests.clients.conftest import Browser, system_of
from tests.clients.provider import Person, TestProvider, follow


def signed_in(browser: Browser) -> bool:
    return browser.get("/smdvs/reports").status_code == 200


def csrf(browser: Browser) -> str:
    return browser.get("/smdvs/").text.split('name="csrf_token" value="', 1)[1].split('"', 1)[0]


def backchannel(browser: Browser, token: str) -> TestResponse:
    return browser.http.post("/smdvs/backchannel-logout", data={"logout_token": token})


def sid_of(smdvs: Flask, sub: str) -> str:
    from clients.smdvs.storage.sessions import list_sessions

    with system_of(smdvs).database.reading() as session:
        return list_sessions(session, sub)[-1].sid or ""


def test_the_cookies_are_out_of_reach_of_scripts_and_other_sites(browser: Browser) -> None:
    answer = browser.sign_in()
    set_cookies = [
        value for name, value in answer.headers if name == "Set-Cookie" and "Max-Age=0" not in value
    ]
    assert any(value.startswith(cookies.SESSION) for value in set_cookies)
    for value in set_cookies:
        assert "HttpOnly" in value
        assert "SameSite=Lax" in value
        assert "Path=/smdvs/" in value


def test_the_database_knows_neither_cookie_nor_token(
    browser: Browser, smdvs: Flask, provider: TestProvider
) -> None:
    answer = browser.sign_in()
    cookie = next(v for n, v in answer.headers if n == "Set-Cookie" and v.startswith(cookies.SESSION))
    value = cookie.split("=", 1)[1].split(";")[0]
    with system_of(smdvs).database.engine.connect() as connection:
        rows = str(connection.exec_driver_sql("SELECT * FROM browser_sessions").all())
    assert value not in rows
    assert "李示例" not in rows
    assert not [token for token in (*provider.tokens, *provider.refreshes) if token in rows]


@pytest.mark.parametrize(
    ("then", "location"),
    [
        ("", "/smdvs/reports"),
        ("new", "/smdvs/reports/new"),
        ("SMDVS-20261123-0001", "/smdvs/reports/SMDVS-20261123-0001"),
        ("//evil.example", "/smdvs/reports"),
        ("https://evil.example/", "/smdvs/reports"),
        ("SMDVS-20261123-0001/../../x", "/smdvs/reports"),
    ],
)
def test_after_sign_in_one_lands_on_our_own_pages_only(browser: Browser, then: str, location: str) -> None:
    assert browser.sign_in(path=f"/smdvs/login?then={then}").location == location


def test_an_answer_that_another_browser_began_is_refused(browser: Browser, smdvs: Flask) -> None:
    back = urlsplit(follow(browser.get("/smdvs/login").location))
    stranger = smdvs.test_client().get(f"{back.path}?{back.query}")
    assert stranger.status_code == 400
    assert "Set-Cookie" not in stranger.headers


def test_an_answer_is_good_once(browser: Browser) -> None:
    back = urlsplit(follow(browser.get("/smdvs/login").location))
    assert browser.get(f"{back.path}?{back.query}").status_code == 303
    assert browser.get(f"{back.path}?{back.query}").status_code == 400


def test_two_windows_sign_in_side_by_side(browser: Browser) -> None:
    backs = [urlsplit(follow(browser.get("/smdvs/login").location)) for _ in range(2)]
    assert [browser.get(f"{back.path}?{back.query}").status_code for back in backs] == [303, 303]


def test_a_parameter_given_twice_is_refused(browser: Browser) -> None:
    back = urlsplit(follow(browser.get("/smdvs/login").location))
    assert browser.get(f"{back.path}?{back.query}&code=x").status_code == 400


def test_a_person_who_says_no_is_told_so(browser: Browser, provider: TestProvider) -> None:
    provider.answer_changes["response"] = lambda answer: {
        **{name: value for name, value in answer.items() if name != "code"},
        "error": "access_denied",
    }
    answer = browser.sign_in()
    assert answer.status_code == 403
    assert "没有同意授权" in answer.text


def test_an_answer_without_the_providers_name_is_refused(browser: Browser, provider: TestProvider) -> None:
    provider.answer_changes["response"] = lambda answer: {n: v for n, v in answer.items() if n != "iss"}
    assert browser.sign_in().status_code == 400
    assert not signed_in(browser)


def test_smdvs_serves_its_home_before_the_provider_is_up(
    browser: Browser, provider: TestProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clients.rp.discovery.RETRY_SECONDS", 0.0)
    provider.broken.add("discovery")
    assert browser.get("/smdvs/").status_code == 200
    assert browser.get("/smdvs/healthz").json == {"status": "ok"}
    refused = browser.get("/smdvs/login")
    assert refused.status_code == 503
    assert refused.headers["Retry-After"] == "5"
    provider.broken.clear()
    assert browser.sign_in().status_code == 303


def test_a_silent_userinfo_endpoint_does_not_keep_anyone_out(
    browser: Browser, provider: TestProvider
) -> None:
    provider.broken.add("userinfo")
    browser.sign_in()
    assert signed_in(browser)


def test_signing_out_ends_the_session_here_and_leads_to_the_provider(
    browser: Browser, provider: TestProvider
) -> None:
    browser.sign_in()
    answer = browser.http.post("/smdvs/logout", data={"csrf_token": csrf(browser)})
    assert answer.location.startswith(f"{provider.issuer}/logout?")
    sent = parse_qs(urlsplit(answer.location).query)
    assert sent["id_token_hint"][0].count(".") == 2
    assert sent["post_logout_redirect_uri"] == ["http://127.0.0.1:5001/smdvs/"]
    assert not signed_in(browser)
    assert "您已退出登录" in browser.get(f"/smdvs/?state={sent['state'][0]}").text


@pytest.mark.parametrize("token", ["", "x", "é"])
def test_another_sites_form_signs_nobody_out(browser: Browser, token: str) -> None:
    browser.sign_in()
    assert browser.http.post("/smdvs/logout", data={"csrf_token": token}).status_code == 400
    assert signed_in(browser)


def test_a_logout_token_ends_the_session_it_names_and_no_other(
    browser: Browser, smdvs: Flask, provider: TestProvider
) -> None:
    browser.sign_in()
    other = Browser(smdvs.test_client(), provider)
    first_sid = sid_of(smdvs, "person-1")
    other.sign_in()
    answer = backchannel(browser, provider.logout_token(sid=first_sid, sub="person-1"))
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert not signed_in(browser)
    assert signed_in(other)


def test_a_logout_token_without_sid_ends_all_sessions_of_the_account(
    browser: Browser, smdvs: Flask, provider: TestProvider
) -> None:
    browser.sign_in()
    legal = Browser(smdvs.test_client(), provider)
    legal.sign_in(Person.legal_person())
    assert backchannel(browser, provider.logout_token(sub="person-1")).status_code == 200
    assert not signed_in(browser)
    assert signed_in(legal)


def test_a_logout_token_counts_once(browser: Browser, provider: TestProvider) -> None:
    token = provider.logout_token(sub="person-1")
    assert backchannel(browser, token).status_code == 200
    browser.sign_in()
    again = backchannel(browser, token)
    assert again.status_code == 400
    assert again.headers["Cache-Control"] == "no-store"
    assert signed_in(browser)


def test_a_false_logout_token_ends_nothing(browser: Browser, provider: TestProvider) -> None:
    browser.sign_in()
    for token in (provider.logout_token(sub="person-1", nonce="n"), provider.access_token(), "x", ""):
        assert backchannel(browser, token).status_code == 400
    assert browser.http.post("/smdvs/backchannel-logout", json={"logout_token": "x"}).status_code == 400
    assert signed_in(browser)


def test_a_session_ends_when_it_is_idle_and_when_it_is_old(
    browser: Browser, smdvs: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = browser.sign_in()
    cookie = next(v for n, v in answer.headers if n == "Set-Cookie" and v.startswith(cookies.SESSION))
    value, started = cookie.split("=", 1)[1].split(";")[0], clock.now()
    system = system_of(smdvs)
    assert sessions.find(system, value, started + sessions.IDLE_TTL - timedelta(seconds=5)) is not None
    assert sessions.find(system, value, started + sessions.IDLE_TTL * 1.9) is not None
    assert sessions.find(system, value, started + sessions.IDLE_TTL * 3) is None
    assert sessions.find(system, value, started + sessions.ABSOLUTE_TTL) is None
    assert sessions.find(system, "another", started) is None
    assert sessions.find(system, None, started) is None


def test_each_sign_in_gets_a_new_session_and_ends_the_old(
    browser: Browser, smdvs: Flask, provider: TestProvider
) -> None:
    from clients.smdvs.storage.sessions import list_sessions

    browser.sign_in()
    browser.sign_in()
    with system_of(smdvs).database.reading() as session:
        assert len(list_sessions(session, "person-1")) == 1


def test_a_session_whose_key_is_lost_is_no_session(browser: Browser, smdvs: Flask) -> None:
    browser.sign_in()
    with system_of(smdvs).database.transaction() as session:
        session.execute(text("UPDATE browser_sessions SET person_sealed = 'lost.AAAA'"))
    assert browser.get("/smdvs/").status_code == 200
    assert not signed_in(browser)
