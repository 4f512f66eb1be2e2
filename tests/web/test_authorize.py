from __future__ import annotations

from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from werkzeug.test import TestResponse

from idp.domain.audit import internal_origin
from idp.services import clients
from tests.web.visitor import LEGAL, PASSWORD, Visitor, hidden

CALLBACK: Final = "https://rp.example.test/callback"
REQUEST: Final = {
    "response_type": "code",
    "client_id": "example",
    "redirect_uri": CALLBACK,
    "scope": "openid enterprise handler profile",
    "state": "state-1",
    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    "code_challenge_method": "S256",
}


@pytest.fixture(autouse=True)
def client(visitor: Visitor) -> None:
    """A relying party for car makers' people, with a logo and its own terms."""
    metadata = {
        "client_id": "example",
        "client_name": "示例业务系统",
        "redirect_uris": [CALLBACK],
        "scope": REQUEST["scope"],
        "matters": ["nev-accident-report"],
        "require_enterprise": True,
        "logo_uri": "https://cdn.example.test/logo.png",
        "policy_uri": "https://rp.example.test/policy",
        "tos_uri": "https://rp.example.test/tos",
    }
    with visitor.app.app_context():
        clients.register(visitor.app.extensions["idp"], metadata, internal_origin("test"))


@pytest.fixture
def handler(applicant: Visitor, owner: Visitor) -> Visitor:
    """The applicant, approved."""
    row = hidden(owner.get("/enterprise/handlers"), "id")
    owner.send("/enterprise/handlers", {"id": row, "decision": "approve"})
    return applicant


def begin(visitor: Visitor, **changes: str) -> TestResponse:
    return visitor.http.get("/oauth/authorize", query_string=REQUEST | changes)


def answer_of(response: TestResponse) -> dict[str, str]:
    """The parameters with which the client was answered."""
    assert response.status_code == 303
    assert response.location.startswith(CALLBACK + "?")
    return {name: value for name, (value,) in parse_qs(urlsplit(response.location).query).items()}


def test_the_sign_in_page_names_who_asks(visitor: Visitor) -> None:
    page = visitor.get(begin(visitor).location)
    assert page.status_code == 200
    for mark in (
        "示例业务系统",
        'id="client-logo"',
        'id="client-policy"',
        'id="client-tos"',
        'id="login-cancel"',
    ):
        assert mark in page.text
    policy = page.headers["Content-Security-Policy"]
    assert "form-action 'self' https://rp.example.test;" in policy
    assert "img-src 'self' data: https://cdn.example.test;" in policy


def test_cancelling_answers_access_denied(visitor: Visitor) -> None:
    page = begin(visitor).location
    form = {"request": hidden(visitor.get(page), "request"), "action": "cancel"}
    answer = answer_of(visitor.send("/login", form, page=page))
    assert (answer["error"], answer["state"]) == ("access_denied", "state-1")
    assert visitor.get(page).status_code == 400


def test_signing_in_goes_on_to_consent_and_the_client(handler: Visitor) -> None:
    handler.send("/logout", {}, page="/account")
    page = begin(handler).location
    form = {"request": hidden(handler.get(page), "request"), "identifier": "li_shili"}
    handler.send("/login", form | {"action": "send_code"}, page=page)
    form |= {"password": PASSWORD, "sms_code": handler.code("19900001002")}
    consent = handler.send("/login", form | {"action": "login"}, page=page).location
    shown = handler.get(consent).text
    assert all(
        mark in shown for mark in ('id="consent-approve"', 'id="consent-deny"', LEGAL["enterprise_name"])
    )
    assert "handler_scope" not in shown
    path = consent.partition("?")[0]
    agreed = handler.send(path, {"request": form["request"], "decision": "allow"}, page=consent)
    assert answer_of(agreed)["code"]


def test_refusing_consent_answers_access_denied(handler: Visitor) -> None:
    consent = begin(handler).location
    path, request = consent.partition("?")[0], hidden(handler.get(consent), "request")
    refused = handler.send(path, {"request": request, "decision": "deny"}, page=consent)
    assert answer_of(refused)["error"] == "access_denied"


def test_who_acts_for_no_enterprise_is_told_how_to(person: Visitor) -> None:
    page = person.get(begin(person).location)
    assert page.status_code == 403
    assert "/account/handler-applications" in page.text


def test_a_faulty_request_is_a_page_that_names_the_parameter(visitor: Visitor) -> None:
    page = begin(visitor, redirect_uri="https://evil.example.test/")
    assert page.status_code == 400
    assert 'id="error-page"' in page.text
    assert "redirect_uri" in page.text
    assert "evil.example.test" not in page.headers["Content-Security-Policy"]


def test_signing_out_asks_and_tells(person: Visitor) -> None:
    question = person.get("/oauth/logout")
    for mark in ("logout-confirm-page", "logout-confirm", "logout-cancel"):
        assert f'id="{mark}"' in question.text
    form = {"csrf_token": hidden(question, "csrf_token"), "request": hidden(question, "request")}
    stayed = person.http.post("/interaction/logout", data=form | {"decision": "stay"})
    assert "仍保持登录" in stayed.text
    question = person.get("/oauth/logout")
    form = {"csrf_token": hidden(question, "csrf_token"), "request": hidden(question, "request")}
    gone = person.http.post("/interaction/logout", data=form | {"decision": "logout"})
    assert 'id="logged-out"' in gone.text
    assert person.get("/account").location == "/login"


def test_a_form_post_answer_leaves_by_itself_or_by_a_button(handler: Visitor) -> None:
    consent = begin(handler, response_mode="form_post").location
    path, request = consent.partition("?")[0], hidden(handler.get(consent), "request")
    page = handler.send(path, {"request": request, "decision": "allow"}, page=consent)
    assert f'action="{CALLBACK}"' in page.text
    assert hidden(page, "code")
    assert "<button" in page.text
    assert "form-action 'self' https://rp.example.test;" in page.headers["Content-Security-Policy"]


def test_the_client_may_wish_for_a_language(visitor: Visitor) -> None:
    page = visitor.get(begin(visitor, ui_locales="fr en").location, headers={"Accept-Language": "zh-CN"})
    assert '<html lang="en">' in page.text
    page = visitor.get(begin(visitor, ui_locales="fr").location)
    assert '<html lang="zh-CN">' in page.text


def test_the_wish_goes_before_an_earlier_choice_but_not_before_one_made_on_its_page(visitor: Visitor) -> None:
    visitor.get("/language?to=zh-CN&back=/")
    address = begin(visitor, ui_locales="en").location
    assert '<html lang="en">' in visitor.get(address).text
    back = visitor.get("/language", query_string={"to": "zh-CN", "back": address})
    assert back.location == address
    assert '<html lang="zh-CN">' in visitor.get(address).text
    assert '<html lang="en">' in visitor.get(begin(visitor, ui_locales="en").location).text


def test_an_error_of_the_request_is_told_in_its_language_until_another_is_chosen(visitor: Visitor) -> None:
    asked = {"client_id": "nobody", "ui_locales": "en"}
    page = visitor.http.get("/oauth/authorize", query_string=asked)
    assert '<html lang="en">' in page.text
    back = visitor.get(
        "/language", query_string={"to": "zh-CN", "back": "/oauth/authorize?" + urlencode(asked)}
    )
    assert back.location == "/oauth/authorize?client_id=nobody"
