from __future__ import annotations

import re

import pytest

from tests.oauth.conftest import RegisterClient, Scene
from tests.oauth.people import People
from tests.oauth.relying_party import ISSUER, claims_of, header_of
from tests.services.conftest import MovableClock


@pytest.mark.checklist(58)
def test_it_is_an_rfc_9068_token(scene: Scene, time: MovableClock) -> None:
    token = scene.tokens().access_token
    assert header_of(token)["typ"] == "at+jwt"
    assert header_of(token)["alg"] == "ES256"
    told = claims_of(token, scene.rp.http)
    now = int(time.now().timestamp())
    assert told == {
        "iss": ISSUER,
        "aud": ISSUER,
        "sub": scene.account_id,
        "client_id": scene.rp.client_id,
        "scope": "enterprise handler openid",
        "iat": now,
        "exp": now + 300,
        "jti": told["jti"],
        "authorization_id": told["authorization_id"],
        "auth_time": told["auth_time"],
        "acr": "urn:gsp:acr:2fa",
        "amr": ["pwd", "sms", "mfa"],
        "account_type": "handler",
        "enterprise_credit_code": "91990101MADEM00117",
        "handler_scope": ["nev-accident-report"],
        "handler_authorization_id": scene.handler_authorization_id,
    }


@pytest.mark.checklist(58)
def test_tokens_fit_into_a_bearer_header_and_are_random(scene: Scene) -> None:
    first, second = scene.tokens(), scene.tokens()
    for tokens in (first, second):
        assert re.fullmatch(r"[A-Za-z0-9._~+/-]+=*", tokens.access_token)
        assert re.fullmatch(r"[A-Za-z0-9._~+/-]{64,}=*", tokens.refresh_token)
    assert (
        claims_of(first.access_token, scene.rp.http)["jti"]
        != claims_of(second.access_token, scene.rp.http)["jti"]
    )
    assert first.refresh_token.split(".")[0] != second.refresh_token.split(".")[0]


def test_it_holds_nothing_personal(scene: Scene) -> None:
    tokens = scene.tokens(scope="openid profile email phone address enterprise")
    assert not claims_of(tokens.access_token, scene.rp.http).keys() & {
        *("name", "email", "phone_number", "address", "enterprise_name", "sid", "preferred_username"),
    }


@pytest.mark.pitfall(11)
@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_its_algorithm_is_as_registered(register: RegisterClient, scene: Scene, algorithm: str) -> None:
    rp = register(access_token_signed_response_alg=algorithm)
    scene.browser.allow(rp, scene.account_id, scene.enterprise_id)
    token = rp.redeem(scene.browser.code_for(rp)).get_json()["access_token"]
    assert header_of(token)["alg"] == algorithm


def test_scopes_of_a_resource_server_make_its_resources_the_audience(
    register: RegisterClient, scene: Scene
) -> None:
    register(scope="openid report:read", resources=["https://a.example/api", "https://a.example/v2"])
    register(scope="openid other:read", resources=["https://b.example/api"])
    rp = register(scope="openid report:read other:read")
    scene.browser.allow(rp, scene.account_id)
    expected = {
        "openid": ISSUER,
        "openid other:read": "https://b.example/api",
        "openid report:read": ["https://a.example/api", "https://a.example/v2"],
    }
    for scope, audience in expected.items():
        page = scene.browser.authorize(rp, scope=scope)
        if "code=" not in page.location:
            page = scene.browser.press(page.location, decision="allow")
        code = page.location.split("code=")[1].split("&")[0]
        token = rp.redeem(code).get_json()["access_token"]
        assert claims_of(token, rp.http)["aud"] == audience


def test_an_id_token_is_no_access_token_and_no_access_token_is_a_hint(scene: Scene) -> None:
    tokens = scene.tokens()
    assert scene.rp.userinfo(tokens.id_token).status_code == 401
    assert scene.rp.introspect(tokens.id_token) == {"active": False}
    response = scene.browser.authorize(scene.rp, id_token_hint=tokens.access_token)
    assert "error=invalid_request" in response.location


def test_people_of_the_domain_do_not_share_tokens(scene: Scene, people: People) -> None:
    other = people.person()
    scene.browser.sign_in(other)
    scene.browser.allow(scene.rp, other)
    assert claims_of(scene.tokens().access_token, scene.rp.http)["sub"] == other
