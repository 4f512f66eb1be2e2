from __future__ import annotations

import json
from datetime import datetime

import pytest
from sqlalchemy import select

from idp.services import authentication, grants
from idp.services.platform import Platform
from idp.storage.audit import AuditEvent as Entry
from idp.storage.authorizations import Authorization
from idp.storage.database import reading
from tests.oauth.browser import ORIGIN, Browser, without
from tests.oauth.conftest import RegisterClient, Scene, both_backends
from tests.oauth.people import People
from tests.oauth.relying_party import REDIRECT_URI, VERIFIER, RelyingParty, assert_error
from tests.services.conftest import MovableClock, at_once


def reason() -> str | None:
    with reading() as session:
        return session.scalars(select(Authorization.revoked_reason)).one()


@pytest.mark.pitfall(9)
@pytest.mark.checklist(48, 49)
@both_backends
def test_a_code_is_exchanged_for_tokens(scene: Scene) -> None:
    response = scene.rp.redeem(scene.browser.code_for(scene.rp))
    assert response.status_code == 200
    assert response.mimetype == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    answer = response.get_json()
    assert answer.keys() == {
        "access_token",
        "token_type",
        "expires_in",
        "scope",
        "id_token",
        "refresh_token",
    }
    assert answer["token_type"] == "Bearer"
    assert answer["expires_in"] == 300
    assert answer["scope"] == "enterprise handler openid"


@pytest.mark.checklist(49)
def test_without_openid_there_is_no_id_token(scene: Scene) -> None:
    answer = scene.rp.redeem(scene.browser.code_for(scene.rp, scope="enterprise")).get_json()
    assert "id_token" not in answer
    assert answer["scope"] == "enterprise"


@pytest.mark.checklist(85)
def test_a_client_without_the_refresh_grant_gets_no_refresh_token(
    register: RegisterClient, scene: Scene
) -> None:
    rp = register(grant_types=["authorization_code"])
    scene.browser.allow(rp, scene.account_id, scene.enterprise_id)
    assert "refresh_token" not in rp.redeem(scene.browser.code_for(rp)).get_json()


@pytest.mark.pitfall(5)
@pytest.mark.checklist(52)
@both_backends
@pytest.mark.parametrize("seconds_later", [0, 30, 3600])
def test_a_second_use_is_refused_and_revokes_what_came_of_the_first(
    scene: Scene, time: MovableClock, seconds_later: int
) -> None:
    code = scene.browser.code_for(scene.rp, scope="openid enterprise offline_access", prompt=None)
    first = scene.rp.redeem(code).get_json()
    time.advance(seconds=seconds_later)
    assert_error(scene.rp.redeem(code), "invalid_grant")
    assert scene.rp.introspect(first["access_token"]) == {"active": False}
    assert scene.rp.introspect(first["refresh_token"]) == {"active": False}
    assert scene.rp.userinfo(first["access_token"]).status_code == 401
    assert_error(scene.rp.refresh(first["refresh_token"]), "invalid_grant")
    assert_error(scene.rp.redeem(code), "invalid_grant")
    assert reason() == "code_reused"


@pytest.mark.checklist(52)
def test_a_second_use_is_recorded_once(scene: Scene) -> None:
    code = scene.browser.code_for(scene.rp)
    for _ in range(4):
        scene.rp.redeem(code)
    with reading() as session:
        entries = session.scalars(select(Entry).where(Entry.event == "token:reuse")).all()
        events = session.scalars(select(Entry.event)).all()
    assert len(entries) == 1, events


@pytest.mark.pitfall(5)
@pytest.mark.checklist(53)
@both_backends
def test_of_simultaneous_redemptions_exactly_one_succeeds(scene: Scene) -> None:
    for _ in range(3):
        code = scene.browser.code_for(scene.rp)
        answers = at_once([lambda: scene.rp.redeem(code) for _ in range(4)])  # noqa: B023 - called at once
        assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]
        assert {answer.get_json().get("error") for answer in answers} == {None, "invalid_grant"}


@pytest.mark.checklist(54)
def test_a_code_is_of_no_use_to_another_client(register: RegisterClient, scene: Scene) -> None:
    code = scene.browser.code_for(scene.rp)
    assert_error(register().redeem(code), "invalid_grant")
    assert scene.rp.redeem(code).status_code == 200


@pytest.mark.checklist(54)
def test_a_code_is_bound_to_its_redirect_uri(register: RegisterClient, scene: Scene) -> None:
    rp = register(redirect_uris=["https://rp.example/a", "https://rp.example/b"])
    scene.browser.allow(rp, scene.account_id, scene.enterprise_id)
    code = scene.browser.code_for(rp)
    for wrong in ("https://rp.example/b", "https://rp.example/a?", "https://rp.example/a/", "中"):
        assert_error(rp.redeem(code, redirect_uri=wrong), "invalid_grant")
    assert_error(rp.redeem(code, redirect_uri=None), "invalid_request")
    assert rp.redeem(code).status_code == 200


@pytest.mark.checklist(55)
@pytest.mark.parametrize(("seconds", "status"), [(59, 200), (60, 400), (62, 400)])
def test_a_code_lives_sixty_seconds(scene: Scene, time: MovableClock, seconds: int, status: int) -> None:
    code = scene.browser.code_for(scene.rp)
    time.advance(seconds=seconds)
    assert scene.rp.redeem(code).status_code == status


@pytest.mark.pitfall(24)
@pytest.mark.checklist(55)
def test_the_age_of_the_sign_in_does_not_shorten_a_codes_life(scene: Scene, time: MovableClock) -> None:
    for _ in range(5):
        time.advance(minutes=29)
        scene.browser.code_for(scene.rp)
    code = scene.browser.code_for(scene.rp)
    assert scene.rp.redeem(code).status_code == 200


@pytest.mark.checklist(50, 54)
@pytest.mark.parametrize(
    "damage",
    [
        lambda code: code[:-1],
        lambda code: code + "0",
        lambda code: code.upper(),
        lambda code: "A" + code[1:],
        lambda code: code[:22],
        lambda code: code[22:],
        lambda _: "x" * 86,
        lambda _: "中",
        lambda _: "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
    ],
)
def test_a_code_that_was_never_issued_is_refused_and_burns_nothing(scene: Scene, damage: object) -> None:
    code = scene.browser.code_for(scene.rp)
    assert callable(damage)
    assert_error(scene.rp.redeem(damage(code)), "invalid_grant")
    assert scene.rp.redeem(code).status_code == 200


@pytest.mark.checklist(50)
@pytest.mark.parametrize("name", ["code", "redirect_uri", "grant_type"])
def test_a_missing_parameter_is_an_invalid_request(rp: RelyingParty, name: str) -> None:
    form = {"grant_type": "authorization_code", "code": "x", "redirect_uri": REDIRECT_URI}
    assert_error(rp.token(without(form, name)), "invalid_request")
    assert_error(rp.token(form | {name: ""}), "invalid_request")


@pytest.mark.checklist(57)
@pytest.mark.parametrize(
    "grant_type", ["password", "implicit", "urn:ietf:params:x", "许可", '"\\', "x" * 9999]
)
def test_an_unknown_grant_type_is_unsupported(scene: Scene, grant_type: str) -> None:
    assert_error(scene.rp.token({"grant_type": grant_type}), "unsupported_grant_type")


@pytest.mark.checklist(57)
@pytest.mark.parametrize("grant_type", ["authorization_code", "refresh_token"])
def test_a_grant_type_that_is_not_registered_is_unauthorized(
    register: RegisterClient, grant_type: str
) -> None:
    job = register(grant_types=["client_credentials"], redirect_uris=[], scope="job")
    assert_error(job.token({"grant_type": grant_type}), "unauthorized_client")


def test_a_code_dies_with_the_login_it_was_issued_in(scene: Scene, platform: Platform) -> None:
    code = scene.browser.code_for(scene.rp)
    assert scene.browser.login
    authentication.end_login(platform, scene.browser.login.sid, ORIGIN, "logout")
    assert_error(scene.rp.redeem(code), "invalid_grant")


def test_a_code_dies_with_the_handler_authorisation(scene: Scene, people: People, time: MovableClock) -> None:
    code = scene.browser.code_for(scene.rp)
    people.change_handler(scene.handler_authorization_id, status="revoked")
    assert_error(scene.rp.redeem(code), "invalid_grant")


def test_a_code_gives_nothing_when_the_client_serves_the_matter_no_more(scene: Scene, people: People) -> None:
    code = scene.browser.code_for(scene.rp)
    people.change_handler(scene.handler_authorization_id, matters=["another-matter"])
    assert_error(scene.rp.redeem(code), "invalid_grant")


def test_nothing_outlives_the_handler_authorisation(scene: Scene, people: People, time: MovableClock) -> None:
    ends_at: datetime = time.now()
    time.advance(seconds=-90)
    people.change_handler(scene.handler_authorization_id, valid_until=ends_at, valid_from=time.now())
    answer = scene.rp.redeem(scene.browser.code_for(scene.rp)).get_json()
    assert answer["expires_in"] == 90


def test_a_verifier_is_no_code(scene: Scene) -> None:
    assert_error(scene.rp.redeem(VERIFIER), "invalid_grant")


def test_a_code_is_bound_to_the_person_who_was_there(scene: Scene, people: People, browser: Browser) -> None:
    code = scene.browser.code_for(scene.rp)
    browser.sign_in(people.person())  # ends the former login in this browser
    assert_error(scene.rp.redeem(code), "invalid_grant")


def test_a_grant_that_ends_in_the_middle_of_its_redemption_gives_no_tokens(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.browser.allow(scene.rp, scene.account_id)
    asked = json.dumps({"id_token": {"email": None}})
    code = scene.browser.code_for(scene.rp, scope="openid", claims=asked)
    monkeypatch.setattr(grants, "find_grant_with_person", lambda *_: None)
    assert_error(scene.rp.redeem(code), "invalid_grant")
