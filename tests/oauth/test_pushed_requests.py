from __future__ import annotations

import re
from typing import Any

import pytest

from idp.oauth.pushed_requests import TTL
from tests.oauth.browser import Browser, answer_of, is_error_page, page_of
from tests.oauth.conftest import RegisterClient, Scene, both_backends
from tests.oauth.people import People
from tests.oauth.relying_party import RelyingParty, assert_error
from tests.services.conftest import MovableClock, at_once


def visit(browser: Browser, pushed: dict[str, str], **beside: str) -> Any:
    return browser.http.get("/oauth/authorize", query_string=pushed | beside)


@pytest.fixture
def strict(register: RegisterClient) -> RelyingParty:
    return register(require_pushed_authorization_requests=True)


# --- the endpoint


@pytest.mark.checklist(92)
def test_a_request_is_pushed_by_a_form_and_answered_with_a_short_lived_reference(rp: RelyingParty) -> None:
    response = rp.push()
    assert response.status_code == 201
    assert response.mimetype == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    answer = response.get_json()
    assert answer.keys() == {"request_uri", "expires_in"}
    assert 5 <= answer["expires_in"] <= 90
    assert re.fullmatch(r"urn:ietf:params:oauth:request_uri:[A-Za-z0-9_-]{43}", answer["request_uri"])
    assert rp.push().get_json()["request_uri"] != answer["request_uri"]


@pytest.mark.checklist(92)
@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_only_post_pushes(rp: RelyingParty, method: str) -> None:
    response = getattr(rp.http, method)("/oauth/par")
    assert (response.status_code, response.headers["Allow"]) == (405, "POST")


@pytest.mark.checklist(92)
def test_a_client_that_does_not_authenticate_pushes_nothing(rp: RelyingParty) -> None:
    assert_error(rp.post("/oauth/par", rp.request(), proof=False), "invalid_client", 401)


def test_a_client_pushes_for_itself_alone(rp: RelyingParty, register: RegisterClient) -> None:
    assert_error(rp.push(client_id=register().client_id), "invalid_client", 401)


def test_a_public_client_may_push_too(register: RegisterClient) -> None:
    native = register(token_endpoint_auth_method="none")
    assert native.push().status_code == 201


@pytest.mark.pitfall(20)
@pytest.mark.checklist(93)
@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"redirect_uri": None}, "invalid_request"),
        ({"redirect_uri": "https://evil.example/"}, "invalid_request"),
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"scope": "unknown"}, "invalid_scope"),
        ({"claims": "["}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"resource": "https://unknown.example/"}, "invalid_target"),
        ({"authorization_details": "[]"}, "invalid_authorization_details"),
        ({"dpop_jkt": "short"}, "invalid_request"),
        ({"id_token_hint": "x"}, "invalid_request"),
        ({"client_id": "other"}, "invalid_client"),
    ],
)
def test_every_check_of_a_request_happens_when_it_is_pushed(
    rp: RelyingParty, changes: dict[str, Any], error: str
) -> None:
    assert_error(rp.push(**changes), error, 401 if error == "invalid_client" else 400)


@pytest.mark.checklist(94)
def test_a_reference_is_not_pushed(rp: RelyingParty) -> None:
    for reference in (rp.pushed()["request_uri"], "https://rp.example/request"):
        assert_error(rp.push({"client_id": rp.client_id, "request_uri": reference}), "invalid_request")


def test_a_client_without_the_code_flow_pushes_nothing(register: RegisterClient) -> None:
    job = register(grant_types=["client_credentials"], scope="job:run")
    assert_error(job.push(), "unauthorized_client")


# --- what was pushed is answered


@pytest.mark.checklist(95)
def test_client_and_reference_are_enough(scene: Scene) -> None:
    answer = answer_of(visit(scene.browser, scene.rp.pushed(state="pushed")))
    assert answer["state"] == "pushed"
    assert scene.rp.redeem(answer["code"]).status_code == 200


@pytest.mark.checklist(95)
def test_other_parameters_change_nothing(scene: Scene) -> None:
    beside = {
        "state": "another",
        "scope": "openid email",
        "redirect_uri": "https://evil.example/",
        "prompt": "login",
        "response_mode": "form_post",
    }
    answer = answer_of(visit(scene.browser, scene.rp.pushed(), **beside))
    assert answer["state"] == "a-state"
    assert scene.rp.redeem(answer["code"]).get_json()["scope"] == "enterprise handler openid"


@pytest.mark.checklist(96)
def test_a_reference_of_another_client_gets_a_page(scene: Scene, register: RegisterClient) -> None:
    pushed = scene.rp.pushed()
    other = register()
    assert is_error_page(visit(scene.browser, pushed | {"client_id": other.client_id}), "request_uri")


@pytest.mark.checklist(96)
@pytest.mark.parametrize("reference", ["", "x", "中", "x" * 4000, "x&request_uri=y"])
def test_an_unknown_reference_gets_a_page(scene: Scene, reference: str) -> None:
    request = {
        "client_id": scene.rp.client_id,
        "request_uri": f"urn:ietf:params:oauth:request_uri:{reference}",
    }
    assert is_error_page(visit(scene.browser, request), "request_uri")


def test_a_reference_sent_twice_gets_a_page(scene: Scene) -> None:
    reference = scene.rp.pushed()["request_uri"]
    query = f"client_id={scene.rp.client_id}&request_uri={reference}&request_uri={reference}"
    assert is_error_page(scene.browser.get(f"/oauth/authorize?{query}"), "request_uri")


@pytest.mark.checklist(96)
def test_an_expired_reference_gets_a_page(scene: Scene, time: MovableClock) -> None:
    pushed = scene.rp.pushed()
    time.advance(seconds=TTL.total_seconds() + 1)
    assert is_error_page(visit(scene.browser, pushed), "request_uri")


# --- once


@pytest.mark.checklist(97)
def test_opening_and_loading_again_does_not_use_it_up(scene: Scene, app: Any, platform: Any) -> None:
    stranger = Browser(app, platform)
    pushed = scene.rp.pushed()
    assert [page_of(visit(stranger, pushed)) for _ in range(3)] == ["/login"] * 3
    stranger.sign_in(scene.account_id)
    assert "code" in answer_of(visit(stranger, pushed))


@pytest.mark.checklist(97)
def test_its_answer_uses_it_up(scene: Scene) -> None:
    pushed = scene.rp.pushed()
    assert "code" in answer_of(visit(scene.browser, pushed))
    assert is_error_page(visit(scene.browser, pushed), "request_uri")


@pytest.mark.checklist(97)
def test_a_refusal_uses_it_up_too(scene: Scene) -> None:
    pushed = scene.rp.pushed(prompt="none", max_age="0")
    assert answer_of(visit(scene.browser, pushed))["error"] == "login_required"
    assert is_error_page(visit(scene.browser, pushed), "request_uri")


@pytest.mark.checklist(97)
def test_of_two_tabs_one_is_answered(scene: Scene, app: Any, platform: Any) -> None:
    stranger = Browser(app, platform)
    pushed = scene.rp.pushed()
    first, second = (visit(stranger, pushed).location.replace("/login", "/interaction/resume") for _ in "ab")
    stranger.sign_in(scene.account_id)
    assert "code" in answer_of(stranger.get(first))
    assert stranger.get(second).status_code == 400


@both_backends
@pytest.mark.checklist(97)
def test_of_two_answers_at_once_one_wins(scene: Scene) -> None:
    pushed = scene.rp.pushed()
    responses = at_once([lambda: visit(scene.browser, pushed)] * 2)
    assert sorted(response.status_code for response in responses) == [303, 400]


@pytest.mark.checklist(97)
def test_who_signs_in_slowly_is_answered_all_the_same(
    scene: Scene, app: Any, platform: Any, time: MovableClock
) -> None:
    stranger = Browser(app, platform)
    opened = visit(stranger, scene.rp.pushed()).location
    time.advance(minutes=10)
    stranger.sign_in(scene.account_id)
    assert "code" in answer_of(stranger.get(opened.replace("/login", "/interaction/resume")))


@pytest.mark.checklist(29)
def test_a_sign_in_before_it_was_opened_is_not_the_one_it_asks_for(
    rp: RelyingParty, people: People, browser: Browser, time: MovableClock
) -> None:
    account_id = people.person()
    browser.allow(rp, account_id)
    pushed = rp.pushed(scope="openid", prompt="login")
    time.advance(seconds=10)
    browser.sign_in(account_id)
    time.advance(seconds=10)
    assert page_of(visit(browser, pushed)) == "/login"


# --- clients that must push


@pytest.mark.checklist(98)
def test_who_must_push_can_not_go_around_it(scene: Scene, strict: RelyingParty) -> None:
    answer = answer_of(scene.browser.authorize(strict))
    assert answer["error"] == "invalid_request"
    assert answer["iss"]
    assert answer["state"] == "a-state"


@pytest.mark.checklist(98)
def test_who_must_push_is_served_when_it_does(scene: Scene, strict: RelyingParty) -> None:
    scene.browser.allow(strict, scene.account_id, scene.enterprise_id)
    assert "code" in answer_of(visit(scene.browser, strict.pushed()))


def test_a_pushed_request_keeps_no_secret_in_its_name(platform: Any, scene: Scene) -> None:
    reference = scene.rp.pushed()["request_uri"].rpartition(":")[2]
    assert platform.ephemeral.get(f"pushed_request:{scene.rp.client_id}:{reference}") is None
