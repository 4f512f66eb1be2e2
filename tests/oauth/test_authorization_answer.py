from __future__ import annotations

import re
from html import unescape

import pytest

from tests.oauth.browser import Browser, answer_of, hidden_fields, own_form
from tests.oauth.conftest import RegisterClient, Scene
from tests.oauth.relying_party import ISSUER, REDIRECT_URI, RelyingParty


@pytest.mark.checklist(43)
def test_success_is_code_state_and_issuer_by_303(scene: Scene) -> None:
    response = scene.browser.authorize(scene.rp)
    assert response.status_code == 303
    assert response.location.startswith(f"{REDIRECT_URI}?")
    answer = answer_of(response)
    assert answer.keys() == {"code", "state", "iss"}
    assert answer["iss"] == ISSUER
    assert re.fullmatch(r"[A-Za-z0-9._~-]{43,}", answer["code"])


@pytest.mark.checklist(43)
def test_every_code_is_another(scene: Scene) -> None:
    codes = [scene.browser.code_for(scene.rp) for _ in range(3)]
    assert len({code[:22] for code in codes}) == 3
    assert len({code[22:] for code in codes}) == 3


@pytest.mark.checklist(17)
def test_a_query_of_the_redirect_uri_is_kept(register: RegisterClient, scene: Scene) -> None:
    rp = register(redirect_uris=["https://rp.example/cb?tenant=1&x=%20"])
    scene.browser.allow(rp, scene.account_id, scene.enterprise_id)
    location = scene.browser.authorize(rp).location
    assert location.startswith("https://rp.example/cb?tenant=1&x=%20&code=")
    assert location.count("?") == 1
    assert rp.redeem(answer_of(scene.browser.authorize(rp))["code"]).status_code == 200


def test_a_private_scheme_and_a_free_loopback_port_of_a_native_client_work(
    register: RegisterClient, scene: Scene
) -> None:
    app = register(
        application_type="native",
        redirect_uris=["com.example.app:/cb", "http://127.0.0.1/cb"],
        token_endpoint_auth_method="none",
    )
    scene.browser.allow(app, scene.account_id, scene.enterprise_id)
    assert scene.browser.authorize(app).location.startswith("com.example.app:/cb?code=")
    response = scene.browser.authorize(app, redirect_uri="http://127.0.0.1:51234/cb")
    assert response.location.startswith("http://127.0.0.1:51234/cb?code=")


@pytest.mark.checklist(44)
def test_form_post_is_a_page_that_posts_the_answer(scene: Scene) -> None:
    state = "中 \"'<>&=%20+\\"
    page = scene.browser.authorize(scene.rp, response_mode="form_post", state=state)
    assert page.status_code == 200
    assert page.mimetype == "text/html"
    assert "Location" not in page.headers
    assert page.headers["Cache-Control"] == "no-store"
    form = own_form(page.text)
    assert form.startswith(f'<form method="post" action="{REDIRECT_URI}"')
    fields = hidden_fields(page.text)
    assert fields.keys() == {"code", "state", "iss"}
    assert (fields["state"], fields["iss"]) == (state, ISSUER)
    assert re.search(r'<button[^>]*type="submit"', form)
    assert fields["code"] not in page.headers.get("Location", "")
    assert scene.rp.redeem(fields["code"]).status_code == 200


@pytest.mark.checklist(44, 46)
def test_the_policy_of_the_form_post_page_lets_it_reach_the_client(scene: Scene) -> None:
    page = scene.browser.authorize(scene.rp, response_mode="form_post")
    policy = page.headers["Content-Security-Policy"]
    assert re.search(r"form-action 'self' https://rp\.example[; ]", policy)
    assert "script-src 'self'" in policy
    assert "unsafe-inline" not in policy
    assert not re.search(r"<script(?![^>]*src=)|onload=", page.text)


@pytest.mark.checklist(44)
def test_errors_go_by_form_post_too(scene: Scene) -> None:
    page = scene.browser.authorize(scene.rp, response_mode="form_post", prompt="none login")
    assert (page.status_code, page.mimetype) == (200, "text/html")
    assert hidden_fields(page.text).keys() == {"error", "error_description", "state", "iss"}
    page = scene.browser.authorize(scene.rp, response_mode="form_post", response_type="token")
    assert hidden_fields(page.text)["error"] == "unsupported_response_type"


@pytest.mark.checklist(44)
def test_a_redirect_uri_is_escaped_in_the_form(register: RegisterClient, scene: Scene) -> None:
    rp = register(redirect_uris=["https://rp.example/cb?a=1&b='2'"])
    scene.browser.allow(rp, scene.account_id, scene.enterprise_id)
    page = scene.browser.authorize(rp, response_mode="form_post")
    action = re.search(r'action="([^"]*)"', own_form(page.text))
    assert action
    assert unescape(action[1]) == "https://rp.example/cb?a=1&b='2'"


@pytest.mark.checklist(46)
def test_the_policy_of_every_page_on_the_way_lets_its_redirect_reach_the_client(
    rp: RelyingParty, browser: Browser
) -> None:
    page = browser.get(browser.authorize(rp).location)
    assert re.search(r"form-action 'self' https://rp\.example[; ]", page.headers["Content-Security-Policy"])


@pytest.mark.checklist(46)
def test_the_policy_names_a_native_clients_scheme(register: RegisterClient, browser: Browser) -> None:
    app = register(application_type="native", redirect_uris=["com.example.app:/cb"])
    page = browser.get(browser.authorize(app).location)
    assert "form-action 'self' com.example.app:;" in page.headers["Content-Security-Policy"]


@pytest.mark.checklist(43)
def test_the_referrer_is_not_told_to_the_client(scene: Scene) -> None:
    response = scene.browser.authorize(scene.rp)
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert "no-store" in response.headers["Cache-Control"]
