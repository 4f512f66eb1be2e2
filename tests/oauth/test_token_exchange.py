from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final

import pytest

from idp.domain.clients import TOKEN_EXCHANGE
from idp.domain.exchange import ACCESS_TOKEN, JWT
from idp.services import grants
from idp.services.grants import Grant
from tests.oauth.conftest import RegisterClient, Scene, both_backends
from tests.oauth.people import CREDIT_CODES, MATTER, People
from tests.oauth.relying_party import DPOP_KEY, ISSUER, RelyingParty, assert_error, claims_of, dpop_proof
from tests.services.conftest import MovableClock

REPORTS: Final = "https://reports.example/api"
REGISTER: Final = "https://register.example/api"
OTHER: Final = "https://other.example/api"
ARCHIVE: Final = "https://archive.example/api"
SCOPE: Final = "openid enterprise handler report:submit register:read"
DETAIL: Final = {
    "type": "enterprise_handler",
    "enterprise_credit_code": CREDIT_CODES[0],
    "matters": [MATTER],
}


@pytest.fixture
def reports(register: RegisterClient) -> RelyingParty:
    """The platform that the handler's token is for, and whose back end hands the mandate on."""
    return register(scope="report:submit", resources=[REPORTS], grant_types=[TOKEN_EXCHANGE])


@pytest.fixture
def registry(register: RegisterClient) -> RelyingParty:
    """The next platform, which may hand it on once more."""
    return register(scope="register:read", resources=[REGISTER], grant_types=[TOKEN_EXCHANGE])


@pytest.fixture
def maker(
    register: RegisterClient, scene: Scene, reports: RelyingParty, registry: RelyingParty
) -> RelyingParty:
    """The handler's own software, with consent for all that it asks."""
    rp = register(scope=SCOPE)
    page = scene.browser.authorize(rp, scope=SCOPE)
    scene.browser.press(page.location, decision="allow")
    return rp


def subject_token(scene: Scene, rp: RelyingParty, **changes: Any) -> str:
    response = rp.redeem(scene.browser.code_for(rp, **{"scope": SCOPE} | changes))
    assert response.status_code == 200, response.text
    return str(response.get_json()["access_token"])


def exchange(rp: RelyingParty, token: str, *, headers: dict[str, str] | None = None, **more: Any) -> Any:
    form = {"grant_type": TOKEN_EXCHANGE, "subject_token": token, "subject_token_type": ACCESS_TOKEN} | more
    return rp.token({name: value for name, value in form.items() if value}, headers=headers)


def exchanged(rp: RelyingParty, token: str, **more: Any) -> str:
    response = exchange(rp, token, **more)
    assert response.status_code == 200, response.text
    return str(response.get_json()["access_token"])


# --- what comes of it


@both_backends
def test_a_back_end_hands_the_mandate_on_narrowed(
    scene: Scene, maker: RelyingParty, reports: RelyingParty
) -> None:
    token = subject_token(scene, maker)
    response = exchange(reports, token, resource=REGISTER, scope="enterprise handler register:read")
    answer = response.get_json()
    assert answer.keys() == {"access_token", "issued_token_type", "token_type", "expires_in", "scope"}
    assert (answer["issued_token_type"], answer["token_type"]) == (ACCESS_TOKEN, "Bearer")
    before, after = (claims_of(each, maker.http) for each in (token, answer["access_token"]))
    assert after["aud"] == REGISTER
    assert after["scope"] == answer["scope"] == "enterprise handler register:read"
    assert after["client_id"] == reports.client_id
    assert after["act"] == {"sub": reports.client_id}
    for name in ("sub", "authorization_id", "enterprise_credit_code", "handler_authorization_id", "acr"):
        assert after[name] == before[name]
    assert after["exp"] <= before["exp"]
    assert after["jti"] != before["jti"]


def test_by_default_it_is_for_the_same_resources_with_all_that_can_be_handed_on(
    scene: Scene, maker: RelyingParty, reports: RelyingParty
) -> None:
    claims = claims_of(exchanged(reports, subject_token(scene, maker)), maker.http)
    assert sorted(claims["aud"]) == sorted([REPORTS, REGISTER])
    assert claims["scope"] == "enterprise handler register:read report:submit"


def test_for_another_resource_only_the_mandate_is_left_of_the_scopes(
    scene: Scene, maker: RelyingParty, reports: RelyingParty, register: RegisterClient
) -> None:
    register(scope="archive:write", resources=[ARCHIVE], grant_types=["client_credentials"])
    token = exchanged(reports, subject_token(scene, maker), resource=ARCHIVE)
    claims = claims_of(token, maker.http)
    assert (claims["aud"], claims["scope"]) == (ARCHIVE, "enterprise handler")
    assert claims["handler_scope"] == [MATTER]


def test_an_audience_is_a_resource_or_a_client_with_one(
    scene: Scene, maker: RelyingParty, reports: RelyingParty, registry: RelyingParty
) -> None:
    token = subject_token(scene, maker)
    for audience in (REGISTER, registry.client_id):
        assert claims_of(exchanged(reports, token, audience=audience), maker.http)["aud"] == REGISTER
    for audience in ("unknown", maker.client_id, "中"):
        assert_error(exchange(reports, token, audience=audience), "invalid_target")


def test_the_client_it_was_issued_to_may_narrow_it_too(scene: Scene, register: RegisterClient) -> None:
    rp = register(grant_types=["authorization_code", TOKEN_EXCHANGE])
    scene.browser.allow(rp, scene.account_id, scene.enterprise_id)
    token = exchanged(rp, subject_token(scene, rp, scope="openid enterprise"), scope="enterprise")
    assert claims_of(token, rp.http)["scope"] == "enterprise"
    assert rp.userinfo(token).status_code == 403  # no sign-in is handed on


def test_its_binding_is_that_of_the_actor(scene: Scene, maker: RelyingParty, reports: RelyingParty) -> None:
    token = subject_token(scene, maker)
    response = exchange(reports, token, headers={"DPoP": dpop_proof("/oauth/token")})
    assert response.get_json()["token_type"] == "DPoP"
    claims = claims_of(response.get_json()["access_token"], maker.http)
    assert claims["cnf"] == {"jkt": DPOP_KEY.thumbprint()}


@pytest.mark.parametrize("kind", [ACCESS_TOKEN, JWT])
def test_either_name_of_the_type_will_do(
    scene: Scene, maker: RelyingParty, reports: RelyingParty, kind: str
) -> None:
    token = subject_token(scene, maker)
    assert exchange(reports, token, subject_token_type=kind, requested_token_type=kind).status_code == 200


def test_authorization_details_travel_on_and_may_be_narrowed(
    scene: Scene, maker: RelyingParty, reports: RelyingParty
) -> None:
    token = subject_token(scene, maker, authorization_details=json.dumps([DETAIL]))
    answer = exchange(reports, token, resource=REGISTER).get_json()
    granted = DETAIL | {"handler_authorization_id": scene.handler_authorization_id}
    assert answer["authorization_details"] == [granted]
    assert claims_of(answer["access_token"], maker.http)["authorization_details"] == [granted]
    other = json.dumps([DETAIL | {"enterprise_credit_code": CREDIT_CODES[1]}])
    refused = exchange(reports, token, authorization_details=other)
    assert_error(refused, "invalid_authorization_details")


def test_a_back_end_that_serves_no_matter_narrows_details_too(
    scene: Scene, maker: RelyingParty, register: RegisterClient
) -> None:
    plain = register(scope=SCOPE, grant_types=[TOKEN_EXCHANGE], resources=[OTHER], matters=[])
    token = subject_token(scene, maker, authorization_details=json.dumps([DETAIL]), resource=OTHER)
    asked = json.dumps([DETAIL])
    assert exchange(plain, token, authorization_details=asked).get_json()["authorization_details"]


def test_details_that_have_ended_leave_nothing_rather_than_everything(
    scene: Scene, maker: RelyingParty, reports: RelyingParty, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the grant has another matter beside the ended one that the token is for."""
    token = subject_token(scene, maker, authorization_details=json.dumps([DETAIL]))
    found = grants.find_grant

    def with_other_details(*about: Any) -> Grant | None:
        grant = found(*about)
        return grant and replace(grant, details=())

    monkeypatch.setattr(grants, "find_grant", with_other_details)
    response = exchange(reports, token)
    assert_error(response, "invalid_request")
    assert "has ended" in response.get_json()["error_description"]


# --- who may


def test_nobody_else_may_act(scene: Scene, maker: RelyingParty, register: RegisterClient) -> None:
    stranger = register(grant_types=[TOKEN_EXCHANGE], resources=["https://x.example/"])
    assert_error(exchange(stranger, subject_token(scene, maker)), "invalid_request")


def test_a_client_without_the_grant_may_not(scene: Scene, maker: RelyingParty) -> None:
    assert_error(exchange(maker, subject_token(scene, maker)), "unauthorized_client")


def test_a_token_that_says_who_may_act_lets_that_one_alone(
    scene: Scene, register: RegisterClient, reports: RelyingParty, registry: RelyingParty
) -> None:
    rp = register(scope=SCOPE, may_act=registry.client_id)
    page = scene.browser.authorize(rp, scope=SCOPE)
    scene.browser.press(page.location, decision="allow")
    token = subject_token(scene, rp)
    assert claims_of(token, rp.http)["may_act"] == {"iss": ISSUER, "sub": registry.client_id}
    assert_error(exchange(reports, token), "invalid_request")
    again = exchanged(registry, token, resource=REPORTS)
    assert claims_of(again, rp.http)["may_act"] == {"iss": ISSUER, "sub": registry.client_id}
    assert_error(exchange(reports, again), "invalid_request")


# --- what is refused


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"subject_token": ""}, "invalid_request"),
        ({"subject_token": "x.y.z"}, "invalid_request"),
        ({"subject_token_type": ""}, "invalid_request"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:id_token"}, "invalid_request"),
        ({"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"}, "invalid_request"),
        ({"actor_token": "x"}, "invalid_request"),
        ({"actor_token_type": ACCESS_TOKEN}, "invalid_request"),
        ({"scope": "openid"}, "invalid_scope"),
        ({"scope": "enterprise archive:write"}, "invalid_scope"),
        ({"resource": "https://unknown.example/"}, "invalid_target"),
        ({"authorization_details": "["}, "invalid_authorization_details"),
    ],
)
def test_what_can_not_be_exchanged_is_refused(
    scene: Scene, maker: RelyingParty, reports: RelyingParty, changes: dict[str, Any], error: str
) -> None:
    assert_error(exchange(reports, subject_token(scene, maker), **changes), error)


def test_a_client_s_own_token_and_an_id_token_are_nobody_s_mandate(
    scene: Scene, register: RegisterClient
) -> None:
    rp = register(grant_types=["client_credentials", "authorization_code", TOKEN_EXCHANGE])
    scene.browser.allow(rp, scene.account_id, scene.enterprise_id)
    own = rp.token({"grant_type": "client_credentials"}).get_json()["access_token"]
    id_token = rp.redeem(scene.browser.code_for(rp)).get_json()["id_token"]
    for token in (own, id_token):
        assert_error(exchange(rp, token), "invalid_request")


def test_an_expired_token_is_refused_and_its_successor_never_outlives_it(
    scene: Scene, maker: RelyingParty, reports: RelyingParty, time: MovableClock
) -> None:
    token = subject_token(scene, maker)
    time.advance(minutes=4)
    response = exchange(reports, token)
    assert 0 < response.get_json()["expires_in"] <= 60
    time.advance(minutes=2)
    assert_error(exchange(reports, token), "invalid_request")
    assert reports.introspect(response.get_json()["access_token"]) == {"active": False}


# --- it dies with what it rests on


@both_backends
def test_when_the_enterprise_revokes_its_handler_all_that_was_handed_on_is_dead(
    scene: Scene, maker: RelyingParty, reports: RelyingParty, registry: RelyingParty, people: People
) -> None:
    token = subject_token(scene, maker)
    first = exchanged(reports, token, resource=REGISTER)
    second = exchanged(registry, first)
    assert registry.introspect(second)["active"] is True
    assert registry.introspect(first)["act"] == {"sub": reports.client_id}
    people.change_handler(scene.handler_authorization_id, status="revoked")
    assert registry.introspect(first) == registry.introspect(second) == {"active": False}
    assert_error(exchange(reports, token), "invalid_request")
    assert_error(exchange(registry, first), "invalid_request")


def test_the_next_actor_is_named_with_those_before(
    scene: Scene, maker: RelyingParty, reports: RelyingParty, registry: RelyingParty
) -> None:
    first = exchanged(reports, subject_token(scene, maker), resource=REGISTER, scope="enterprise handler")
    second = exchanged(registry, first)
    claims = claims_of(second, maker.http)
    assert claims["act"] == {"sub": registry.client_id, "act": {"sub": reports.client_id}}
    assert claims["scope"] == "enterprise handler"
    assert_error(exchange(registry, first, scope="register:read"), "invalid_scope")
    for _ in range(2):
        second = exchanged(registry, second)
    assert_error(exchange(registry, second), "invalid_request")


def test_one_that_was_given_back_is_dead_alone(
    scene: Scene, maker: RelyingParty, reports: RelyingParty, registry: RelyingParty
) -> None:
    token = subject_token(scene, maker)
    first, other = exchanged(reports, token), exchanged(reports, token)
    assert reports.revoke(first).status_code == 200
    assert reports.introspect(first) == {"active": False}
    assert_error(exchange(reports, first), "invalid_request")
    assert reports.introspect(other)["active"] is True
    assert maker.introspect(token)["active"] is True
