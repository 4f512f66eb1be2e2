"""Dynamic registration (RFC 7591, OIDC Registration 3): what is answered, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from idp import crypto
from idp.domain.client_registration import SCOPES
from idp.domain.clients import Client
from idp.oauth.client_registration import LONGEST_DESCRIPTION
from idp.services import clients
from idp.services.platform import Platform
from idp.storage.audit import AuditEvent as Entry
from idp.storage.clients import Client as Row
from idp.storage.clients import InitialAccessToken
from idp.storage.database import reading
from tests.oauth.conftest import SeparateRequests, both_backends
from tests.oauth.registrant import (
    ENDPOINT,
    METADATA,
    Registrant,
    assert_unauthorized,
    bearer,
    initial_access_token,
)
from tests.oauth.relying_party import CLIENT_KEY, ISSUER, assert_error
from tests.services.conftest import MovableClock, at_once

PUBLIC_JWKS: Final = {"keys": [CLIENT_KEY.as_dict(private=False)]}
MakeApp = Callable[..., Flask]


@pytest.fixture
def registrant(http: FlaskClient, platform: Platform) -> Registrant:
    """May register a thousand clients."""
    return Registrant(http, initial_access_token(uses=1000))


def registered_ids(platform: Platform) -> list[str]:
    return [client.client_id for client in clients.list_clients(platform)]


# --- the answer


@both_backends
@pytest.mark.checklist(109, 114)
def test_the_answer_holds_credentials_and_all_metadata_as_registered(registrant: Registrant) -> None:
    response = registrant.register(unknown_member=5, **{"client_name#fr": "Application"})
    assert response.status_code == 201
    assert response.mimetype == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    answer = response.get_json()
    assert len(answer.pop("client_id")) == 22
    assert len(answer.pop("client_secret")) == 43
    assert len(answer.pop("registration_access_token")) == 43
    assert answer.pop("client_id_issued_at") > 1_700_000_000
    assert answer.pop("registration_client_uri").startswith(f"{ISSUER}/oauth/register/")
    assert answer == METADATA | {
        "client_secret_expires_at": 0,
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "client_secret_basic",
        "application_type": "web",
        "id_token_signed_response_alg": "RS256",
        "access_token_signed_response_alg": "ES256",
        "subject_type": "public",
        "scope": "openid profile email phone address",
    }


@pytest.mark.pitfall(22)
@pytest.mark.checklist(109)
@pytest.mark.parametrize(
    ("method", "has_secret"),
    [
        ("client_secret_basic", True),
        ("client_secret_post", True),
        ("private_key_jwt", False),
        ("none", False),
    ],
)
def test_a_secret_comes_only_with_a_method_that_needs_one(
    registrant: Registrant, method: str, has_secret: bool
) -> None:
    """Authlib issues one to public clients too (authlib.md, P22)."""
    answer = registrant.registered(token_endpoint_auth_method=method, jwks=PUBLIC_JWKS)
    assert ("client_secret" in answer) is has_secret
    assert ("client_secret_expires_at" in answer) is has_secret


def test_tokens_and_secrets_are_kept_as_hashes(registrant: Registrant) -> None:
    answer = registrant.registered()
    with reading() as session:
        row = session.scalars(select(Row)).one()
        leave = session.scalars(select(InitialAccessToken)).one()
    assert row.registration_access_token_hash == crypto.hash_token(answer["registration_access_token"])
    assert leave.token_hash == crypto.hash_token(registrant.token)
    assert answer["client_secret"] not in str(row.client_metadata)


def test_a_registered_client_can_be_used_at_once(registrant: Registrant) -> None:
    answer = registrant.registered(token_endpoint_auth_method="client_secret_post")
    form = {"client_id": answer["client_id"], "client_secret": answer["client_secret"], "token": "x"}
    assert registrant.http.post("/oauth/introspect", data=form).get_json() == {"active": False}


@pytest.mark.checklist(110)
def test_behind_https_the_client_is_managed_by_https(make_app: MakeApp) -> None:
    app = make_app(issuer="https://id.example")
    with app.app_context():
        answer = Registrant(app.test_client(), initial_access_token()).registered()
    assert answer["registration_client_uri"] == f"https://id.example/oauth/register/{answer['client_id']}"


def test_the_registration_is_recorded_with_the_leave_that_it_used(registrant: Registrant) -> None:
    answer = registrant.registered()
    with reading() as session:
        entries = session.scalars(select(Entry).order_by(Entry.id)).all()
    assert [entry.event for entry in entries] == ["client:initial_access_token", "client:register"]
    assert entries[1].client_id == answer["client_id"]
    assert entries[1].detail["initial_access_token"] == entries[0].object_id
    assert registrant.token not in str([entry.detail for entry in entries])


# --- the initial access token


@both_backends
@pytest.mark.parametrize(
    "headers",
    [{}, bearer("unknown"), bearer(""), {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer"}],
)
def test_without_an_initial_access_token_nothing_is_registered(
    http: FlaskClient, platform: Platform, headers: dict[str, str]
) -> None:
    """Authlib answers 400 to a missing one (authlib.md, P22)."""
    assert_unauthorized(http.post(ENDPOINT, json=METADATA, headers=headers))
    assert registered_ids(platform) == []


def test_the_name_of_the_scheme_has_no_case(registrant: Registrant) -> None:
    headers = {"Authorization": f"bearer {registrant.token}"}
    assert registrant.http.post(ENDPOINT, json=METADATA, headers=headers).status_code == 201


@both_backends
def test_an_initial_access_token_ends_with_its_uses(http: FlaskClient, platform: Platform) -> None:
    registrant = Registrant(http, initial_access_token(uses=2))
    registrant.registered()
    registrant.registered()
    assert_unauthorized(registrant.register())
    assert len(registered_ids(platform)) == 2


@both_backends
def test_an_initial_access_token_ends_with_its_time(
    http: FlaskClient, platform: Platform, time: MovableClock
) -> None:
    registrant = Registrant(http, initial_access_token(uses=2, ttl_seconds=60))
    time.advance(seconds=59)
    registrant.registered()
    time.advance(seconds=1)
    assert_unauthorized(registrant.register())


@both_backends
def test_of_two_registrations_with_the_last_use_one_succeeds(app: Flask, platform: Platform) -> None:
    token = initial_access_token()

    def register() -> int:
        return Registrant(SeparateRequests(app), token).register().status_code

    assert sorted(at_once([register] * 4)) == [201, 401, 401, 401]
    assert len(registered_ids(platform)) == 1


def test_a_refused_registration_uses_nothing_up(http: FlaskClient, platform: Platform) -> None:
    registrant = Registrant(http, initial_access_token())
    assert_error(registrant.register(redirect_uris=["http://rp.example/"]), "invalid_redirect_uri")
    registrant.registered()


def test_a_token_that_ends_while_the_metadata_is_looked_at_registers_nothing(
    http: FlaskClient, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    registrant = Registrant(http, initial_access_token())
    validate = clients.validate

    def slowly(*args: Any) -> Any:
        monkeypatch.undo()
        registrant.registered()
        return validate(*args)

    monkeypatch.setattr(clients, "validate", slowly)
    assert_unauthorized(registrant.register())
    assert len(registered_ids(platform)) == 1


def test_open_registration_needs_no_token(make_app: MakeApp) -> None:
    app = make_app(registration="open")
    assert app.test_client().post(ENDPOINT, json=METADATA).status_code == 201
    with app.app_context(), reading() as session:
        assert session.scalars(select(Entry)).one().detail["registration"] == "open"


def test_an_address_registers_a_hundred_clients_an_hour_outside_development(make_app: MakeApp) -> None:
    app = make_app(env="production")
    http = app.test_client()
    for _ in range(100):
        assert http.post(ENDPOINT, json=METADATA).status_code == 401
    response = http.post(ENDPOINT, json=METADATA)
    assert_error(response, "temporarily_unavailable", 429)
    assert 0 < int(response.headers["Retry-After"]) <= 3601


# --- what a client must not have


@pytest.mark.parametrize(
    "member",
    [
        {"matters": ["nev-accident-report"]},
        {"roles": ["regulator"]},
        {"require_enterprise": True},
        {"resources": ["https://rp.example/api"]},
        {"may_act": "smdvs"},
        {"client_id": "smdvs"},
        {"grant_types": ["client_credentials"], "redirect_uris": []},
        {"grant_types": ["urn:ietf:params:oauth:grant-type:token-exchange"]},
    ],
)
def test_what_only_an_administrator_gives_is_refused(
    registrant: Registrant, platform: Platform, member: dict[str, Any]
) -> None:
    assert_error(registrant.register(**member), "invalid_client_metadata")
    assert registered_ids(platform) == []


def test_a_generous_list_of_scopes_is_cut_and_the_answer_shows_it(registrant: Registrant) -> None:
    answer = registrant.registered(scope="openid roles email reports:read identity_document")
    assert answer["scope"] == "openid email"


def test_all_scopes_of_the_contract_may_be_had(registrant: Registrant) -> None:
    assert registrant.registered(scope=" ".join(SCOPES))["scope"] == " ".join(SCOPES)


@pytest.mark.parametrize(
    ("statement", "error"),
    [("eyJ.e30.x", "unapproved_software_statement"), (5, "invalid_software_statement")],
)
def test_a_software_statement_is_refused(registrant: Registrant, statement: Any, error: str) -> None:
    assert_error(registrant.register(software_statement=statement), error)


def test_a_client_without_name_is_called_by_its_host(registrant: Registrant) -> None:
    assert registrant.registered(client_name=None)["client_name"] == "rp.example"


# --- what is wrong


@pytest.mark.pitfall(22)
@pytest.mark.checklist(111)
@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uris": ["https://rp.example/cb#fragment"]},
        {"redirect_uris": ["http://rp.example/cb"]},
        {"redirect_uris": ["javascript://rp.example/%0aalert(1)"]},
        {"redirect_uris": ["data:text/html,x"]},
        {"redirect_uris": ["https://rp.example/车"]},
        {"redirect_uris": ["https://rp.example/cb", "http://rp.example/cb"]},
        {"redirect_uris": ["javascript:alert(1)"], "application_type": "native"},
        {"redirect_uris": ["http://rp.example/cb"], "application_type": "native"},
        {"redirect_uris": []},
        {"redirect_uris": 5},
        {"redirect_uris": [{}]},
        {"redirect_uris": None},
    ],
)
def test_redirect_uris_are_there_and_safe(registrant: Registrant, changes: dict[str, Any]) -> None:
    """Authlib takes none, ``http://`` and ``javascript://`` (authlib.md, P22)."""
    assert_error(registrant.register(**changes), "invalid_redirect_uri")


@pytest.mark.checklist(113, 114)
@pytest.mark.parametrize(
    "changes",
    [
        {"grant_types": 5},
        {"grant_types": ["implicit"]},
        {"response_types": ["token"]},
        {"client_name": 5},
        {"scope": 5},
        {"initiate_login_uri": "http://rp.example/start"},
        {"initiate_login_uri": "http://127.0.0.1/start"},
        {"sector_identifier_uri": "http://rp.example/sector"},
        {"post_logout_redirect_uris": ["http://rp.example/"]},
        {"token_endpoint_auth_method": "client_secret_jwt"},
        {"token_endpoint_auth_method": "private_key_jwt"},
        {"token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_subject_dn": "CN=车"},
        {"default_acr_values": ["车" * 1000]},
        {"jwks": {"keys": [{"kty": "EC", "x": json.loads("[" * 300 + "]" * 300)}]}},
    ],
)
def test_other_metadata_is_checked(registrant: Registrant, changes: dict[str, Any]) -> None:
    response = registrant.register(**changes)
    assert_error(response, "invalid_client_metadata")
    assert len(response.get_json()["error_description"]) <= LONGEST_DESCRIPTION


@pytest.mark.checklist(113, 114)
def test_the_address_where_a_login_starts_is_answered(registrant: Registrant) -> None:
    answer = registrant.registered(initiate_login_uri="https://rp.example/start")
    assert answer["initiate_login_uri"] == "https://rp.example/start"
    assert registrant.read(answer).get_json()["initiate_login_uri"] == "https://rp.example/start"


@both_backends
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"[]", "application/json"),
        (b"[{}]", "application/json"),
        (b"5", "application/json"),
        (b"null", "application/json"),
        (b"", "application/json"),
        (b"{", "application/json"),
        (b"\xff{}", "application/json"),
        (b'{"client_name":"\\ud800"}', "application/json"),
        (b'{"client_name":NaN}', "application/json"),
        (b"[" * 30_000, "application/json"),
        (b'{"jwks":' * 5000, "application/json"),
        (b'{"redirect_uris":["https://rp.example/"]}', "text/plain"),
        (b'{"redirect_uris":["https://rp.example/"]}', ""),
        (b"client_name=x", "application/x-www-form-urlencoded"),
    ],
)
def test_a_body_that_is_no_object_is_refused(
    registrant: Registrant, body: bytes, content_type: str, platform: Platform
) -> None:
    """Authlib answers 500 to an array (authlib.md, P22)."""
    headers = bearer(registrant.token)
    response = registrant.http.post(ENDPOINT, data=body, content_type=content_type, headers=headers)
    assert_error(response, "invalid_client_metadata")
    assert registered_ids(platform) == []


def test_a_body_of_megabytes_is_not_read(registrant: Registrant) -> None:
    body = json.dumps(METADATA | {"x": "x" * 2_000_000})
    headers = bearer(registrant.token)
    response = registrant.http.post(ENDPOINT, data=body, content_type="application/json", headers=headers)
    assert response.status_code == 413


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_clients_are_registered_by_post_alone(registrant: Registrant, method: str) -> None:
    response = registrant.http.open(ENDPOINT, method=method, headers=bearer(registrant.token))
    assert response.status_code == 405
    assert response.headers["Allow"] == "POST"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["keys", "kty", "x"]), inner),
    max_leaves=5,
)
MEMBERS: Final = [*Client.__dataclass_fields__, "scope", "profile", "software_statement", "client_secret"]


@pytest.fixture
def unlimited(make_app: MakeApp) -> Registrant:
    """Registers as often as it likes."""
    return Registrant(make_app(registration="open").test_client(), "")


@pytest.mark.pitfall(22)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(st.dictionaries(st.sampled_from(MEMBERS), json_values) | json_values)
@example({"jwks": {"keys": [{"kty": {}}]}})
@example(METADATA | {"jwks": {"keys": [{"kty": "EC", "x": 10**30}]}})
@example(METADATA | {"default_max_age": 10**40})
def test_any_document_is_registered_or_refused(unlimited: Registrant, document: Any) -> None:
    body = json.dumps(document)
    response = unlimited.http.post(ENDPOINT, data=body, content_type="application/json")
    assert response.status_code in {201, 400}
    with suppress(TypeError):
        body = json.dumps({**METADATA, **document, "redirect_uris": METADATA["redirect_uris"]})
    response = unlimited.http.post(ENDPOINT, data=body, content_type="application/json")
    assert response.status_code in {201, 400}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.binary(max_size=200))
def test_no_octets_break_it(unlimited: Registrant, body: bytes) -> None:
    response = unlimited.http.post(ENDPOINT, data=body, content_type="application/json")
    assert response.status_code in {201, 400}
