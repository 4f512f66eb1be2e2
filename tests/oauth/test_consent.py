from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import delete

from idp.services import clients, consents
from idp.services.platform import Platform
from idp.storage.clients import Client as ClientRow
from idp.storage.database import transaction
from tests.oauth.browser import ORIGIN, Browser, answer_of, hidden_fields, page_of
from tests.oauth.conftest import RegisterClient, Scene, both_backends
from tests.oauth.people import People
from tests.oauth.relying_party import ISSUER, RelyingParty, assert_error
from tests.services.conftest import MovableClock, at_once

SHOWN: dict[str, Any] = {
    "logo_uri": "https://rp.example/logo.png",
    "policy_uri": "https://rp.example/policy",
    "tos_uri": "https://rp.example/terms",
    "client_uri": "https://rp.example/",
}


@pytest.fixture
def stranger(register: RegisterClient) -> RelyingParty:
    """A client that nobody has allowed anything."""
    return register(client_name="另一业务系统<b>", **SHOWN)


def consent_page(scene: Scene, rp: RelyingParty, **changes: Any) -> str:
    response = scene.browser.authorize(rp, **changes)
    assert page_of(response) == "/interaction/consent"
    location: str = response.location
    return location


@pytest.mark.checklist(39)
def test_consent_names_the_client_and_what_is_asked(scene: Scene, stranger: RelyingParty) -> None:
    page = scene.browser.get(consent_page(scene, stranger, scope="openid email phone enterprise"))
    assert "另一业务系统&lt;b&gt;" in page.text
    assert "示例新能源汽车有限公司" in page.text
    assert "91990101MADEM00117" in page.text
    assert re.search(r'<img id="client-logo" src="https://rp\.example/logo\.png"', page.text)
    assert re.search(r'id="client-policy" href="https://rp\.example/policy"', page.text)
    assert re.search(r'id="client-tos" href="https://rp\.example/terms"', page.text)
    for word in ("邮箱", "手机"):
        assert word in page.text
    assert "img-src 'self' data: https://rp.example" in page.headers["Content-Security-Policy"]


@pytest.mark.checklist(39)
def test_the_sign_in_page_shows_the_client_too(browser: Browser, stranger: RelyingParty) -> None:
    page = browser.get(browser.authorize(stranger).location)
    for mark in ('id="client-logo"', 'id="client-policy"', 'id="client-tos"', "另一业务系统&lt;b&gt;"):
        assert mark in page.text


@pytest.mark.checklist(40)
@pytest.mark.parametrize("step", ["login", "consent"])
def test_pages_are_plain_forms_with_an_anti_forgery_value_and_safe_headers(
    scene: Scene, stranger: RelyingParty, step: str
) -> None:
    location = scene.browser.authorize(stranger, prompt="login" if step == "login" else None).location
    page = scene.browser.get(location)
    assert hidden_fields(page.text)["csrf_token"]
    assert page.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert not re.search(r"<script(?![^>]*src=)|\son[a-z]+=", page.text)


@pytest.mark.checklist(40)
def test_a_forged_consent_is_refused(scene: Scene, stranger: RelyingParty) -> None:
    location = consent_page(scene, stranger)
    request_id = hidden_fields(scene.browser.get(location).text)["request"]
    for csrf_token in ("", "forged"):
        form = {"request": request_id, "decision": "allow", "csrf_token": csrf_token}
        response = scene.browser.http.post("/interaction/consent", data=form)
        assert response.status_code == 400
        assert "code=" not in response.headers.get("Location", "")
    assert consents.list_of_account(scene.account_id)[0].client_id == scene.rp.client_id


@pytest.mark.pitfall(16)
@pytest.mark.checklist(38)
def test_refusing_consent_is_access_denied(scene: Scene, stranger: RelyingParty) -> None:
    answer = answer_of(scene.browser.press(consent_page(scene, stranger), decision="deny"))
    assert answer == {
        "error": "access_denied",
        "error_description": answer["error_description"],
        "state": "a-state",
        "iss": ISSUER,
    }
    assert page_of(scene.browser.authorize(stranger)) == "/interaction/consent"


@pytest.mark.checklist(38)
def test_cancelling_the_sign_in_is_access_denied(browser: Browser, rp: RelyingParty) -> None:
    response = browser.authorize(rp)
    answer = answer_of(browser.press(response.location, action="cancel"))
    assert (answer["error"], answer["state"], answer["iss"]) == ("access_denied", "a-state", ISSUER)


def test_consent_is_remembered_for_the_client_the_enterprise_and_the_scopes(
    scene: Scene, stranger: RelyingParty, people: People
) -> None:
    assert "code" in answer_of(scene.browser.press(consent_page(scene, stranger), decision="allow"))
    assert "code" in answer_of(scene.browser.authorize(stranger))
    assert (
        page_of(scene.browser.authorize(stranger, scope="openid enterprise email")) == "/interaction/consent"
    )
    second = people.legal_person(1)
    people.change_handler(scene.handler_authorization_id, status="revoked")
    people.handler(scene.account_id, second.enterprise_id)
    assert page_of(scene.browser.authorize(stranger)) == "/interaction/consent"


@pytest.mark.parametrize("decision", ["", "perhaps", "ALLOW"])
def test_any_other_decision_shows_the_page_again(scene: Scene, stranger: RelyingParty, decision: str) -> None:
    response = scene.browser.press(consent_page(scene, stranger), decision=decision)
    assert response.status_code == 422
    assert "consent-page" in response.text


@pytest.mark.checklist(85)
def test_offline_access_needs_prompt_consent(scene: Scene) -> None:
    code = scene.browser.code_for(scene.rp, scope="openid offline_access enterprise")
    assert "offline_access" not in scene.rp.redeem(code).get_json()["scope"]
    location = consent_page(scene, scene.rp, scope="openid offline_access enterprise", prompt="consent")
    code = answer_of(scene.browser.press(location, decision="allow"))["code"]
    assert "offline_access" in scene.rp.redeem(code).get_json()["scope"]


@pytest.mark.checklist(91)
def test_a_withdrawn_consent_ends_the_tokens(scene: Scene, platform: Platform) -> None:
    tokens = scene.tokens()
    assert consents.withdraw(platform, scene.account_id, scene.rp.client_id, ORIGIN)
    assert scene.rp.introspect(tokens.access_token) == {"active": False}
    assert scene.rp.userinfo(tokens.access_token).status_code == 401
    assert_error(scene.rp.refresh(tokens.refresh_token), "invalid_grant")
    assert page_of(scene.browser.authorize(scene.rp)) == "/interaction/consent"


@pytest.mark.checklist(41)
def test_two_tabs_do_not_disturb_one_another(scene: Scene, stranger: RelyingParty) -> None:
    first = consent_page(scene, stranger, state="one", nonce="one")
    second = consent_page(scene, stranger, state="two", nonce="two")
    pages = [scene.browser.get(location) for location in (first, second)]
    answer = answer_of(scene.browser.send(pages[1], "/interaction/consent", decision="allow"))
    assert answer["state"] == "two"
    answer = answer_of(scene.browser.send(pages[0], "/interaction/consent", decision="deny"))
    assert (answer["state"], answer["error"]) == ("one", "access_denied")


@pytest.mark.checklist(41)
def test_the_page_cannot_change_the_request(scene: Scene, stranger: RelyingParty) -> None:
    location = consent_page(scene, stranger)
    response = scene.browser.press(
        location,
        decision="allow",
        redirect_uri="https://evil.example/",
        state="other",
        scope="openid email phone address",
        client_id=scene.rp.client_id,
    )
    assert response.location.startswith("https://rp.example/callback?")
    answer = answer_of(response)
    assert answer["state"] == "a-state"
    assert stranger.redeem(answer["code"]).get_json()["scope"] == "enterprise handler openid"


def test_a_request_is_answered_once(scene: Scene, stranger: RelyingParty) -> None:
    location = consent_page(scene, stranger)
    page = scene.browser.get(location)
    assert "code" in answer_of(scene.browser.send(page, "/interaction/consent", decision="allow"))
    again = scene.browser.send(page, "/interaction/consent", decision="allow")
    assert again.status_code == 400
    assert again.mimetype == "text/html"
    assert scene.browser.get(location).status_code == 400


def test_of_two_clicks_at_once_one_gets_a_code(scene: Scene, stranger: RelyingParty) -> None:
    page = scene.browser.get(consent_page(scene, stranger))
    fields = hidden_fields(page.text) | {"decision": "allow"}
    cookies = "; ".join(
        f"{name}={cookie.value}"
        for name in ("login", "page")
        if (cookie := scene.browser.http.get_cookie(name)) is not None
    )

    def click() -> int:
        http = scene.rp.http.application.test_client(use_cookies=False)
        response = http.post("/interaction/consent", data=fields, headers={"Cookie": cookies})
        return response.status_code

    assert sorted(at_once([click, click, click])) == [303, 400, 400]


def test_a_request_waits_half_an_hour(scene: Scene, stranger: RelyingParty, time: MovableClock) -> None:
    location = consent_page(scene, stranger)
    time.advance(minutes=29)
    assert scene.browser.get(location).status_code == 200
    time.advance(minutes=2)
    assert scene.browser.get(location).status_code == 400


@pytest.mark.parametrize(
    "page", ["/login", "/interaction/consent", "/interaction/enterprise", "/interaction/turned-away"]
)
def test_an_unknown_request_is_a_page_that_says_so(browser: Browser, page: str) -> None:
    for request_id in ("unknown", "x" * 5000, "../x", "%F0%9F"):
        response = browser.get(f"{page}?request={request_id}")
        assert response.status_code == 400
        assert response.mimetype == "text/html"


@pytest.mark.parametrize("page", ["/login", "/interaction/consent"])
def test_a_client_disabled_meanwhile_is_asked_for_nothing_more(
    scene: Scene, stranger: RelyingParty, platform: Platform, page: str
) -> None:
    location = consent_page(scene, stranger).replace("/interaction/consent", page)
    clients.disable(platform, stranger.client_id, ORIGIN)
    response = scene.browser.get(location)
    assert response.status_code == 400
    assert response.mimetype == "text/html"


def test_a_refusal_can_be_said_once(scene: Scene, stranger: RelyingParty) -> None:
    page = scene.browser.get(consent_page(scene, stranger))
    assert scene.browser.send(page, "/interaction/consent", decision="deny").status_code == 303
    assert scene.browser.send(page, "/interaction/consent", decision="deny").status_code == 400


@both_backends
@pytest.mark.parametrize("consented", [True, False])
def test_a_client_that_is_deleted_meanwhile_ends_on_a_page(
    scene: Scene, stranger: RelyingParty, platform: Platform, monkeypatch: pytest.MonkeyPatch, consented: bool
) -> None:
    """Every process goes on knowing a client for a second."""
    address = consent_page(scene, stranger)
    if consented:
        monkeypatch.setattr(consents, "remember", lambda *_: None)
    assert clients.find_client(platform, stranger.client_id) is not None
    with transaction() as session:
        session.execute(delete(ClientRow).where(ClientRow.client_id == stranger.client_id))
    response = scene.browser.press(address, decision="allow")
    assert response.status_code == 409
    assert "刚刚被他人更改" in response.text
