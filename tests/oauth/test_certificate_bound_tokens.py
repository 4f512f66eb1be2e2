from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest
from flask import Flask

from idp.oauth import certificates
from idp.services.platform import Platform
from tests.certificates import Identity, common_name, issue
from tests.oauth.conftest import RegisterClient, Scene, SeparateRequests
from tests.oauth.relying_party import RelyingParty, assert_error, claims_of, dpop_proof

HEADER: Final = "Client-Cert"
OWN: Final = issue(common_name("own"))
OTHER: Final = issue(common_name("other"))
BOUND: Final = {"tls_client_certificate_bound_access_tokens": True}
JOB: Final[dict[str, Any]] = {"grant_types": ["client_credentials"], "scope": "job:run"}
GRANT: Final = {"grant_type": "client_credentials"}


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    app = make_app(client_certificate_header=HEADER)
    app.test_client_class = SeparateRequests
    return app


@pytest.fixture(params=["client_secret_basic", "self_signed_tls_client_auth", "none"])
def rp(register: RegisterClient, request: pytest.FixtureRequest) -> RelyingParty:
    jwks = {"keys": [OWN.jwk()]} if request.param == "self_signed_tls_client_auth" else None
    return register(token_endpoint_auth_method=request.param, jwks=jwks, **BOUND)


def shown(identity: Identity | None) -> dict[str, str]:
    return {} if identity is None else {HEADER: identity.structured}


def userinfo(rp: RelyingParty, token: str, headers: Mapping[str, str]) -> Any:
    return rp.http.get("/oauth/userinfo", headers={"Authorization": f"Bearer {token}", **headers})


def thumbprint(platform: Platform, identity: Identity) -> str:
    certificate = certificates.presented(platform, shown(identity))
    assert certificate is not None
    return certificate.thumbprint


def test_the_token_names_the_certificate(scene: Scene, platform: Platform) -> None:
    answer = scene.rp.redeem(scene.browser.code_for(scene.rp), headers=shown(OWN)).get_json()
    assert answer["token_type"] == "Bearer"
    claims = claims_of(answer["access_token"], scene.rp.http)
    assert claims["cnf"] == {"x5t#S256": thumbprint(platform, OWN)}


def test_without_a_certificate_there_is_no_token_and_nothing_is_lost(scene: Scene) -> None:
    code = scene.browser.code_for(scene.rp)
    response = scene.rp.redeem(code, headers={})
    by_certificate = scene.rp.registered.metadata["token_endpoint_auth_method"].startswith("self_signed")
    assert_error(response, *(("invalid_client", 401) if by_certificate else ("invalid_request", 400)))
    assert scene.rp.redeem(code, headers=shown(OWN)).status_code == 200


@pytest.mark.parametrize("headers", [{}, shown(OTHER), {HEADER: "garbage"}])
def test_who_shows_the_token_must_show_its_certificate(scene: Scene, headers: dict[str, str]) -> None:
    answer = scene.rp.redeem(scene.browser.code_for(scene.rp), headers=shown(OWN)).get_json()
    refused = userinfo(scene.rp, answer["access_token"], headers)
    assert_error(refused, "invalid_token", 401)
    assert refused.headers["WWW-Authenticate"].startswith("Bearer ")
    assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]
    allowed = userinfo(scene.rp, answer["access_token"], shown(OWN))
    assert allowed.get_json()["sub"] == scene.account_id


def test_a_refreshed_token_is_bound_to_the_certificate_of_that_request(
    scene: Scene, platform: Platform
) -> None:
    """A public client's refresh token is bound itself; another client proves who it is in its own way."""
    first = scene.rp.redeem(scene.browser.code_for(scene.rp), headers=shown(OWN)).get_json()
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    method = scene.rp.registered.metadata["token_endpoint_auth_method"]
    other = scene.rp.token(form, headers=shown(OTHER))
    if method == "client_secret_basic":
        bound = claims_of(other.get_json()["access_token"], scene.rp.http)["cnf"]
        assert bound == {"x5t#S256": thumbprint(platform, OTHER)}
    else:
        assert_error(other, *(("invalid_grant", 400) if method == "none" else ("invalid_client", 401)))
    own = scene.rp.token(form, headers=shown(OWN)).get_json()
    assert claims_of(own["access_token"], scene.rp.http)["cnf"] == {"x5t#S256": thumbprint(platform, OWN)}


def test_introspection_tells_the_binding(register: RegisterClient, platform: Platform) -> None:
    job = register(**JOB, **BOUND)
    assert_error(job.token(GRANT, headers={}), "invalid_request")
    token = job.token(GRANT, headers=shown(OWN)).get_json()["access_token"]
    facts = job.introspect(token)
    assert facts["active"] is True
    assert facts["token_type"] == "Bearer"
    assert facts["cnf"] == {"x5t#S256": thumbprint(platform, OWN)}


def test_who_did_not_ask_for_bound_tokens_gets_none(register: RegisterClient) -> None:
    job = register(**JOB)
    token = job.token(GRANT, headers=shown(OWN)).get_json()["access_token"]
    assert "cnf" not in claims_of(token, job.http)


def test_an_unbound_token_is_taken_with_any_certificate(
    register: RegisterClient, scene: Scene, platform: Platform
) -> None:
    plain = register()
    scene.browser.allow(plain, scene.account_id, scene.enterprise_id)
    answer = plain.redeem(scene.browser.code_for(plain), headers=shown(OWN)).get_json()
    for headers in (shown(OTHER), {}):
        assert userinfo(plain, answer["access_token"], headers).status_code == 200


def test_a_token_bound_to_a_key_as_well_needs_both(
    register: RegisterClient, scene: Scene, platform: Platform
) -> None:
    rp = register(dpop_bound_access_tokens=True, **BOUND)
    scene.browser.allow(rp, scene.account_id, scene.enterprise_id)
    proof = {"DPoP": dpop_proof("/oauth/token")}
    answer = rp.redeem(scene.browser.code_for(rp), headers=shown(OWN) | proof).get_json()
    assert answer["token_type"] == "DPoP"
    token = answer["access_token"]
    assert claims_of(token, rp.http)["cnf"].keys() == {"jkt", "x5t#S256"}
    for identity, status in ((OWN, 200), (OTHER, 401), (None, 401)):
        headers = {
            "Authorization": f"DPoP {token}",
            "DPoP": dpop_proof("/oauth/userinfo", method="GET", access_token=token),
        }
        response = rp.http.get("/oauth/userinfo", headers=headers | shown(identity))
        assert response.status_code == status
    assert_error(userinfo(rp, token, shown(OWN)), "invalid_token", 401)


def test_a_token_is_bound_to_the_certificate_whose_thumbprint_it_names(platform: Platform) -> None:
    own, other = (certificates.presented(platform, shown(identity)) for identity in (OWN, OTHER))
    assert own is not None
    payload = {"cnf": {"x5t#S256": own.thumbprint}}
    assert certificates.bound_to(payload, own)
    assert not certificates.bound_to(payload, other)
    assert not certificates.bound_to(payload, None)
    assert not certificates.bound_to({}, own)
    assert not certificates.bound_to({"cnf": {"jkt": own.thumbprint}}, own)


def test_the_thumbprint_is_that_of_the_example_of_rfc_8705(platform: Platform) -> None:
    certificate = certificates.presented(platform, {HEADER: f":{RFC_8705_EXAMPLE}:"})
    assert certificate is not None
    assert certificate.thumbprint == "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0"


RFC_8705_EXAMPLE: Final = (
    "MIIBBjCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARtdGxzMB4XDTE4MTAx"
    "ODEyMzcwOVoXDTIyMDUwMjEyMzcwOVowDzENMAsGA1UEAwwEbXRsczBZMBMGByqG"
    "SM49AgEGCCqGSM49AwEHA0IABNcnyxwqV6hY8QnhxxzFQ03C7HKW9OylMbnQZjjJ"
    "/Au08/coZwxS7LfA4vOLS9WuneIXhbGGWvsDSb0tH6IxLm8wCgYIKoZIzj0EAwID"
    "SQAwRgIhAP0RC1E+vwJD/D1AGHGzuri+hlV/PpQEKTWUVeORWz83AiEA5x2eXZOV"
    "bUlJSGQgjwD5vaUaKlLR50Q2DmFfQj1L+SY="
)
