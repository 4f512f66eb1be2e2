from __future__ import annotations

import json
import re
from typing import Any, Final

import pytest
from flask import Flask

from idp import clock, crypto
from idp.domain.clients import DEVICE_CODE
from idp.oauth import device as protocol
from idp.services import devices
from idp.services.platform import Platform
from tests.oauth.browser import Browser, page_of
from tests.oauth.conftest import RegisterClient, Scene, both_backends
from tests.oauth.people import CREDIT_CODES, MATTER, People
from tests.oauth.relying_party import DPOP_KEY, ISSUER, RelyingParty, assert_error, claims_of, dpop_proof
from tests.services.conftest import MovableClock, at_once

SCOPE: Final = "openid enterprise handler offline_access"


@pytest.fixture
def tool(register: RegisterClient) -> RelyingParty:
    """A command line tool: a public client that can open no browser of its own."""
    return register(
        token_endpoint_auth_method="none",
        application_type="native",
        grant_types=[DEVICE_CODE, "refresh_token"],
        redirect_uris=[],
        client_name="事故数据上报工具",
    )


def begin(rp: RelyingParty, **changes: str) -> dict[str, Any]:
    response = rp.post("/oauth/device_authorization", {"scope": SCOPE} | changes)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.get_json()
    return answer


def poll(rp: RelyingParty, started: dict[str, Any], headers: dict[str, str] | None = None) -> Any:
    form = {"grant_type": DEVICE_CODE, "device_code": started["device_code"]}
    return rp.token(form, headers=headers)


def question(browser: Browser, started: dict[str, Any]) -> str:
    """Type the code; the address of the question that follows."""
    response = browser.press("/device", user_code=started["user_code"])
    assert page_of(response) == "/device", response.location
    return str(response.location)


def decide(browser: Browser, started: dict[str, Any], decision: str = "allow") -> Any:
    return browser.press(question(browser, started), decision=decision)


# --- the device


def test_a_device_is_told_what_to_show_and_where(tool: RelyingParty) -> None:
    response = tool.post("/oauth/device_authorization", {"scope": SCOPE})
    assert response.headers["Cache-Control"] == "no-store"
    answer = response.get_json()
    assert re.fullmatch(r"[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}", answer["user_code"])
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", answer["device_code"])
    assert answer["verification_uri"] == f"{ISSUER}/device"
    assert answer["verification_uri_complete"] == f"{ISSUER}/device?user_code={answer['user_code']}"
    assert (answer["expires_in"], answer["interval"]) == (600, 5)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"scope": "unknown"}, "invalid_scope"),
        ({"resource": "https://unknown.example/"}, "invalid_target"),
        ({"authorization_details": "["}, "invalid_authorization_details"),
    ],
)
def test_what_is_wrong_is_told_to_the_device(tool: RelyingParty, changes: dict[str, str], error: str) -> None:
    assert_error(tool.post("/oauth/device_authorization", {"scope": SCOPE} | changes), error)


def test_what_belongs_to_a_browser_s_request_is_not_looked_at(tool: RelyingParty) -> None:
    assert begin(tool, prompt="none", max_age="x", dpop_jkt="x", redirect_uri="https://evil.example/")


def test_a_client_without_the_grant_starts_nothing(rp: RelyingParty) -> None:
    assert_error(rp.post("/oauth/device_authorization", {"scope": "openid"}), "unauthorized_client")
    unproved = rp.post("/oauth/device_authorization", {"scope": "openid"}, proof=False)
    assert_error(unproved, "invalid_client", 401)


@pytest.mark.parametrize("method", ["get", "put"])
def test_only_post_starts(tool: RelyingParty, method: str) -> None:
    assert getattr(tool.http, method)("/oauth/device_authorization").status_code == 405


# --- the whole way


@both_backends
@pytest.mark.pitfall(6)
def test_a_person_answers_and_the_device_gets_tokens_once(scene: Scene, tool: RelyingParty) -> None:
    started = begin(tool)
    assert_error(poll(tool, started), "authorization_pending")
    done = decide(scene.browser, started)
    assert done.status_code == 200
    assert "设备已登录" in done.text
    response = poll_later(tool, started)
    assert response.status_code == 200, response.text
    answer = response.get_json()
    claims = claims_of(answer["access_token"], tool.http)
    assert claims["enterprise_credit_code"] == CREDIT_CODES[0]
    assert claims["handler_scope"] == [MATTER]
    assert answer["scope"] == "enterprise handler offline_access openid"
    id_token = claims_of(answer["id_token"], tool.http)
    assert scene.browser.login is not None
    assert id_token["auth_time"] == scene.browser.login.auth_time
    assert tool.refresh(answer["refresh_token"]).status_code == 200
    assert_error(poll_later(tool, started), "invalid_grant")


def poll_later(rp: RelyingParty, started: dict[str, Any], headers: dict[str, str] | None = None) -> Any:
    """After the interval, which is forgotten here so that the test need not wait."""
    from flask import current_app

    platform: Platform = current_app.extensions["idp"]
    from idp import crypto

    platform.ephemeral.drop(f"device_poll:{crypto.hash_token(started['device_code'])}")
    return poll(rp, started, headers)


def test_a_person_who_is_not_signed_in_signs_in_first(
    scene: Scene, tool: RelyingParty, app: Flask, platform: Platform
) -> None:
    stranger = Browser(app, platform)
    started = begin(tool)
    response = stranger.press("/device", user_code=started["user_code"].lower())
    assert page_of(response) == "/login"
    assert "事故数据上报工具" in stranger.get(response.location).text
    stranger.sign_in(scene.account_id)
    resumed = stranger.get(response.location.replace("/login", "/interaction/resume"))
    assert page_of(resumed) == "/device"
    assert "设备已登录" in stranger.press(resumed.location, decision="allow").text
    assert poll(tool, started).status_code == 200


def test_the_code_may_come_with_the_address(scene: Scene, tool: RelyingParty) -> None:
    started = begin(tool)
    page = scene.browser.get(f"/device?user_code={started['user_code']}").text
    assert f'value="{started["user_code"]}"' in page


def test_the_question_names_the_client_the_enterprise_and_the_code(scene: Scene, tool: RelyingParty) -> None:
    started = begin(tool)
    page = scene.browser.get(question(scene.browser, started)).text
    for text in ("事故数据上报工具", "示例新能源汽车有限公司", started["user_code"], "经办人授权"):
        assert text in page


def test_consent_is_asked_each_time(scene: Scene, tool: RelyingParty) -> None:
    for _ in range(2):
        assert decide(scene.browser, begin(tool)).status_code == 200


def test_a_person_of_several_enterprises_chooses(scene: Scene, tool: RelyingParty, people: People) -> None:
    other = people.legal_person(1)
    people.handler(scene.account_id, other.enterprise_id)
    started = begin(tool)
    response = scene.browser.press("/device", user_code=started["user_code"])
    assert page_of(response) == "/interaction/enterprise"
    chosen = scene.browser.press(response.location, enterprise=other.enterprise_credit_code)
    assert page_of(chosen) == "/device"
    scene.browser.press(chosen.location, decision="allow")
    claims = claims_of(poll(tool, started).get_json()["access_token"], tool.http)
    assert claims["enterprise_credit_code"] == other.enterprise_credit_code


def test_details_pin_the_enterprise_of_a_device_too(scene: Scene, tool: RelyingParty) -> None:
    detail = {"type": "enterprise_handler", "enterprise_credit_code": CREDIT_CODES[0], "matters": [MATTER]}
    started = begin(tool, authorization_details=json.dumps([detail]))
    decide(scene.browser, started)
    answer = poll(tool, started).get_json()
    assert answer["authorization_details"][0]["matters"] == [MATTER]


# --- refusals


def test_a_refusal_is_told_to_the_device_once(scene: Scene, tool: RelyingParty) -> None:
    started = begin(tool)
    assert "已拒绝设备登录" in decide(scene.browser, started, "deny").text
    assert_error(poll(tool, started), "access_denied")
    assert_error(poll_later(tool, started), "invalid_grant")


def test_who_cancels_the_sign_in_refuses(
    scene: Scene, tool: RelyingParty, app: Flask, platform: Platform
) -> None:
    stranger = Browser(app, platform)
    started = begin(tool)
    response = stranger.press("/device", user_code=started["user_code"])
    assert "已拒绝设备登录" in stranger.press(response.location, action="cancel").text
    assert_error(poll(tool, started), "access_denied")


def test_who_can_not_act_as_asked_refuses(scene: Scene, tool: RelyingParty, people: People) -> None:
    people.legal_person(1)
    detail = {"type": "enterprise_handler", "enterprise_credit_code": CREDIT_CODES[1], "matters": [MATTER]}
    started = begin(tool, authorization_details=json.dumps([detail]))
    response = scene.browser.press("/device", user_code=started["user_code"])
    assert "已拒绝设备登录" in response.text
    assert_error(poll(tool, started), "access_denied")


def test_any_other_decision_shows_the_question_again(scene: Scene, tool: RelyingParty) -> None:
    assert decide(scene.browser, begin(tool), "perhaps").status_code == 422


def test_a_question_is_answered_once(scene: Scene, tool: RelyingParty) -> None:
    started = begin(tool)
    first, second = question(scene.browser, started), question(scene.browser, started)
    assert scene.browser.press(first, decision="allow").status_code == 200
    assert scene.browser.press(second, decision="allow").status_code == 400
    for address in (first, second):
        assert scene.browser.get(address).status_code == 400


def test_who_agrees_for_a_device_that_is_gone_is_told_so(
    scene: Scene, tool: RelyingParty, platform: Platform
) -> None:
    started = begin(tool)
    address = question(scene.browser, started)
    assert devices.take(platform, crypto.hash_token(started["device_code"])) is not None
    assert scene.browser.press(address, decision="allow").status_code == 400


def test_a_refusal_of_a_device_that_was_answered_is_told_so(scene: Scene, tool: RelyingParty) -> None:
    started = begin(tool)
    first, second = question(scene.browser, started), question(scene.browser, started)
    scene.browser.press(first, decision="deny")
    assert scene.browser.press(second, decision="deny").status_code == 400


@pytest.mark.parametrize("typed", ["", "BCDF-GHJK", "x", "中", "BCDF-GHJK" * 20])
def test_a_code_that_nobody_waits_for_gets_one_answer(scene: Scene, typed: str) -> None:
    page = scene.browser.press("/device", user_code=typed)
    assert page.status_code == 422
    assert "没有设备在等待这个代码" in page.text


def test_codes_can_not_be_guessed_for_long(scene: Scene, tool: RelyingParty) -> None:
    for _ in range(devices.MOST_GUESSES):
        scene.browser.press("/device", user_code="BCDF-GHJK")
    page = scene.browser.press("/device", user_code=begin(tool)["user_code"])
    assert page.status_code == 429
    assert "次数过多" in page.text


def test_right_codes_are_no_guesses(scene: Scene, tool: RelyingParty) -> None:
    """A whole office may sit behind one address."""
    for _ in range(devices.MOST_GUESSES + 1):
        question(scene.browser, begin(tool))


def test_a_forged_answer_is_refused(scene: Scene, tool: RelyingParty) -> None:
    address = question(scene.browser, begin(tool))
    request_id = address.partition("request=")[2]
    forged = scene.browser.http.post("/device", data={"request": request_id, "decision": "allow"})
    assert forged.status_code == 400


# --- polling


def test_who_asks_too_often_is_slowed_down(tool: RelyingParty) -> None:
    started = begin(tool)
    assert_error(poll(tool, started), "authorization_pending")
    for _ in range(2):
        assert_error(poll(tool, started), "slow_down")


def test_a_device_code_belongs_to_its_client(tool: RelyingParty, register: RegisterClient) -> None:
    other = register(token_endpoint_auth_method="none", grant_types=[DEVICE_CODE])
    assert_error(poll(other, begin(tool)), "invalid_grant")


@pytest.mark.pitfall(6)
@pytest.mark.parametrize("device_code", ["x", "中", "x" * 5000])
def test_an_unknown_device_code_is_an_invalid_grant(tool: RelyingParty, device_code: str) -> None:
    assert_error(poll(tool, {"device_code": device_code}), "invalid_grant")
    assert_error(tool.token({"grant_type": DEVICE_CODE}), "invalid_request")


def test_after_ten_minutes_nobody_waits(scene: Scene, tool: RelyingParty, time: MovableClock) -> None:
    started = begin(tool)
    address = question(scene.browser, started)
    time.advance(minutes=10)
    scene.browser.sign_in(scene.account_id)
    assert scene.browser.press(address, decision="allow").status_code in {400, 303}
    assert_error(poll(tool, started), "expired_token")
    assert scene.browser.press("/device", user_code=started["user_code"]).status_code == 422


def test_long_after_an_expired_code_is_an_unknown_one(tool: RelyingParty, time: MovableClock) -> None:
    started = begin(tool)
    time.advance(minutes=21)
    assert_error(poll(tool, started), "invalid_grant")


def test_a_code_that_expires_while_it_is_typed_opens_nothing(
    tool: RelyingParty, platform: Platform, time: MovableClock
) -> None:
    device_id = crypto.hash_token(begin(tool)["device_code"])
    assert protocol.opened(platform, device_id, clock.now()) is not None
    time.advance(minutes=10)
    assert protocol.opened(platform, device_id, clock.now()) is None


def test_a_poll_that_another_has_overtaken_gets_nothing(
    scene: Scene, tool: RelyingParty, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = begin(tool)
    decide(scene.browser, started)
    seen = devices.find(platform, crypto.hash_token(started["device_code"]))
    assert poll(tool, started).status_code == 200
    monkeypatch.setattr(devices, "find", lambda *_: seen)
    monkeypatch.setattr(devices, "polls_too_often", lambda *_: False)
    assert_error(poll(tool, started), "invalid_grant")


@both_backends
def test_of_two_polls_at_once_one_gets_tokens(
    scene: Scene, tool: RelyingParty, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "polls_too_often", lambda *_: False)
    started = begin(tool)
    decide(scene.browser, started)
    responses = at_once([lambda: poll(tool, started)] * 4)
    assert sorted(response.status_code for response in responses) == [200, 400, 400, 400]


def test_a_device_that_proved_a_key_must_show_it_again(scene: Scene, tool: RelyingParty) -> None:
    proof = {"DPoP": dpop_proof("/oauth/device_authorization")}
    started = tool.post("/oauth/device_authorization", {"scope": SCOPE}, headers=proof).get_json()
    decide(scene.browser, started)
    response = poll(tool, started, {"DPoP": dpop_proof("/oauth/token")})
    assert response.get_json()["token_type"] == "DPoP"
    claims = claims_of(response.get_json()["access_token"], tool.http)
    assert claims["cnf"] == {"jkt": DPOP_KEY.thumbprint()}


def test_who_polls_without_the_key_gets_nothing_and_takes_nothing_away(
    scene: Scene, tool: RelyingParty
) -> None:
    proof = {"DPoP": dpop_proof("/oauth/device_authorization")}
    started = tool.post("/oauth/device_authorization", {"scope": SCOPE}, headers=proof).get_json()
    decide(scene.browser, started)
    assert_error(poll(tool, started), "invalid_grant")
    assert poll(tool, started, {"DPoP": dpop_proof("/oauth/token")}).status_code == 200


def test_what_ends_between_answer_and_poll_gives_the_device_nothing(
    scene: Scene, tool: RelyingParty, people: People
) -> None:
    started = begin(tool)
    decide(scene.browser, started)
    people.change_handler(scene.handler_authorization_id, status="revoked")
    assert_error(poll(tool, started), "invalid_grant")


def test_a_poll_in_time_may_arrive_a_little_early(tool: RelyingParty, time: MovableClock) -> None:
    started = begin(tool)
    for _ in range(3):
        assert_error(poll(tool, started), "authorization_pending")
        time.advance(seconds=4, milliseconds=200)


def test_nothing_lies_open_while_a_device_waits(tool: RelyingParty, platform: Platform) -> None:
    started = begin(tool)
    stored = platform.ephemeral.get(f"device:{crypto.hash_token(started['device_code'])}")
    assert stored is not None
    assert started["user_code"].encode() not in stored
    assert tool.client_id.encode() not in stored
