from __future__ import annotations

from typing import Any, Final

import pytest
from joserfc.jwk import ECKey, OKPKey, RSAKey

from idp import clock
from idp.domain.audit import Origin
from idp.domain.errors import Refusal
from idp.services import clients
from idp.services.platform import Platform
from tests.oauth.browser import answer_of
from tests.oauth.conftest import RegisterClient, Scene, both_backends
from tests.oauth.relying_party import (
    ASSERTION_TYPE,
    CLIENT_KEY,
    DEFAULTS,
    DPOP_KEY,
    ISSUER,
    RelyingParty,
    assert_error,
    claims_of,
    dpop_proof,
    header_of,
    raw_signed,
)
from tests.services.conftest import MovableClock, at_once

RSA_KEY: Final = RSAKey.generate_key(2048, {"kid": "rsa"})
ED_KEY: Final = OKPKey.generate_key("Ed25519", {"kid": "ed"})
OTHER_DPOP_KEY: Final = ECKey.generate_key("P-256")
JWKS: Final = {"keys": [key.as_dict(private=False) for key in (CLIENT_KEY, RSA_KEY, ED_KEY)]}
TOKEN: Final = "/oauth/token"


@pytest.fixture
def fapi(register: RegisterClient, scene: Scene) -> RelyingParty:
    rp = register(profile="fapi2", jwks=JWKS)
    scene.browser.allow(rp, scene.account_id, scene.enterprise_id)
    return rp


@pytest.fixture
def signing(register: RegisterClient, scene: Scene) -> RelyingParty:
    rp = register(profile="fapi2-message-signing", jwks=JWKS)
    scene.browser.allow(rp, scene.account_id, scene.enterprise_id)
    return rp


def code_for(scene: Scene, rp: RelyingParty, **changes: Any) -> str:
    return answer_of(scene.browser.http.get("/oauth/authorize", query_string=rp.pushed(**changes)))["code"]


def proof(**changes: Any) -> dict[str, str]:
    return {"DPoP": dpop_proof(TOKEN, **changes)}


def tokens_of(scene: Scene, rp: RelyingParty) -> dict[str, Any]:
    response = rp.redeem(code_for(scene, rp), headers=proof())
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.get_json()
    return answer


# --- registration


@pytest.mark.checklist(12, 98, 100)
def test_the_profile_says_in_the_registration_what_follows_from_it(fapi: RelyingParty) -> None:
    metadata = fapi.registered.metadata
    assert metadata["require_pushed_authorization_requests"] is True
    assert metadata["dpop_bound_access_tokens"] is True
    assert metadata["token_endpoint_auth_method"] == "private_key_jwt"
    assert metadata["id_token_signed_response_alg"] == "ES256"


def test_message_signing_adds_signed_requests_and_answers(signing: RelyingParty) -> None:
    metadata = signing.registered.metadata
    assert metadata["require_signed_request_object"] is True
    assert metadata["authorization_signed_response_alg"] == "ES256"
    assert metadata["introspection_signed_response_alg"] == "ES256"


@pytest.mark.checklist(65)
@pytest.mark.parametrize("profile", ["fapi2", "fapi2-message-signing"])
@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("token_endpoint_auth_method", "client_secret_basic"),
        ("token_endpoint_auth_method", "client_secret_post"),
        ("token_endpoint_auth_method", "none"),
        ("token_endpoint_auth_signing_alg", "RS256"),
        ("id_token_signed_response_alg", "RS256"),
        ("access_token_signed_response_alg", "RS256"),
        ("request_object_signing_alg", "RS256"),
        ("userinfo_signed_response_alg", "RS256"),
        ("authorization_signed_response_alg", "RS256"),
        ("introspection_signed_response_alg", "RS256"),
    ],
)
def test_what_the_profile_forbids_can_not_be_registered(
    platform: Platform, profile: str, member: str, value: str
) -> None:
    metadata = DEFAULTS | {"profile": profile, "jwks": JWKS, member: value}
    refused = clients.register(platform, metadata, Origin("", "", ""))
    assert isinstance(refused, Refusal)
    assert member in {problem.field for problem in refused.problems}


# --- the whole way


@both_backends
def test_a_sign_in_by_the_profile(scene: Scene, fapi: RelyingParty) -> None:
    answer = tokens_of(scene, fapi)
    assert answer["token_type"] == "DPoP"
    claims = claims_of(answer["access_token"], fapi.http)
    assert claims["cnf"] == {"jkt": DPOP_KEY.thumbprint()}
    assert claims["enterprise_credit_code"] == "91990101MADEM00117"
    assert header_of(answer["id_token"])["alg"] == "ES256"
    headers = {
        "Authorization": f"DPoP {answer['access_token']}",
        "DPoP": dpop_proof("/oauth/userinfo", method="GET", access_token=answer["access_token"]),
    }
    assert fapi.http.get("/oauth/userinfo", headers=headers).status_code == 200


def test_a_sign_in_by_message_signing(scene: Scene, signing: RelyingParty) -> None:
    response = signing.push({"request": signing.request_object()})
    assert response.status_code == 201, response.text
    query = {"client_id": signing.client_id, "request_uri": response.get_json()["request_uri"]}
    answer = answer_of(scene.browser.http.get("/oauth/authorize", query_string=query))
    assert answer.keys() == {"response"}
    assert header_of(answer["response"])["alg"] == "ES256"
    claims = claims_of(answer["response"], signing.http)
    assert (claims["iss"], claims["aud"]) == (ISSUER, signing.client_id)
    assert signing.redeem(claims["code"], headers=proof()).status_code == 200


@pytest.mark.checklist(20, 43)
def test_answers_and_errors_name_the_issuer(scene: Scene, fapi: RelyingParty) -> None:
    for changes in ({}, {"prompt": "none", "max_age": "0"}):
        query = fapi.pushed(**changes)
        assert answer_of(scene.browser.http.get("/oauth/authorize", query_string=query))["iss"] == ISSUER


# --- no way around it


@pytest.mark.checklist(98)
def test_a_request_in_the_open_is_refused(scene: Scene, fapi: RelyingParty) -> None:
    assert answer_of(scene.browser.authorize(fapi))["error"] == "invalid_request"


@pytest.mark.checklist(98)
@pytest.mark.parametrize("response_type", ["code id_token", "id_token", "token", "code token"])
def test_nothing_but_a_code_is_answered(fapi: RelyingParty, response_type: str) -> None:
    assert_error(fapi.push(response_type=response_type), "unsupported_response_type")


@pytest.mark.checklist(100)
def test_a_token_without_a_key_is_refused_and_the_code_kept(scene: Scene, fapi: RelyingParty) -> None:
    code = code_for(scene, fapi)
    assert_error(fapi.redeem(code), "invalid_dpop_proof")
    assert fapi.redeem(code, headers=proof()).status_code == 200


@pytest.mark.checklist(55)
@pytest.mark.parametrize(("seconds", "status"), [(58, 200), (62, 400)])
def test_a_code_lives_for_a_minute(
    scene: Scene, fapi: RelyingParty, time: MovableClock, seconds: int, status: int
) -> None:
    code = code_for(scene, fapi)
    time.advance(seconds=seconds)
    assert fapi.redeem(code, headers=proof()).status_code == status


@pytest.mark.checklist(63)
@pytest.mark.parametrize(
    "audience",
    [[ISSUER], f"{ISSUER}/oauth/token", f"{ISSUER}/oauth/par", "https://other.example", f"{ISSUER}/", None],
)
@pytest.mark.parametrize("path", [TOKEN, "/oauth/par"])
def test_an_assertion_is_for_the_issuer_as_one_text(fapi: RelyingParty, path: str, audience: Any) -> None:
    form = fapi.request() | fapi.with_assertion(aud=audience) | {"grant_type": "client_credentials"}
    assert_error(fapi.http.post(path, data=form), "invalid_client", 401)


@pytest.mark.checklist(64)
@pytest.mark.parametrize(("seconds", "status"), [(8, 201), (10, 201), (61, 401), (3600, 401)])
@pytest.mark.parametrize("name", ["iat", "nbf"])
def test_clocks_may_differ_by_seconds(
    fapi: RelyingParty, time: MovableClock, name: str, seconds: int, status: int
) -> None:
    moment = int(time.now().timestamp()) + seconds
    form = fapi.request() | fapi.with_assertion(**{name: moment, "exp": moment + 60})
    assert fapi.http.post("/oauth/par", data=form).status_code == status


@pytest.mark.checklist(65)
@pytest.mark.parametrize(
    ("key", "algorithm", "kid", "status"),
    [
        (CLIENT_KEY, "ES256", "client-key", 201),
        (RSA_KEY, "PS256", "rsa", 201),
        (ED_KEY, "EdDSA", "ed", 201),
        (RSA_KEY, "RS256", "rsa", 401),
    ],
)
def test_assertions_are_signed_by_the_algorithms_of_the_profile(
    fapi: RelyingParty, key: Any, algorithm: str, kid: str, status: int
) -> None:
    now = int(clock.now().timestamp())
    claims = {"iss": fapi.client_id, "sub": fapi.client_id, "aud": ISSUER, "exp": now + 60, "jti": "x"}
    assertion = raw_signed(claims, key, {"alg": algorithm, "kid": kid})
    form = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
    assert fapi.http.post("/oauth/par", data=fapi.request() | form).status_code == status


@pytest.mark.checklist(66)
def test_without_an_assertion_nobody_is_served(fapi: RelyingParty) -> None:
    assert_error(fapi.http.post("/oauth/par", data=fapi.request()), "invalid_client", 401)
    form = fapi.request(client_id="another") | fapi.with_assertion()
    assert_error(fapi.http.post("/oauth/par", data=form), "invalid_client", 401)


# --- refresh tokens


@both_backends
@pytest.mark.checklist(90)
def test_a_bound_confidential_client_keeps_its_refresh_token(scene: Scene, fapi: RelyingParty) -> None:
    token = tokens_of(scene, fapi)["refresh_token"]
    for response in at_once([lambda: fapi.refresh(token, headers=proof())] * 3):
        assert response.status_code == 200, response.text
        assert response.get_json()["refresh_token"] == token


@pytest.mark.checklist(90)
def test_it_needs_a_proof_too_and_may_change_its_key(scene: Scene, fapi: RelyingParty) -> None:
    token = tokens_of(scene, fapi)["refresh_token"]
    assert_error(fapi.refresh(token), "invalid_dpop_proof")
    answer = fapi.refresh(token, headers=proof(key=OTHER_DPOP_KEY)).get_json()
    assert claims_of(answer["access_token"], fapi.http)["cnf"] == {"jkt": OTHER_DPOP_KEY.thumbprint()}


@pytest.mark.checklist(86)
def test_a_refresh_token_of_another_client_is_refused(
    scene: Scene, fapi: RelyingParty, signing: RelyingParty
) -> None:
    token = tokens_of(scene, fapi)["refresh_token"]
    assert_error(signing.refresh(token, headers=proof()), "invalid_grant")
    assert_error(fapi.refresh("unknown", headers=proof()), "invalid_grant")


@pytest.mark.checklist(91)
def test_its_refresh_token_ends_with_the_grant(scene: Scene, fapi: RelyingParty) -> None:
    token = tokens_of(scene, fapi)["refresh_token"]
    assert fapi.revoke(token).status_code == 200
    assert_error(fapi.refresh(token, headers=proof()), "invalid_grant")
