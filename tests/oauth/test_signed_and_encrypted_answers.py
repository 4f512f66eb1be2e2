from __future__ import annotations

import json
from typing import Any

import pytest
from joserfc import jwe
from joserfc.jwk import ECKey, Key, RSAKey

from idp import clock
from idp.domain.clients import SIGNING_ALGORITHMS
from idp.oauth import tokens
from idp.oauth.client_keys import JWKS_PAUSE, JWKS_TTL
from idp.services.outbox import DeliveryError
from idp.services.platform import Platform
from tests.oauth.browser import answer_of, is_error_page
from tests.oauth.conftest import RegisterClient, Scene
from tests.oauth.key_server import KeyServer
from tests.oauth.relying_party import ISSUER, RelyingParty, assert_error, claims_of, header_of
from tests.services.conftest import MovableClock

EC = ECKey.generate_key("P-256", {"kid": "ec", "use": "enc"})
RSA = RSAKey.generate_key(2048, {"kid": "rsa", "use": "enc"})
SIGNS = ECKey.generate_key("P-256", {"kid": "signs", "use": "sig"})
ENCRYPTIONS = [("ECDH-ES", "A256GCM", EC), ("ECDH-ES", "A128GCM", EC), ("RSA-OAEP-256", "A256GCM", RSA)]


def public(*keys: Key) -> dict[str, Any]:
    return {"keys": [key.as_dict(private=False) for key in keys]}


def opened(token: str, key: Key) -> str:
    """The signed JWT within a nested one."""
    registry = jwe.JWERegistry(algorithms=["ECDH-ES", "RSA-OAEP-256", "A256GCM", "A128GCM"])
    found = jwe.decrypt_compact(token, key, registry=registry)
    assert (found.headers()["cty"], found.headers()["kid"]) == ("JWT", key.kid)
    assert found.plaintext is not None
    return found.plaintext.decode()


def allowed(scene: Scene, rp: RelyingParty) -> RelyingParty:
    scene.browser.allow(rp, scene.account_id, scene.enterprise_id)
    return rp


def redeemed(scene: Scene, rp: RelyingParty, **changes: Any) -> dict[str, Any]:
    response = rp.redeem(scene.browser.code_for(allowed(scene, rp), **changes))
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.get_json()
    return answer


@pytest.mark.pitfall(11)  # Authlib signs access tokens and userinfo by HS256, RS256 and ES256 alone
@pytest.mark.checklist(69, 82)
@pytest.mark.parametrize("algorithm", SIGNING_ALGORITHMS)
def test_each_announced_algorithm_signs_every_kind_of_answer(
    register: RegisterClient, scene: Scene, algorithm: str
) -> None:
    rp = register(
        id_token_signed_response_alg=algorithm,
        access_token_signed_response_alg=algorithm,
        userinfo_signed_response_alg=algorithm,
        authorization_signed_response_alg=algorithm,
    )
    answer = redeemed(scene, rp)
    jarm = answer_of(scene.browser.authorize(rp, response_mode="jwt"))["response"]
    signed = [answer["id_token"], answer["access_token"], rp.userinfo(answer["access_token"]).text, jarm]
    published = {key["kid"]: key["alg"] for key in rp.http.get("/oauth/jwks.json").get_json()["keys"]}
    for token in signed:
        assert header_of(token)["alg"] == published[header_of(token)["kid"]] == algorithm
        assert claims_of(token, rp.http)["iss"] == ISSUER


@pytest.mark.checklist(69)
@pytest.mark.parametrize(("alg", "enc", "key"), ENCRYPTIONS)
def test_an_id_token_is_encrypted_to_the_client_if_it_registered_that(
    register: RegisterClient, scene: Scene, alg: str, enc: str, key: Key
) -> None:
    rp = register(
        id_token_encrypted_response_alg=alg,
        id_token_encrypted_response_enc=enc,
        jwks=public(SIGNS, EC, RSA),
    )
    answer = redeemed(scene, rp)
    claims = claims_of(opened(answer["id_token"], key), rp.http)
    assert (claims["sub"], claims["aud"], claims["nonce"]) == (scene.account_id, rp.client_id, "a-nonce")
    again = rp.refresh(answer["refresh_token"]).get_json()
    assert claims_of(opened(again["id_token"], key), rp.http)["auth_time"] == claims["auth_time"]


@pytest.mark.checklist(33)
def test_the_decrypted_id_token_is_a_hint_and_the_nested_one_is_none(
    register: RegisterClient, scene: Scene
) -> None:
    rp = register(id_token_encrypted_response_alg="ECDH-ES", jwks=public(EC))
    nested = redeemed(scene, rp)["id_token"]
    hint = opened(nested, EC)
    assert "code" in answer_of(scene.browser.authorize(rp, id_token_hint=hint, prompt="none"))
    refused = answer_of(scene.browser.authorize(rp, id_token_hint=nested, prompt="none"))
    assert refused["error"] == "invalid_request"


@pytest.mark.checklist(82)
def test_userinfo_is_signed_for_the_client_if_it_registered_that(
    register: RegisterClient, scene: Scene
) -> None:
    plain, signing = register(), register(userinfo_signed_response_alg="ES256")
    expected = plain.userinfo(redeemed(scene, plain)["access_token"]).get_json()
    response = signing.userinfo(redeemed(scene, signing)["access_token"])
    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/jwt")
    assert response.headers["Cache-Control"] == "no-store"
    header = header_of(response.text)
    assert (header["alg"], header["typ"]) == ("ES256", "JWT")
    assert claims_of(response.text, signing.http) == expected | {"iss": ISSUER, "aud": signing.client_id}


@pytest.mark.checklist(82)
@pytest.mark.parametrize(("alg", "enc", "key"), ENCRYPTIONS)
def test_userinfo_is_signed_and_encrypted_if_the_client_registered_encryption(
    register: RegisterClient, scene: Scene, alg: str, enc: str, key: Key
) -> None:
    rp = register(
        userinfo_encrypted_response_alg=alg, userinfo_encrypted_response_enc=enc, jwks=public(EC, RSA)
    )
    response = rp.userinfo(redeemed(scene, rp)["access_token"])
    assert response.mimetype == "application/jwt"
    claims = claims_of(opened(response.text, key), rp.http)
    assert (claims["sub"], claims["aud"]) == (scene.account_id, rp.client_id)


def test_errors_of_userinfo_stay_json(register: RegisterClient, scene: Scene) -> None:
    rp = register(userinfo_signed_response_alg="ES256")
    response = rp.userinfo("wrong")
    assert (response.status_code, response.mimetype) == (401, "application/json")


def test_a_disabled_client_learns_nothing_more(
    register: RegisterClient, scene: Scene, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    rp = register()
    token = redeemed(scene, rp)["access_token"]
    monkeypatch.setattr("idp.services.clients.find_client", lambda *_: None)
    response = rp.userinfo(token)
    assert response.status_code == 401
    assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]


# --- keys that don't fit


def test_userinfo_does_not_leave_in_the_clear_when_it_can_not_be_encrypted(
    register: RegisterClient, scene: Scene
) -> None:
    rp = register(userinfo_encrypted_response_alg="RSA-OAEP-256", jwks=public(EC))
    response = rp.userinfo(redeemed(scene, rp)["access_token"])
    assert_error(response, "invalid_request")
    assert scene.account_id not in response.text


def test_a_failing_key_address_uses_up_no_code_and_no_refresh_token(
    register: RegisterClient, scene: Scene, key_server: KeyServer, time: MovableClock
) -> None:
    rp = allowed(scene, register(id_token_encrypted_response_alg="ECDH-ES", jwks_uri=key_server.uri))
    key_server.body = json.dumps(public(EC)).encode()
    key_server.status = "503 Service Unavailable"
    code = scene.browser.code_for(rp)
    assert_error(rp.redeem(code), "invalid_request")
    key_server.status = "200 OK"
    time.advance(seconds=JWKS_PAUSE.total_seconds() + 1)
    answer = rp.redeem(code).get_json()
    assert claims_of(opened(answer["id_token"], EC), rp.http)["sub"] == scene.account_id
    key_server.status = "503 Service Unavailable"
    time.advance(seconds=JWKS_TTL.total_seconds() + 1)
    assert_error(rp.refresh(answer["refresh_token"]), "invalid_request")
    key_server.status = "200 OK"
    time.advance(seconds=JWKS_PAUSE.total_seconds() + 1)
    assert "id_token" in rp.refresh(answer["refresh_token"]).get_json()


# --- what is signed for one purpose serves no other


@pytest.mark.checklist(33, 116)
def test_no_other_signed_answer_passes_for_an_id_token(register: RegisterClient, scene: Scene) -> None:
    rp = register(userinfo_signed_response_alg="RS256")
    answer = redeemed(scene, rp)
    others = [
        rp.userinfo(answer["access_token"]).text,
        answer_of(scene.browser.authorize(rp, response_mode="jwt"))["response"],
        answer["access_token"],
    ]
    for other in others:
        hinted = answer_of(scene.browser.authorize(rp, id_token_hint=other, prompt="none"))
        assert hinted["error"] == "invalid_request"
        logout = scene.browser.http.get("/oauth/logout", query_string={"id_token_hint": other})
        assert is_error_page(logout, "id_token_hint")


@pytest.mark.checklist(83)
def test_no_other_signed_answer_passes_for_an_access_token(register: RegisterClient, scene: Scene) -> None:
    rp = register(userinfo_signed_response_alg="RS256")
    answer = redeemed(scene, rp)
    for other in (answer["id_token"], rp.userinfo(answer["access_token"]).text):
        assert rp.userinfo(other).status_code == 401
        assert rp.introspect(other) == {"active": False}


# --- logout tokens


@pytest.mark.checklist(119)
@pytest.mark.parametrize("algorithm", SIGNING_ALGORITHMS)
def test_a_logout_token_is_protected_like_the_clients_id_tokens(
    register: RegisterClient, platform: Platform, algorithm: str
) -> None:
    rp = register(
        id_token_signed_response_alg=algorithm,
        id_token_encrypted_response_alg="ECDH-ES",
        backchannel_logout_uri="https://rp.example/out",
        jwks=public(SIGNS, EC),
    )
    token = tokens.issue_logout_token(platform, rp.client_id, {"sub": "a", "sid": "s"}, clock.now())
    assert token is not None
    inner = opened(token, EC)
    assert (header_of(inner)["alg"], header_of(inner)["typ"]) == (algorithm, "logout+jwt")
    assert claims_of(inner, rp.http).items() >= {"sub": "a", "sid": "s", "aud": rp.client_id}.items()


@pytest.mark.checklist(119)
def test_a_logout_token_that_can_not_be_encrypted_now_is_tried_again(
    register: RegisterClient, platform: Platform
) -> None:
    rp = register(
        id_token_encrypted_response_alg="RSA-OAEP-256",
        backchannel_logout_uri="https://rp.example/out",
        jwks=public(EC),
    )
    message = {"client_id": rp.client_id, "claims": {"sub": "a", "sid": "s"}}
    with pytest.raises(DeliveryError, match="encryption_key_missing"):
        tokens.sign_logout_token(platform, message)


@pytest.mark.checklist(119)
def test_a_logout_token_may_name_the_session_alone(register: RegisterClient, platform: Platform) -> None:
    rp = register(backchannel_logout_uri="https://rp.example/out")
    token = tokens.issue_logout_token(platform, rp.client_id, {"sub": None, "sid": "s"}, clock.now())
    assert token is not None
    claims = claims_of(token, rp.http)
    assert claims["sid"] == "s"
    assert "sub" not in claims
