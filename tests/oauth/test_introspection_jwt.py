from __future__ import annotations

from typing import Any

import pytest
from joserfc import jwe
from joserfc.jwk import ECKey
from werkzeug.test import TestResponse

from tests.oauth.conftest import RegisterClient, Scene
from tests.oauth.relying_party import CLIENT_KEY, ISSUER, RelyingParty, assert_error, claims_of, header_of
from tests.services.conftest import MovableClock

JWT = "application/token-introspection+jwt"
ENCRYPTION_KEY = ECKey.generate_key("P-256", {"kid": "enc", "use": "enc"})
KEYS = {"keys": [key.as_dict(private=False) for key in (CLIENT_KEY, ENCRYPTION_KEY)]}


def ask(rp: RelyingParty, token: str, accept: str | None = JWT) -> TestResponse:
    headers, members = rp.proof()
    accepted = {"Accept": accept} if accept is not None else {}
    return rp.http.post("/oauth/introspect", data={"token": token, **members}, headers=headers | accepted)


def token_of(scene: Scene, rp: RelyingParty) -> str:
    scene.browser.allow(rp, scene.account_id, scene.enterprise_id)
    token: str = rp.redeem(scene.browser.code_for(rp)).get_json()["access_token"]
    return token


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
def test_who_accepts_a_jwt_gets_the_answer_signed_as_registered(
    register: RegisterClient, scene: Scene, time: MovableClock, algorithm: str
) -> None:
    rp = register(introspection_signed_response_alg=algorithm)
    token = token_of(scene, rp)
    response = ask(rp, token)
    assert (response.status_code, response.headers["Content-Type"]) == (200, JWT)
    assert response.headers["Cache-Control"] == "no-store"
    header = header_of(response.text)
    assert (header["alg"], header["typ"]) == (algorithm, "token-introspection+jwt")
    assert claims_of(response.text, rp.http) == {
        "iss": ISSUER,
        "aud": rp.client_id,
        "iat": int(time.now().timestamp()),
        "token_introspection": rp.introspect(token),
    }


def test_without_an_algorithm_of_its_own_the_client_gets_rs256(scene: Scene) -> None:
    assert header_of(ask(scene.rp, scene.tokens().access_token).text)["alg"] == "RS256"


@pytest.mark.checklist(69)
@pytest.mark.parametrize("profile", ["fapi2", "fapi2-message-signing"])
def test_in_the_profile_it_is_signed_as_that_allows(register: RegisterClient, profile: str) -> None:
    rp = register(profile=profile, jwks=KEYS)
    assert header_of(ask(rp, "unknown").text)["alg"] == "ES256"


@pytest.mark.parametrize("token", ["unknown", "中", "a.b.c"])
def test_a_token_that_is_worth_nothing_is_said_to_be_so_and_no_more(scene: Scene, token: str) -> None:
    response = ask(scene.rp, token)
    assert claims_of(response.text, scene.rp.http)["token_introspection"] == {"active": False}


@pytest.mark.parametrize(
    ("accept", "signed"),
    [
        (None, False),
        ("", False),
        ("*/*", False),
        ("application/*", False),
        ("application/json", False),
        (f"application/json, {JWT};q=0.5", False),
        (f"{JWT};q=0", False),
        (",;;q=x", False),
        ("中", False),
        (JWT.upper(), True),
        (f"{JWT}, application/json", True),
        (f"{JWT}, application/json;q=0.5", True),
        (f"{JWT}, */*;q=0.1", True),
    ],
)
def test_only_who_names_the_jwt_gets_it(scene: Scene, accept: str | None, signed: bool) -> None:
    response = ask(scene.rp, "unknown", accept)
    assert response.status_code == 200
    assert response.mimetype == (JWT if signed else "application/json")


@pytest.mark.parametrize(("alg", "enc"), [("ECDH-ES", "A256GCM"), ("ECDH-ES", "A128GCM")])
def test_it_is_encrypted_to_the_resource_server_if_that_is_registered(
    register: RegisterClient, scene: Scene, alg: str, enc: str
) -> None:
    rp = register(
        introspection_encrypted_response_alg=alg, introspection_encrypted_response_enc=enc, jwks=KEYS
    )
    response = ask(rp, token_of(scene, rp))
    assert response.headers["Content-Type"] == JWT
    found = jwe.decrypt_compact(response.text, ENCRYPTION_KEY, algorithms=[alg, enc])
    assert found.headers()["cty"] == "JWT"
    assert found.plaintext is not None
    inner = found.plaintext.decode()
    assert header_of(inner)["typ"] == "token-introspection+jwt"
    assert claims_of(inner, rp.http)["token_introspection"]["active"] is True


def test_it_does_not_leave_in_the_clear_when_it_can_not_be_encrypted(register: RegisterClient) -> None:
    rp = register(introspection_encrypted_response_alg="RSA-OAEP-256", jwks=KEYS)
    assert_error(ask(rp, "unknown"), "invalid_request")


def test_it_is_neither_an_access_token_nor_an_assertion(register: RegisterClient, scene: Scene) -> None:
    rp = register()
    answer = ask(rp, token_of(scene, rp)).text
    assert rp.introspect(answer) == {"active": False}
    assert rp.userinfo(answer).status_code == 401


def test_errors_stay_json(rp: RelyingParty) -> None:
    form: dict[str, Any] = {"token": "x", "client_id": rp.client_id}
    response = rp.http.post("/oauth/introspect", data=form, headers={"Accept": JWT})
    assert_error(response, "invalid_client", 401)
