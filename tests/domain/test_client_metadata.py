from __future__ import annotations

from typing import Any, Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from idp.domain.client_metadata import client_from, validate_metadata
from idp.domain.clients import Client
from idp.domain.errors import Refusal

EC_KEY: Final = {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}
MINIMAL: Final[dict[str, Any]] = {"client_name": "RP", "redirect_uris": ["https://rp.example/cb"]}


def problems(*, development: bool = False, **members: Any) -> set[tuple[str, str | None]]:
    refusal = validate_metadata(MINIMAL | members, development=development)
    if not isinstance(refusal, Refusal):
        return set()
    assert all(problem.detail["reason"] for problem in refusal.problems)
    return {(problem.code, problem.field) for problem in refusal.problems}


def test_defaults_are_filled_in_and_unknown_members_left_out() -> None:
    assert validate_metadata(MINIMAL | {"unknown": 1, "client_secret": "x"}, development=False) == {
        "client_name": "RP",
        "redirect_uris": ["https://rp.example/cb"],
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "client_secret_basic",
        "application_type": "web",
        "id_token_signed_response_alg": "RS256",
        "access_token_signed_response_alg": "ES256",
        "subject_type": "public",
        "scope": "openid",
    }


def test_the_client_is_what_its_metadata_says() -> None:
    raw = MINIMAL | {
        "client_id": "rp",
        "scope": "openid email openid",
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": {"keys": [EC_KEY]},
        "matters": ["nev-accident-report"],
        "resources": ["https://rp.example/api"],
        "require_enterprise": True,
        "default_max_age": 60,
    }
    metadata = validate_metadata(raw, development=False)
    assert not isinstance(metadata, Refusal)
    assert metadata["scope"] == "openid email"
    client = client_from(metadata, (("hash", None),), disabled=True)
    assert client == Client(
        client_id="rp",
        client_name="RP",
        redirect_uris=("https://rp.example/cb",),
        grant_types=frozenset({"authorization_code", "refresh_token"}),
        token_endpoint_auth_method="private_key_jwt",
        scopes=frozenset({"openid", "email"}),
        jwks={"keys": [EC_KEY]},
        matters=("nev-accident-report",),
        resources=("https://rp.example/api",),
        require_enterprise=True,
        default_max_age=60,
        secrets=(("hash", None),),
        disabled=True,
    )
    assert not client.public


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"client_name": None}, {("metadata_required", "client_name")}),
        ({"client_name": ""}, {("metadata_invalid", "client_name")}),
        ({"client_name": "a\0b"}, {("metadata_invalid", "client_name")}),
        ({"client_name": "x" * 2001}, {("metadata_invalid", "client_name")}),
        ({"client_id": "has space"}, {("metadata_invalid", "client_id")}),
        ({"client_id": "名"}, {("metadata_invalid", "client_id")}),
        ({"client_id": "x" * 65}, {("metadata_invalid", "client_id")}),
        ({"redirect_uris": []}, {("metadata_required", "redirect_uris")}),
        ({"redirect_uris": "https://rp.example/cb"}, {("metadata_invalid", "redirect_uris")}),
        ({"redirect_uris": [5]}, {("metadata_invalid", "redirect_uris")}),
        ({"redirect_uris": ["https://rp.example/cb"] * 51}, {("metadata_invalid", "redirect_uris")}),
        ({"grant_types": 5}, {("metadata_invalid", "grant_types")}),
        ({"grant_types": []}, {("metadata_invalid", "grant_types")}),
        ({"grant_types": ["implicit"]}, {("metadata_invalid", "grant_types")}),
        ({"grant_types": ["refresh_token"]}, {("metadata_invalid", "grant_types")}),
        ({"response_types": ["token"]}, {("metadata_invalid", "response_types")}),
        (
            {"grant_types": ["client_credentials"], "response_types": ["code"]},
            {("metadata_invalid", "response_types")},
        ),
        (
            {"token_endpoint_auth_method": "client_secret_jwt"},
            {("metadata_invalid", "token_endpoint_auth_method")},
        ),
        ({"token_endpoint_auth_method": []}, {("metadata_invalid", "token_endpoint_auth_method")}),
        ({"token_endpoint_auth_method": "private_key_jwt"}, {("metadata_required", "jwks")}),
        (
            {
                "token_endpoint_auth_method": "none",
                "grant_types": ["authorization_code", "client_credentials"],
            },
            {("metadata_invalid", "grant_types")},
        ),
        (
            {"jwks": {"keys": [EC_KEY]}, "jwks_uri": "https://rp.example/jwks"},
            {("metadata_invalid", "jwks")},
        ),
        ({"jwks": []}, {("metadata_invalid", "jwks")}),
        ({"jwks": {"keys": []}}, {("metadata_invalid", "jwks")}),
        ({"jwks": {"keys": [5]}}, {("metadata_invalid", "jwks")}),
        ({"jwks": {"keys": [{"kty": "oct", "k": "AA"}]}}, {("metadata_invalid", "jwks")}),
        ({"jwks": {"keys": [{"kty": []}]}}, {("metadata_invalid", "jwks")}),
        ({"jwks": {"keys": [EC_KEY | {"d": "AA"}]}}, {("metadata_invalid", "jwks")}),
        ({"jwks": {"keys": [EC_KEY], "x": ["\ud800"]}}, {("metadata_invalid", "jwks")}),
        ({"jwks": {"keys": [EC_KEY | {"\ud800": 1}]}}, {("metadata_invalid", "jwks")}),
        ({"jwks": {"keys": [EC_KEY | {"iat": 2**53 + 1}]}}, {("metadata_invalid", "jwks")}),
        ({"jwks": {"keys": [EC_KEY | {"iat": float("nan")}]}}, {("metadata_invalid", "jwks")}),
        ({"jwks": {"keys": [EC_KEY | {"x": [[[[[]]]]]}]}}, {("metadata_invalid", "jwks")}),
        ({"jwks": {"keys": [EC_KEY | {"x": [[]], "exp": 2**53 - 1, "ext": True, "y": None}]}}, set()),
        ({"jwks": {"keys": [EC_KEY | {"x": "A" * 50_000}]}}, {("metadata_invalid", "jwks")}),
        (
            {"token_endpoint_auth_signing_alg": "HS256"},
            {("metadata_invalid", "token_endpoint_auth_signing_alg")},
        ),
        ({"id_token_signed_response_alg": "none"}, {("metadata_invalid", "id_token_signed_response_alg")}),
        ({"subject_type": "secret"}, {("metadata_invalid", "subject_type")}),
        ({"profile": "fapi3"}, {("metadata_invalid", "profile")}),
        ({"scope": 5}, {("metadata_invalid", "scope")}),
        ({"scope": 'openid "x"'}, {("metadata_invalid", "scope")}),
        ({"scope": "openid 中"}, {("metadata_invalid", "scope")}),
        ({"scope": " ".join(f"s{number}" for number in range(51))}, {("metadata_invalid", "scope")}),
        (
            {"scope": " ".join("s" * 90 + str(number) for number in range(12))},
            {("metadata_invalid", "scope")},
        ),
        ({"matters": ["unknown"]}, {("metadata_invalid", "matters")}),
        ({"roles": ["Regulator"]}, {("metadata_invalid", "roles")}),
        ({"default_acr_values": ["1"]}, {("metadata_invalid", "default_acr_values")}),
        ({"default_max_age": -1}, {("metadata_invalid", "default_max_age")}),
        ({"default_max_age": True}, {("metadata_invalid", "default_max_age")}),
        ({"require_enterprise": "yes"}, {("metadata_invalid", "require_enterprise")}),
        ({"contacts": ["nobody"]}, {("metadata_invalid", "contacts")}),
        ({"logo_uri": "http://rp.example/logo"}, {("metadata_invalid", "logo_uri")}),
        ({"policy_uri": "javascript:alert(1)"}, {("metadata_invalid", "policy_uri")}),
        ({"jwks_uri": "https://rp.example/jwks#x"}, {("metadata_invalid", "jwks_uri")}),
        (
            {"backchannel_logout_uri": "http://127.0.0.1/out"},
            {("metadata_invalid", "backchannel_logout_uri")},
        ),
        ({"resources": ["not an address"]}, {("metadata_invalid", "resources")}),
        (
            {
                "grant_types": ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
                "response_types": [],
            },
            set(),
        ),
        ({"token_endpoint_auth_method": "self_signed_tls_client_auth"}, {("metadata_required", "jwks")}),
        (
            {"token_endpoint_auth_method": "tls_client_auth"},
            {("metadata_invalid", "token_endpoint_auth_method")},
        ),
        ({"token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_subject_dn": "CN=rp"}, set()),
        (
            {
                "token_endpoint_auth_method": "tls_client_auth",
                "tls_client_auth_subject_dn": "CN=rp",
                "tls_client_auth_san_dns": "rp.example",
            },
            {("metadata_invalid", "token_endpoint_auth_method")},
        ),
        ({"tls_client_auth_san_ip": "192.0.2.1"}, {("metadata_invalid", "token_endpoint_auth_method")}),
        (
            {"id_token_encrypted_response_enc": "A128GCM"},
            {("metadata_invalid", "id_token_encrypted_response_enc")},
        ),
        (
            {"id_token_encrypted_response_alg": "ECDH-ES"},
            {("metadata_required", "id_token_encrypted_response_alg")},
        ),
        (
            {"id_token_encrypted_response_alg": "RSA1_5"},
            {("metadata_invalid", "id_token_encrypted_response_alg")},
        ),
        ({"subject_type": "pairwise"}, set()),
        (
            {"subject_type": "pairwise", "redirect_uris": ["https://a.example/", "https://b.example/"]},
            {("metadata_required", "sector_identifier_uri")},
        ),
        (
            {
                "subject_type": "pairwise",
                "redirect_uris": ["https://a.example/", "https://b.example/"],
                "sector_identifier_uri": "https://a.example/sector.json",
            },
            set(),
        ),
        ({"sector_identifier_uri": "http://rp.example/s"}, {("metadata_invalid", "sector_identifier_uri")}),
        ({"scope": "openid identity_document"}, {("metadata_required", "scope")}),
        ({"request_uris": ["https://rp.example/request.jwt#hash"]}, set()),
        ({"request_uris": ["http://rp.example/request.jwt"]}, {("metadata_invalid", "request_uris")}),
        ({"authorization_details_types": ["payment"]}, {("metadata_invalid", "authorization_details_types")}),
        (
            {"scope": "\\", "matters": ["x"], "client_id": "-/-"},
            {("metadata_invalid", name) for name in ("scope", "matters", "client_id")},
        ),
        (
            {"scope": 1, "matters": 2, "client_id": 3},
            {("metadata_invalid", name) for name in ("scope", "matters", "client_id")},
        ),
    ],
)
def test_every_problem_of_a_registration_is_named(
    members: dict[str, Any], expected: set[tuple[str, str | None]]
) -> None:
    assert problems(**members) == expected


@pytest.mark.parametrize(
    ("uri", "application_type", "in_production", "in_development"),
    [
        ("https://rp.example/cb", "web", True, True),
        ("https://rp.example/cb#x", "web", False, False),
        ("https://rp.example/cb#", "web", False, False),
        ("https://user@rp.example/cb", "web", False, False),
        ("https:///cb", "web", False, False),
        ("http://rp.example/cb", "web", False, False),
        ("http://127.0.0.1:5001/cb", "web", False, True),
        ("http://localhost/cb", "web", False, True),
        ("com.example.app:/cb", "web", False, False),
        ("//rp.example/cb", "web", False, False),
        ("https://rp.example/c b", "web", False, False),
        ("https://rp.example/车", "web", False, False),
        ("http://127.0.0.1/cb", "native", True, True),
        ("http://[::1]/cb", "native", True, True),
        ("http://localhost/cb", "native", True, True),
        ("http://rp.example/cb", "native", False, False),
        ("com.example.app:/cb", "native", True, True),
        ("myapp:/cb", "native", False, False),
        ("javascript:alert(1)", "native", False, False),
    ],
)
@pytest.mark.parametrize("name", ["redirect_uris", "post_logout_redirect_uris"])
def test_addresses_people_are_sent_to_are_safe(
    name: str, uri: str, application_type: str, in_production: bool, in_development: bool
) -> None:
    refused = {("redirect_uri_invalid", name)}
    members: dict[str, Any] = {"application_type": application_type, name: [uri]}
    if name != "redirect_uris":
        members["redirect_uris"] = ["https://rp.example/cb"]
    assert problems(**members) == (set() if in_production else refused)
    assert problems(development=True, **members) == (set() if in_development else refused)


def test_a_back_end_needs_no_redirect_uri_and_no_scope() -> None:
    metadata = validate_metadata(
        {"client_name": "Job", "grant_types": ["client_credentials"]}, development=False
    )
    assert not isinstance(metadata, Refusal)
    assert (metadata["response_types"], metadata["scope"]) == ([], "")


@pytest.mark.checklist(113)
@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("https://rp.example/start", set()),
        ("http://rp.example/start", {("metadata_invalid", "initiate_login_uri")}),
        ("http://127.0.0.1/start", {("metadata_invalid", "initiate_login_uri")}),
        ("javascript:alert(1)", {("metadata_invalid", "initiate_login_uri")}),
    ],
)
@pytest.mark.parametrize("development", [False, True])
def test_a_login_is_initiated_at_an_https_address_everywhere(
    uri: str, expected: set[tuple[str, str]], development: bool
) -> None:
    assert problems(initiate_login_uri=uri, development=development) == expected


def accepted(**members: Any) -> dict[str, Any]:
    metadata = validate_metadata(MINIMAL | members, development=False)
    assert not isinstance(metadata, Refusal), metadata
    return metadata


def test_what_is_encrypted_is_encrypted_well_and_a_person_s_data_is_signed_within() -> None:
    keys = {"jwks": {"keys": [EC_KEY]}}
    metadata = accepted(userinfo_encrypted_response_alg="ECDH-ES", **keys)
    assert metadata["userinfo_encrypted_response_enc"] == "A256GCM"
    assert metadata["userinfo_signed_response_alg"] == "RS256"
    chosen = {"userinfo_encrypted_response_enc": "A128GCM", "userinfo_signed_response_alg": "ES256"}
    metadata = accepted(userinfo_encrypted_response_alg="ECDH-ES", **chosen, **keys)
    assert chosen.items() <= metadata.items()


FAPI: Final[dict[str, Any]] = {"profile": "fapi2", "jwks": {"keys": [EC_KEY]}}


def test_a_profile_becomes_part_of_the_registration() -> None:
    metadata = accepted(**FAPI)
    assert metadata["token_endpoint_auth_method"] == "private_key_jwt"
    assert metadata["id_token_signed_response_alg"] == "ES256"
    assert metadata["require_pushed_authorization_requests"]
    assert metadata["dpop_bound_access_tokens"]
    assert "require_signed_request_object" not in metadata


def test_message_signing_signs_requests_and_answers() -> None:
    metadata = accepted(**FAPI | {"profile": "fapi2-message-signing"})
    assert metadata["require_signed_request_object"]
    assert metadata["authorization_signed_response_alg"] == "ES256"
    assert metadata["introspection_signed_response_alg"] == "ES256"


def test_a_certificate_binds_instead_of_a_proof() -> None:
    metadata = accepted(**FAPI, tls_client_certificate_bound_access_tokens=True)
    assert "dpop_bound_access_tokens" not in metadata


@pytest.mark.parametrize(
    "member",
    [
        {"token_endpoint_auth_method": "client_secret_basic"},
        {"token_endpoint_auth_method": "none"},
        {"id_token_signed_response_alg": "RS256"},
        {"request_object_signing_alg": "RS256"},
    ],
)
def test_a_profile_allows_no_weaker_choice(member: dict[str, str]) -> None:
    assert problems(**FAPI | member) == {("metadata_invalid", name) for name in member}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["keys", "kty", "x"]), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*Client.__dataclass_fields__, "scope", "profile"]), json_values))
@example({"jwks": {"keys": [{"kty": {}}]}})
def test_any_document_is_understood_or_refused(raw: dict[str, Any]) -> None:
    result = validate_metadata(raw, development=True)
    if not isinstance(result, Refusal):
        assert client_from({"client_id": "x"} | result).client_name
