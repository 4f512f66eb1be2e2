from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from joserfc import jwe
from joserfc.jwk import ECKey

from idp import clock
from tests.oauth.browser import answer_of, own_form
from tests.oauth.conftest import RegisterClient, Scene
from tests.oauth.relying_party import CLIENT_KEY, ISSUER, RelyingParty, claims_of, header_of

ENCRYPTION_KEY = ECKey.generate_key("P-256", {"kid": "enc", "use": "enc"})


def response_of(scene: Scene, rp: RelyingParty, **changes: Any) -> str:
    answer = answer_of(scene.browser.authorize(rp, **{"response_mode": "jwt"} | changes))
    assert answer.keys() == {"response"}
    return answer["response"]


@pytest.mark.checklist(47)
@pytest.mark.parametrize("mode", ["jwt", "query.jwt"])
def test_the_answer_is_one_signed_jwt(scene: Scene, mode: str) -> None:
    response = response_of(scene, scene.rp, response_mode=mode)
    header, claims = header_of(response), claims_of(response, scene.rp.http)
    assert (header["alg"], bool(header["kid"])) == ("RS256", True)
    assert claims.keys() == {"iss", "aud", "exp", "code", "state"}
    assert (claims["iss"], claims["aud"], claims["state"]) == (ISSUER, scene.rp.client_id, "a-state")
    assert 0 < claims["exp"] - clock.now().timestamp() <= 600
    assert scene.rp.redeem(claims["code"]).status_code == 200


@pytest.mark.checklist(47)
def test_a_state_that_was_not_sent_is_not_invented(scene: Scene) -> None:
    assert "state" not in claims_of(response_of(scene, scene.rp, state=None), scene.rp.http)


@pytest.mark.checklist(47)
@pytest.mark.parametrize("changes", [{"prompt": "none", "max_age": 0}, {"scope": "x"}, {"claims": "["}])
def test_an_error_goes_the_same_way(scene: Scene, changes: dict[str, Any]) -> None:
    claims = claims_of(response_of(scene, scene.rp, **changes), scene.rp.http)
    assert claims.keys() == {"iss", "aud", "exp", "error", "error_description", "state"}


@pytest.mark.checklist(44, 47)
def test_the_form_holds_the_jwt_alone(scene: Scene) -> None:
    page = scene.browser.authorize(scene.rp, response_mode="form_post.jwt")
    assert page.status_code == 200
    fields = re.findall(r'<input type="hidden" name="([a-z_]+)" value="([^"]*)"', own_form(page.text))
    assert [name for name, _ in fields] == ["response"]
    assert "code" in claims_of(unescape(fields[0][1]), scene.rp.http)


@pytest.mark.checklist(47)
def test_the_algorithm_is_the_registered_one(register: RegisterClient, scene: Scene) -> None:
    rp = register(authorization_signed_response_alg="ES256")
    scene.browser.allow(rp, scene.account_id, scene.enterprise_id)
    assert header_of(response_of(scene, rp))["alg"] == "ES256"


def test_the_answer_is_encrypted_where_that_is_registered(register: RegisterClient, scene: Scene) -> None:
    keys = [key.as_dict(private=False) for key in (CLIENT_KEY, ENCRYPTION_KEY)]
    rp = register(authorization_encrypted_response_alg="ECDH-ES", jwks={"keys": keys})
    scene.browser.allow(rp, scene.account_id, scene.enterprise_id)
    registry = jwe.JWERegistry(algorithms=["ECDH-ES", "A256GCM"])
    opened = jwe.decrypt_compact(response_of(scene, rp), ENCRYPTION_KEY, registry=registry)
    assert opened.headers()["cty"] == "JWT"
    assert opened.plaintext is not None
    assert "code" in claims_of(opened.plaintext.decode(), rp.http)


def test_who_has_no_key_to_encrypt_to_is_told_so_in_the_clear(register: RegisterClient, scene: Scene) -> None:
    signing_only = CLIENT_KEY.as_dict(private=False) | {"use": "sig"}
    rp = register(authorization_encrypted_response_alg="RSA-OAEP-256", jwks={"keys": [signing_only]})
    scene.browser.allow(rp, scene.account_id, scene.enterprise_id)
    answer = answer_of(scene.browser.authorize(rp, response_mode="jwt"))
    assert (answer["error"], answer["state"], answer["iss"]) == ("server_error", "a-state", ISSUER)
