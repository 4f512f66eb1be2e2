from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from idp.services import authentication
from idp.services.platform import Platform
from idp.storage.audit import AuditEvent as Entry
from idp.storage.authorizations import Authorization
from idp.storage.database import reading
from tests.oauth.browser import ORIGIN, answer_of
from tests.oauth.conftest import RegisterClient, Scene, both_backends
from tests.oauth.people import People
from tests.oauth.relying_party import assert_error, claims_of
from tests.services.conftest import MovableClock, at_once


def refreshed(scene: Scene, refresh_token: str, **more: Any) -> dict[str, Any]:
    response = scene.rp.refresh(refresh_token, **more)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.get_json()
    return answer


def offline_tokens(scene: Scene) -> dict[str, Any]:
    scope = "openid offline_access enterprise handler"
    response = scene.browser.authorize(scene.rp, scope=scope, prompt="consent")
    code = answer_of(scene.browser.press(response.location, decision="allow"))["code"]
    answer: dict[str, Any] = scene.rp.redeem(code).get_json()
    return answer


@pytest.mark.pitfall(7)
@pytest.mark.checklist(48, 88, 89)
@both_backends
def test_a_refresh_rotates_and_tells_the_same_sign_in(scene: Scene, time: MovableClock) -> None:
    first = scene.rp.redeem(scene.browser.code_for(scene.rp)).get_json()
    time.advance(minutes=3)
    response = scene.rp.refresh(first["refresh_token"])
    assert response.headers["Cache-Control"] == "no-store"
    second = response.get_json()
    assert second["refresh_token"] != first["refresh_token"]
    assert second["access_token"] != first["access_token"]
    before, after = (claims_of(answer["id_token"], scene.rp.http) for answer in (first, second))
    for name in ("iss", "sub", "aud", "auth_time", "acr", "amr", "sid"):
        assert after[name] == before[name]
    assert after["iat"] == before["iat"] + 180
    assert "azp" not in after
    assert after.get("nonce") in {None, before["nonce"]}
    assert scene.rp.userinfo(second["access_token"]).status_code == 200


@pytest.mark.checklist(89)
@both_backends
def test_within_the_grace_the_former_token_gets_the_same_successor(scene: Scene, time: MovableClock) -> None:
    first = scene.tokens().refresh_token
    second = refreshed(scene, first)["refresh_token"]
    time.advance(seconds=29)
    assert refreshed(scene, first)["refresh_token"] == second
    third = refreshed(scene, second)["refresh_token"]
    assert third not in {first, second}


@pytest.mark.checklist(89)
@both_backends
def test_two_refreshes_at_once_get_the_same_successor(scene: Scene) -> None:
    token = scene.tokens().refresh_token
    for _ in range(3):
        sent = token
        answers = at_once([lambda: refreshed(scene, sent)["refresh_token"] for _ in range(4)])  # noqa: B023
        assert len(set(answers)) == 1
        token = answers[0]
        assert token != sent


@pytest.mark.pitfall(7)
@pytest.mark.checklist(89)
@both_backends
def test_reuse_after_the_grace_ends_the_family(scene: Scene, time: MovableClock) -> None:
    first = scene.tokens().refresh_token
    second = refreshed(scene, first)
    time.advance(seconds=30)
    assert_error(scene.rp.refresh(first), "invalid_grant")
    assert_error(scene.rp.refresh(second["refresh_token"]), "invalid_grant")
    assert scene.rp.introspect(second["access_token"]) == {"active": False}
    with reading() as session:
        assert session.scalars(select(Authorization.revoked_reason)).one() == "refresh_token_reused"
        assert session.scalars(select(Entry.result).where(Entry.event == "token:reuse")).all() == [
            "refresh_token_reused"
        ]


@pytest.mark.checklist(89)
def test_a_token_two_generations_old_is_reuse_even_within_the_grace(scene: Scene) -> None:
    first = scene.tokens().refresh_token
    second = refreshed(scene, first)["refresh_token"]
    third = refreshed(scene, second)["refresh_token"]
    assert_error(scene.rp.refresh(first), "invalid_grant")
    assert_error(scene.rp.refresh(third), "invalid_grant")


@pytest.mark.checklist(89)
def test_public_clients_rotate_too(register: RegisterClient, scene: Scene, time: MovableClock) -> None:
    app = register(token_endpoint_auth_method="none")
    scene.browser.allow(app, scene.account_id, scene.enterprise_id)
    first = app.redeem(scene.browser.code_for(app)).get_json()["refresh_token"]
    second = app.refresh(first).get_json()["refresh_token"]
    time.advance(seconds=31)
    assert_error(app.refresh(first), "invalid_grant")
    assert_error(app.refresh(second), "invalid_grant")


@pytest.mark.checklist(86)
def test_another_client_gets_nothing_and_breaks_nothing(
    register: RegisterClient, scene: Scene, time: MovableClock
) -> None:
    other = register()
    first = scene.tokens().refresh_token
    assert_error(other.refresh(first), "invalid_grant")
    assert_error(other.refresh(first, scope="openid phone unknown"), "invalid_grant")
    second = refreshed(scene, first)["refresh_token"]
    time.advance(minutes=1)
    assert_error(other.refresh(first), "invalid_grant")
    refreshed(scene, second)


@pytest.mark.checklist(86)
def test_a_confidential_client_must_authenticate(scene: Scene) -> None:
    token = scene.tokens().refresh_token
    response = scene.rp.refresh(token, proof=False, client_id=scene.rp.client_id)
    assert_error(response, "invalid_client", 401)
    refreshed(scene, token)


@pytest.mark.checklist(37, 87)
def test_the_scope_can_be_narrowed_for_one_token(scene: Scene) -> None:
    tokens = scene.tokens()
    narrow = refreshed(scene, tokens.refresh_token, scope="openid")
    assert narrow["scope"] == "openid"
    for name in ("access_token", "id_token"):
        told = claims_of(narrow[name], scene.rp.http)
        assert not told.keys() & {"account_type", "enterprise_credit_code", "handler_scope"}
    assert scene.rp.userinfo(narrow["access_token"]).get_json() == {"sub": scene.account_id}
    whole = refreshed(scene, narrow["refresh_token"])
    assert whole["scope"] == "enterprise handler openid"


@pytest.mark.checklist(87)
def test_without_openid_among_the_narrowed_there_is_no_id_token(scene: Scene) -> None:
    assert "id_token" not in refreshed(scene, scene.tokens().refresh_token, scope="enterprise")


@pytest.mark.checklist(87)
@pytest.mark.parametrize("scope", ["openid email", "email", "unknown", "openid 中", '"\\'])
def test_the_scope_cannot_be_widened_and_the_attempt_costs_no_token(scene: Scene, scope: str) -> None:
    token = scene.tokens().refresh_token
    assert_error(scene.rp.refresh(token, scope=scope), "invalid_scope")
    refreshed(scene, token)


@pytest.mark.pitfall(7)
@pytest.mark.parametrize(
    "damage",
    [
        lambda token: token[:-1],
        lambda token: token + "0",
        lambda token: token.replace(".0.", ".1."),
        lambda token: token.replace(".0.", ".-1."),
        lambda token: token.replace(".0.", "."),
        lambda token: token.replace(".0.", ".0.0."),
        lambda token: token.rpartition(".")[0],
        lambda _: ".",
        lambda _: "x",
        lambda _: "..",
        lambda _: "中.0.x",
        lambda _: "A" * 20_000,
    ],
)
def test_what_was_never_issued_is_refused_and_breaks_nothing(scene: Scene, damage: Any) -> None:
    token = scene.tokens().refresh_token
    assert_error(scene.rp.refresh(damage(token)), "invalid_grant")
    refreshed(scene, token)


def test_a_code_is_no_refresh_token_and_no_refresh_token_is_a_code(scene: Scene) -> None:
    code = scene.browser.code_for(scene.rp)
    assert_error(scene.rp.refresh(code), "invalid_grant")
    tokens = scene.rp.redeem(code).get_json()
    assert_error(scene.rp.redeem(tokens["refresh_token"]), "invalid_grant")
    assert_error(scene.rp.refresh(tokens["access_token"]), "invalid_grant")


def test_a_missing_refresh_token_is_an_invalid_request(scene: Scene) -> None:
    assert_error(scene.rp.token({"grant_type": "refresh_token"}), "invalid_request")


@pytest.mark.checklist(91)
def test_sign_out_ends_the_refresh_token_but_not_offline_access(scene: Scene, platform: Platform) -> None:
    tied = scene.tokens()
    offline = offline_tokens(scene)
    assert scene.browser.login
    authentication.end_login(platform, scene.browser.login.sid, ORIGIN, "logout")
    assert_error(scene.rp.refresh(tied.refresh_token), "invalid_grant")
    assert scene.rp.introspect(tied.access_token) == {"active": False}
    assert "refresh_token" in refreshed(scene, offline["refresh_token"])
    assert scene.rp.userinfo(offline["access_token"]).status_code == 200


def test_without_offline_access_it_ends_with_the_session_by_the_clock(
    scene: Scene, time: MovableClock
) -> None:
    token = scene.tokens().refresh_token
    time.advance(hours=7, minutes=59)
    token = refreshed(scene, token)["refresh_token"]
    time.advance(minutes=2)
    assert_error(scene.rp.refresh(token), "invalid_grant")


def test_offline_access_lasts_thirty_days(scene: Scene, time: MovableClock) -> None:
    token = offline_tokens(scene)["refresh_token"]
    time.advance(days=29)
    token = refreshed(scene, token)["refresh_token"]
    time.advance(days=2)
    assert_error(scene.rp.refresh(token), "invalid_grant")


def test_a_new_role_is_told_at_the_next_refresh(
    register: RegisterClient, scene: Scene, people: People
) -> None:
    rp = register(roles=["regulator"])
    scene.browser.allow(rp, scene.account_id)
    first = rp.redeem(scene.browser.code_for(rp, scope="openid roles")).get_json()
    people.give_role(scene.account_id, rp.client_id, "regulator")
    second = rp.refresh(first["refresh_token"]).get_json()
    assert claims_of(second["access_token"], rp.http)["roles"] == ["regulator"]
