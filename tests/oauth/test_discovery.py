from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from idp.config import Settings
from idp.oauth import metadata
from tests.oauth.relying_party import ISSUER
from tests.queries import AssertQueries

# RFC 8414 §2, OIDC Discovery 3, RP-Initiated Logout 2.1, Back-Channel Logout 2.1, RFC 9207 3, RFC 9126 5,
# RFC 9701 7, JARM 4, RFC 9101 10.5, RFC 9396 10, RFC 9449 5.1, prompt_values_supported (Registration 1.0).
TYPES: dict[str, type] = {
    "issuer": str,
    "authorization_endpoint": str,
    "token_endpoint": str,
    "userinfo_endpoint": str,
    "jwks_uri": str,
    "pushed_authorization_request_endpoint": str,
    "device_authorization_endpoint": str,
    "introspection_endpoint": str,
    "revocation_endpoint": str,
    "registration_endpoint": str,
    "end_session_endpoint": str,
    "scopes_supported": list,
    "response_types_supported": list,
    "response_modes_supported": list,
    "grant_types_supported": list,
    "subject_types_supported": list,
    "id_token_signing_alg_values_supported": list,
    "token_endpoint_auth_methods_supported": list,
    "token_endpoint_auth_signing_alg_values_supported": list,
    "introspection_endpoint_auth_methods_supported": list,
    "introspection_endpoint_auth_signing_alg_values_supported": list,
    "revocation_endpoint_auth_methods_supported": list,
    "revocation_endpoint_auth_signing_alg_values_supported": list,
    "code_challenge_methods_supported": list,
    "authorization_response_iss_parameter_supported": bool,
    "authorization_signing_alg_values_supported": list,
    "authorization_encryption_alg_values_supported": list,
    "authorization_encryption_enc_values_supported": list,
    "id_token_encryption_alg_values_supported": list,
    "id_token_encryption_enc_values_supported": list,
    "userinfo_signing_alg_values_supported": list,
    "userinfo_encryption_alg_values_supported": list,
    "userinfo_encryption_enc_values_supported": list,
    "introspection_signing_alg_values_supported": list,
    "introspection_encryption_alg_values_supported": list,
    "introspection_encryption_enc_values_supported": list,
    "authorization_details_types_supported": list,
    "require_request_uri_registration": bool,
    "request_object_signing_alg_values_supported": list,
    "dpop_signing_alg_values_supported": list,
    "acr_values_supported": list,
    "prompt_values_supported": list,
    "claim_types_supported": list,
    "verified_claims_supported": bool,
    "trust_frameworks_supported": list,
    "claims_in_verified_claims_supported": list,
    "authority_claims_supported": list,
    "authority_permissions_supported": list,
    "authority_granted_methods_supported": list,
    "claims_supported": list,
    "claims_parameter_supported": bool,
    "request_parameter_supported": bool,
    "request_uri_parameter_supported": bool,
    "ui_locales_supported": list,
    "backchannel_logout_supported": bool,
    "backchannel_logout_session_supported": bool,
    "frontchannel_logout_supported": bool,
    "frontchannel_logout_session_supported": bool,
}


@pytest.fixture
def document(http: FlaskClient) -> dict[str, Any]:
    document: dict[str, Any] = http.get("/.well-known/openid-configuration").get_json()
    return document


@pytest.mark.checklist(1, 11)
@pytest.mark.parametrize("path", metadata.DISCOVERY_PATHS)
def test_discovery_answers_everyone_and_may_be_cached(http: FlaskClient, path: str) -> None:
    response = http.get(path)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    assert re.fullmatch(r"public, max-age=\d{2,5}", response.headers["Cache-Control"])
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    head = http.head(path)
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Length"] == response.headers["Content-Length"]


@pytest.mark.checklist(2)
def test_the_issuer_is_the_one_that_the_address_was_built_from(document: dict[str, Any]) -> None:
    assert document["issuer"] == ISSUER


@pytest.mark.checklist(2, 3)
def test_behind_https_every_endpoint_is_https() -> None:
    document = metadata.provider_metadata(Settings(issuer="https://id.example"))
    assert document["issuer"] == "https://id.example"
    endpoints = [value for name, value in document.items() if name.endswith(("_endpoint", "_uri"))]
    assert len(endpoints) == 10
    assert all(endpoint.startswith("https://id.example/") for endpoint in endpoints)


@pytest.mark.checklist(3)
def test_every_endpoint_in_the_metadata_answers(document: dict[str, Any], http: FlaskClient) -> None:
    for name, value in document.items():
        if name.endswith(("_endpoint", "_uri")):
            path = urlsplit(value).path
            answers = {http.get(path).status_code, http.post(path).status_code}
            assert answers & {200, 303, 400, 401}, (name, answers)
            assert not answers & {404, 500}, (name, answers)


@pytest.mark.checklist(4)
def test_members_have_their_types_and_a_value(document: dict[str, Any]) -> None:
    assert {name: type(value) for name, value in document.items()} == TYPES
    for value in document.values():
        assert value not in (None, [], "")
        assert not isinstance(value, list) or all(isinstance(item, str) and item for item in value)
        assert not isinstance(value, list) or len(value) == len(set(value))


@pytest.mark.checklist(5, 76)
def test_nothing_is_promised_that_is_not_there(document: dict[str, Any]) -> None:
    assert document["response_modes_supported"] == [
        "query",
        "form_post",
        "jwt",
        "query.jwt",
        "form_post.jwt",
    ]
    assert not {"implicit", "password"} & set(document["grant_types_supported"])
    assert document["require_request_uri_registration"] is True
    assert "none" not in document["introspection_endpoint_auth_methods_supported"]
    assert "none" not in document["id_token_signing_alg_values_supported"]
    assert "none" not in document["token_endpoint_auth_signing_alg_values_supported"]
    assert "at_hash" not in document["claims_supported"]  # no ID token of ours has it


@pytest.mark.checklist(6)
def test_what_clients_need_to_know_is_there(document: dict[str, Any]) -> None:
    assert document["response_types_supported"] == ["code"]
    assert document["subject_types_supported"] == ["public", "pairwise"]
    assert "RS256" in document["id_token_signing_alg_values_supported"]
    assert "openid" in document["scopes_supported"]
    assert {"sub", "enterprise_credit_code", "handler_scope"} <= set(document["claims_supported"])
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["acr_values_supported"] == ["urn:gsp:acr:2fa", "urn:gsp:acr:2fa-crypto"]


@pytest.mark.checklist(7)
def test_locales_are_language_tags(document: dict[str, Any]) -> None:
    assert document["ui_locales_supported"] == ["zh-CN", "en"]


@pytest.mark.checklist(119)
def test_back_channel_logout_is_announced(document: dict[str, Any]) -> None:
    assert document["backchannel_logout_supported"] is True
    assert document["backchannel_logout_session_supported"] is True


@pytest.mark.parametrize("path", [*metadata.DISCOVERY_PATHS, metadata.JWKS_PATH])
def test_the_documents_are_only_for_reading(http: FlaskClient, path: str) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        response = http.open(path, method=method)
        assert response.status_code == 405
        assert response.headers["Allow"] == "GET, HEAD"


def test_reading_them_costs_no_query(http: FlaskClient, assert_queries: AssertQueries) -> None:
    with assert_queries(0):
        for path in (*metadata.DISCOVERY_PATHS, metadata.JWKS_PATH):
            assert http.get(path).status_code == 200


@pytest.mark.pitfall(2)
@pytest.mark.checklist(2)
def test_the_issuer_is_a_setting_and_not_the_host_of_the_request(make_app: Any, settings: Any) -> None:
    app: Flask = make_app(issuer="https://id.example")
    assert isinstance(settings(), Settings)
    response = app.test_client().get(metadata.DISCOVERY_PATHS[0], headers={"Host": "evil.example"})
    assert response.get_json()["issuer"] == "https://id.example"
    assert "evil" not in response.text


CERTIFICATES: dict[str, Any] = {
    "client_certificate_header": "Client-Cert",
    "client_certificate_verify_header": "Client-Cert-Verify",
}
CERTIFICATE_METHODS = {"tls_client_auth", "self_signed_tls_client_auth"}


def _authentication_methods(document: dict[str, Any]) -> list[set[str]]:
    return [set(value) for name, value in document.items() if name.endswith("_auth_methods_supported")]


@pytest.mark.parametrize("path", metadata.DISCOVERY_PATHS)
def test_without_mutual_tls_nothing_is_said_of_certificates(http: FlaskClient, path: str) -> None:
    document = http.get(path).get_json()
    assert len(_authentication_methods(document)) >= 3
    assert not any(methods & CERTIFICATE_METHODS for methods in _authentication_methods(document))
    assert not document.keys() & {"tls_client_certificate_bound_access_tokens", "mtls_endpoint_aliases"}


@pytest.mark.parametrize("path", metadata.DISCOVERY_PATHS)
def test_with_mutual_tls_methods_and_bound_tokens_are_announced(make_app: Any, path: str) -> None:
    document = make_app(**CERTIFICATES).test_client().get(path).get_json()
    assert all(methods >= CERTIFICATE_METHODS for methods in _authentication_methods(document))
    assert document["tls_client_certificate_bound_access_tokens"] is True
    assert "mtls_endpoint_aliases" not in document  # the issuer's own host asks for certificates


def test_the_aliases_are_the_endpoints_that_programs_call(make_app: Any) -> None:
    changes = CERTIFICATES | {"issuer": "https://id.example", "mtls_url": "https://mtls.id.example"}
    document = make_app(**changes).test_client().get(metadata.DISCOVERY_PATHS[0]).get_json()
    aliases = document["mtls_endpoint_aliases"]
    assert aliases.keys() >= {
        "token_endpoint",
        "introspection_endpoint",
        "revocation_endpoint",
        "userinfo_endpoint",
        "pushed_authorization_request_endpoint",
    }
    assert not aliases.keys() & {"authorization_endpoint", "end_session_endpoint", "jwks_uri", "issuer"}
    for name, address in aliases.items():
        assert address == document[name].replace("https://id.example/", "https://mtls.id.example/")
        assert address != document[name]
