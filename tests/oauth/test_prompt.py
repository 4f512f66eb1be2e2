from __future__ import annotations

import json

import pytest

from idp.services.platform import Platform
from tests.oauth.browser import answer_of, page_of
from tests.oauth.conftest import Scene
from tests.oauth.people import People
from tests.oauth.relying_party import ISSUER, claims_of
from tests.services.conftest import MovableClock


def id_token(scene: Scene, code: str) -> str:
    token: str = scene.rp.redeem(code).get_json()["id_token"]
    return token


@pytest.mark.checklist(26)
def test_silence_without_a_session_is_login_required(scene: Scene) -> None:
    scene.browser.http.delete_cookie("login")
    response = scene.browser.authorize(scene.rp, prompt="none")
    assert answer_of(response)["error"] == "login_required"
    assert answer_of(response).keys() == {"error", "error_description", "state", "iss"}
    page = scene.browser.authorize(scene.rp, prompt="none", response_mode="form_post")
    assert 'value="login_required"' in page.text


@pytest.mark.checklist(26)
def test_silence_with_a_forged_cookie_is_login_required(scene: Scene) -> None:
    for value in ("x" * 43, "", "中", "\x00"):
        scene.browser.http.set_cookie("login", value)
        assert answer_of(scene.browser.authorize(scene.rp, prompt="none"))["error"] == "login_required"


@pytest.mark.checklist(26)
def test_silence_without_consent_is_consent_required(scene: Scene) -> None:
    answer = answer_of(scene.browser.authorize(scene.rp, prompt="none", scope="openid email"))
    assert answer["error"] == "consent_required"


@pytest.mark.checklist(27)
def test_silence_with_session_and_consent_is_an_immediate_success(scene: Scene) -> None:
    loud, silent = (
        claims_of(id_token(scene, scene.browser.code_for(scene.rp, prompt=prompt)), scene.rp.http)
        for prompt in (None, "none")
    )
    assert (loud["sub"], loud["auth_time"], loud["sid"]) == (
        silent["sub"],
        silent["auth_time"],
        silent["sid"],
    )


@pytest.mark.pitfall(17)
@pytest.mark.checklist(29)
@pytest.mark.parametrize("prompt", ["login", "select_account"])
def test_a_fresh_sign_in_is_asked_for_once_and_auth_time_is_later(
    scene: Scene, time: MovableClock, prompt: str
) -> None:
    before = claims_of(id_token(scene, scene.browser.code_for(scene.rp)), scene.rp.http)
    time.advance(seconds=10)
    response = scene.browser.authorize(scene.rp, prompt=prompt)
    assert page_of(response) == "/login"
    assert scene.browser.get(response.location).status_code == 200
    assert page_of(scene.browser.get(resume_of(response.location))) == "/login"
    time.advance(seconds=10)
    scene.browser.sign_in(scene.account_id)
    answer = answer_of(scene.browser.get(resume_of(response.location)))
    after = claims_of(id_token(scene, answer["code"]), scene.rp.http)
    assert after["auth_time"] == before["auth_time"] + 20
    assert after["sub"] == before["sub"]


def resume_of(login_location: str) -> str:
    """A page of the same request, which sends on to whatever is next."""
    return login_location.replace("/login", "/interaction/consent")


@pytest.mark.checklist(30)
def test_consent_is_shown_again(scene: Scene) -> None:
    response = scene.browser.authorize(scene.rp, prompt="consent")
    assert page_of(response) == "/interaction/consent"
    assert "code" in answer_of(scene.browser.press(response.location, decision="allow"))


@pytest.mark.checklist(30)
def test_another_account_can_be_chosen(scene: Scene, people: People, time: MovableClock) -> None:
    response = scene.browser.authorize(scene.rp, prompt="select_account", scope="openid")
    other = people.person()
    scene.browser.sign_in(other)
    scene.browser.allow(scene.rp, other)
    answer = answer_of(scene.browser.get(resume_of(response.location)))
    assert claims_of(id_token(scene, answer["code"]), scene.rp.http)["sub"] == other


@pytest.mark.pitfall(17)
@pytest.mark.checklist(31, 32)
@pytest.mark.parametrize(
    ("max_age", "seconds_later", "asked_again"),
    [("1", 2, True), ("0", 1, True), ("10000", 2, False), ("60", 59, False), ("60", 61, True)],
)
def test_max_age_decides_whether_the_sign_in_is_young_enough(
    time: MovableClock, scene: Scene, max_age: str, seconds_later: int, asked_again: bool
) -> None:
    time.advance(seconds=seconds_later)
    response = scene.browser.authorize(scene.rp, max_age=max_age)
    if asked_again:
        assert page_of(response) == "/login"
        silent = scene.browser.authorize(scene.rp, max_age=max_age, prompt="none")
        assert answer_of(silent)["error"] == "login_required"
    else:
        assert "auth_time" in claims_of(id_token(scene, answer_of(response)["code"]), scene.rp.http)


@pytest.mark.checklist(33)
def test_a_hint_for_the_same_person_is_a_silent_success_however_old_it_is(
    scene: Scene, time: MovableClock
) -> None:
    hint = scene.tokens().id_token
    time.advance(minutes=20)
    assert "code" in answer_of(scene.browser.authorize(scene.rp, prompt="none", id_token_hint=hint))


@pytest.mark.checklist(33)
def test_a_hint_for_another_person_is_never_a_success(
    scene: Scene, people: People, time: MovableClock
) -> None:
    hint = scene.tokens().id_token
    other = people.person()
    scene.browser.sign_in(other)
    scene.browser.allow(scene.rp, other)
    silent = scene.browser.authorize(scene.rp, prompt="none", id_token_hint=hint)
    assert answer_of(silent)["error"] == "login_required"
    response = scene.browser.authorize(scene.rp, id_token_hint=hint)
    assert page_of(response) == "/login"
    time.advance(seconds=5)
    scene.browser.sign_in(other)
    assert page_of(scene.browser.get(resume_of(response.location))) == "/login"
    scene.browser.sign_in(scene.account_id)
    assert "code" in answer_of(scene.browser.get(resume_of(response.location)))


@pytest.mark.checklist(33, 34)
def test_a_value_of_sub_is_answered_for_that_person_only(scene: Scene) -> None:
    right, wrong = (
        json.dumps({"id_token": {"sub": {"value": value}}}) for value in (scene.account_id, "someone-else")
    )
    assert "code" in answer_of(scene.browser.authorize(scene.rp, prompt="none", claims=right))
    assert (
        answer_of(scene.browser.authorize(scene.rp, prompt="none", claims=wrong))["error"] == "login_required"
    )


@pytest.mark.checklist(26)
def test_a_sleeping_or_ended_session_is_none(scene: Scene, time: MovableClock, platform: Platform) -> None:
    time.advance(minutes=31)
    answer = answer_of(scene.browser.authorize(scene.rp, prompt="none"))
    assert (answer["error"], answer["iss"]) == ("login_required", ISSUER)


def test_the_session_of_a_frozen_account_is_none(scene: Scene, people: People) -> None:
    people.freeze(scene.account_id)
    assert answer_of(scene.browser.authorize(scene.rp, prompt="none"))["error"] == "login_required"
