"""A client reads, replaces and ends its own registration (RFC 7592)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from idp import crypto
from idp.domain.audit import Origin
from idp.domain.clients import DEVICE_CODE
from idp.services import client_registration, clients
from idp.services.client_cache import BriefCache
from idp.services.clients import RegisteredClient
from idp.services.platform import Platform
from idp.storage.audit import AuditEvent as Entry
from idp.storage.authorizations import Authorization
from idp.storage.clients import Client as Row
from idp.storage.clients import ClientSecret, Consent
from idp.storage.database import Base, reading
from tests.oauth.browser import Browser
from tests.oauth.conftest import SeparateRequests, both_backends
from tests.oauth.people import People
from tests.oauth.registrant import (
    Registrant,
    assert_unauthorized,
    bearer,
    initial_access_token,
    path_of,
)
from tests.oauth.relying_party import CLIENT_KEY, RelyingParty, assert_error
from tests.services.conftest import at_once

ORIGIN: Final = Origin("", "", "")
PUBLIC_JWKS: Final = {"keys": [CLIENT_KEY.as_dict(private=False)]}
ONLY_ONCE: Final = {"client_secret", "client_secret_expires_at"}

Document = dict[str, Any]


@pytest.fixture
def registrant(http: FlaskClient, platform: Platform) -> Registrant:
    """May register a thousand clients."""
    return Registrant(http, initial_access_token(uses=1000))


@pytest.fixture
def client(registrant: Registrant) -> Document:
    """What was answered to a client that registered itself."""
    return registrant.registered()


def without(document: Document, names: set[str]) -> Document:
    return {name: value for name, value in document.items() if name not in names}


# --- who may


@both_backends
@pytest.mark.checklist(110)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_without_its_own_token_nobody_learns_or_changes_anything(
    registrant: Registrant, client: Document, platform: Platform, method: str
) -> None:
    """A wrong token, another client's, none, and an unknown client are answered alike."""
    other = registrant.registered()
    admins = clients.register(platform, {"client_name": "x", "redirect_uris": ["https://x.example/"]}, ORIGIN)
    assert isinstance(admins, RegisteredClient)
    own = client["registration_access_token"]
    attempts = [
        (path_of(client), bearer("wrong")),
        (path_of(client), bearer(other["registration_access_token"])),
        (path_of(client), bearer(registrant.token)),
        (path_of(client), bearer(client["client_secret"])),
        (path_of(client), bearer("0" * 64)),
        (path_of(client), {"Authorization": f"Basic {own}"}),
        (path_of(client), {}),
        ("/oauth/register/unknown", bearer(own)),
        ("/oauth/register/", bearer(own)),
        ("/oauth/register/%00", bearer(own)),
        ("/oauth/register/%E8%BD%A6", bearer(own)),
        (f"{path_of(client)}/", bearer(own)),
        (f"/oauth/register/{admins.client_id}", bearer("")),
        (f"/oauth/register/{admins.client_id}", bearer(own)),
    ]
    answers = set()
    for path, headers in attempts:
        response = registrant.http.open(path, method=method, json={**client}, headers=headers)
        assert_unauthorized(response)
        answers.add((response.data, response.headers["WWW-Authenticate"]))
    assert len(answers) == 1
    assert registrant.read(client).status_code == 200


@both_backends
def test_a_client_that_an_administrator_disabled_is_neither_read_nor_revived(
    registrant: Registrant, client: Document, platform: Platform
) -> None:
    clients.disable(platform, client["client_id"], ORIGIN)
    for response in (
        registrant.read(client),
        registrant.replace(client, client),
        registrant.delete(client),
    ):
        assert_unauthorized(response)
    shown = clients.find_registration(platform, client["client_id"])
    assert shown
    assert shown.disabled_at
    clients.enable(platform, client["client_id"], ORIGIN)
    assert registrant.read(client).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_other_methods_are_not_allowed(registrant: Registrant, client: Document, method: str) -> None:
    headers = bearer(client["registration_access_token"])
    response = registrant.http.open(path_of(client), method=method, json={}, headers=headers)
    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, PUT, DELETE"


# --- reading


@pytest.mark.checklist(110)
def test_what_is_read_is_what_was_registered(registrant: Registrant, client: Document) -> None:
    """The secret is kept as a hash: it was shown when it was made."""
    response = registrant.read(client)
    assert response.status_code == 200
    assert response.mimetype == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.get_json() == without(client, ONLY_ONCE)


# --- replacing


@both_backends
@pytest.mark.checklist(110)
def test_the_metadata_is_replaced_as_a_whole(
    registrant: Registrant, client: Document, platform: Platform
) -> None:
    document = without(client, ONLY_ONCE) | {
        "client_name": "新名",
        "redirect_uris": ["https://rp.example/new"],
        "logo_uri": "https://rp.example/logo.svg",
    }
    response = registrant.replace(client, document)
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert response.get_json() == document
    assert registrant.read(client).get_json() == document
    found = clients.find_client(platform, client["client_id"])
    assert found
    assert found.redirect_uris == ("https://rp.example/new",)
    del document["logo_uri"]
    assert registrant.replace(client, document).get_json() == document


def test_the_secret_works_on_after_a_change(registrant: Registrant, client: Document) -> None:
    changed = {**client, "token_endpoint_auth_method": "client_secret_post"}
    assert "client_secret" not in registrant.replace(client, changed).get_json()
    form = {"client_id": client["client_id"], "client_secret": client["client_secret"], "token": "x"}
    assert registrant.http.post("/oauth/introspect", data=form).status_code == 200


@both_backends
def test_a_secret_comes_and_goes_with_the_method(registrant: Registrant, client: Document) -> None:
    document = without(client, ONLY_ONCE) | {"jwks": PUBLIC_JWKS}
    document["token_endpoint_auth_method"] = "private_key_jwt"
    assert "client_secret" not in registrant.replace(client, document).get_json()
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(ClientSecret)) == 0
    document["token_endpoint_auth_method"] = "client_secret_basic"
    answer = registrant.replace(client, document).get_json()
    assert answer["client_secret"] != client["client_secret"]
    assert answer["client_secret_expires_at"] == 0


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_id": "other"}, "invalid_client_metadata"),
        ({"client_id": None}, "invalid_client_metadata"),
        ({"client_id": ["x"]}, "invalid_client_metadata"),
        ({"client_secret": "wrong"}, "invalid_client_metadata"),
        ({"client_secret": 5}, "invalid_client_metadata"),
        ({"roles": ["regulator"]}, "invalid_client_metadata"),
        ({"matters": ["nev-accident-report"]}, "invalid_client_metadata"),
        ({"software_statement": "a.b.c"}, "unapproved_software_statement"),
        ({"redirect_uris": ["http://rp.example/"]}, "invalid_redirect_uri"),
        ({"redirect_uris": []}, "invalid_redirect_uri"),
        ({"initiate_login_uri": "http://rp.example/"}, "invalid_client_metadata"),
    ],
)
def test_a_wrong_document_is_refused_and_changes_nothing(
    registrant: Registrant, client: Document, changes: Document, error: str
) -> None:
    assert_error(registrant.replace(client, client | changes), error)
    assert registrant.read(client).get_json() == without(client, ONLY_ONCE)


def test_scopes_that_it_may_not_have_are_left_out_here_too(registrant: Registrant, client: Document) -> None:
    answer = registrant.replace(client, client | {"scope": "openid roles email"}).get_json()
    assert answer["scope"] == "openid email"


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null", b"[" * 30_000])
def test_a_body_that_is_no_object_is_refused(registrant: Registrant, client: Document, body: bytes) -> None:
    headers = bearer(client["registration_access_token"])
    response = registrant.http.put(
        path_of(client), data=body, content_type="application/json", headers=headers
    )
    assert_error(response, "invalid_client_metadata")


METADATA_THAT_FITS: Final = st.fixed_dictionaries(
    {
        "redirect_uris": st.lists(
            st.sampled_from([f"https://rp.example/{number}" for number in range(3)]), min_size=1, max_size=3
        )
    },
    optional={
        "client_name": st.sampled_from(["应用", "RP", ""]),
        "scope": st.lists(st.sampled_from(["openid", "email", "roles", "x:y"]), max_size=4).map(" ".join),
        "grant_types": st.sampled_from(
            [
                ["authorization_code"],
                ["authorization_code", "refresh_token"],
                ["authorization_code", DEVICE_CODE],
            ]
        ),
        "token_endpoint_auth_method": st.sampled_from(["none", "client_secret_post", "private_key_jwt"]),
        "application_type": st.sampled_from(["web", "native"]),
        "subject_type": st.sampled_from(["public", "pairwise"]),
        "profile": st.sampled_from(["fapi2", "fapi2-message-signing"]),
        "jwks": st.just(PUBLIC_JWKS),
        "id_token_encrypted_response_alg": st.just("ECDH-ES"),
        "userinfo_encrypted_response_alg": st.just("RSA-OAEP-256"),
        "require_auth_time": st.booleans(),
        "default_max_age": st.integers(0, 10**9),
        "contacts": st.just(["a@example.test"]),
        "initiate_login_uri": st.just("https://rp.example/start"),
    },
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(METADATA_THAT_FITS)
def test_what_was_read_can_be_put_back_and_nothing_changes(
    registrant: Registrant, client: Document, metadata: Document
) -> None:
    response = registrant.replace(client, metadata | {"client_id": client["client_id"]})
    assert response.status_code in {200, 400}
    read = registrant.read(client).get_json()
    assert without(registrant.replace(client, read).get_json(), ONLY_ONCE) == read
    assert registrant.read(client).get_json() == read


# --- the end


@both_backends
@pytest.mark.checklist(110)
def test_a_client_ends_itself_and_all_that_rests_on_it(
    registrant: Registrant, app: Flask, platform: Platform, people: People, browser: Browser
) -> None:
    client = registrant.registered(
        token_endpoint_auth_method="client_secret_post",
        grant_types=["authorization_code", "refresh_token"],
        scope="openid email offline_access",
    )
    registration = clients.find_registration(platform, client["client_id"])
    assert registration
    rp = RelyingParty(app.test_client(), replace(registration, client_secret=client["client_secret"]))
    account_id = people.person()
    browser.sign_in(account_id)
    browser.allow(rp, account_id)
    tokens = rp.redeem(browser.code_for(rp, scope="openid email offline_access")).get_json()
    assert rp.userinfo(tokens["access_token"]).status_code == 200

    response = registrant.delete(client)
    assert (response.status_code, response.data) == (204, b"")
    assert response.headers["Cache-Control"] == "no-store"
    assert_unauthorized(registrant.read(client))
    assert_unauthorized(registrant.delete(client))
    assert rp.userinfo(tokens["access_token"]).status_code == 401
    assert_error(rp.refresh(tokens["refresh_token"]), "invalid_client", 401)
    assert rows_of(Row, ClientSecret, Consent, Authorization) == 0
    assert browser.authorize(rp).status_code == 400


def rows_of(*tables: type[Base]) -> int:
    with reading() as session:
        return sum(session.scalar(select(func.count()).select_from(table)) or 0 for table in tables)


def test_other_workers_stop_serving_it_within_a_second(
    registrant: Registrant, client: Document, platform: Platform
) -> None:
    elsewhere = replace(platform, clients=BriefCache(), resource_servers=BriefCache())
    assert clients.find_client(platform, client["client_id"])
    assert clients.find_client(elsewhere, client["client_id"])
    registrant.delete(client)
    assert clients.find_client(platform, client["client_id"]) is None
    elsewhere.clients.forget()  # as it does by itself after a second
    assert clients.find_client(elsewhere, client["client_id"]) is None


@both_backends
def test_of_deletions_at_once_one_succeeds(app: Flask, registrant: Registrant, client: Document) -> None:
    def delete() -> int:
        return Registrant(SeparateRequests(app), "").delete(client).status_code

    assert sorted(at_once([delete] * 4)) == [204, 401, 401, 401]


@both_backends
def test_a_deletion_and_a_change_at_once_leave_nothing_half_done(
    app: Flask, registrant: Registrant, client: Document
) -> None:
    def act(name: str) -> int:
        mine = Registrant(SeparateRequests(app), "")
        return (mine.delete(client) if name == "delete" else mine.replace(client, client)).status_code

    statuses = at_once([lambda name=name: act(name) for name in ["replace", "delete", "replace"]])  # type: ignore[misc]
    assert statuses[1] == 204
    assert {statuses[0], statuses[2]} <= {200, 401}
    assert_unauthorized(registrant.read(client))


def test_a_client_deleted_while_its_document_is_looked_at_stays_deleted(
    registrant: Registrant, client: Document, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    validate = clients.validate

    def slowly(*args: Any) -> Any:
        monkeypatch.undo()
        assert registrant.delete(client).status_code == 204
        return validate(*args)

    monkeypatch.setattr(clients, "validate", slowly)
    assert_unauthorized(registrant.replace(client, client))
    assert clients.list_clients(platform) == []


def test_a_client_deleted_between_looking_and_deleting_is_unknown(
    registrant: Registrant, client: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = client_registration.find

    def slowly(*args: Any) -> Any:
        monkeypatch.undo()
        found = find(*args)
        assert registrant.delete(client).status_code == 204
        return found

    monkeypatch.setattr(client_registration, "find", slowly)
    assert_unauthorized(registrant.delete(client))


def test_every_change_is_recorded_and_no_token_with_it(registrant: Registrant, client: Document) -> None:
    registrant.replace(client, client)
    registrant.delete(client)
    with reading() as session:
        entries = session.scalars(
            select(Entry).where(Entry.client_id == client["client_id"]).order_by(Entry.id)
        ).all()
    assert [entry.event for entry in entries] == ["client:register", "client:update", "client:delete"]
    secrets = {client["registration_access_token"], client["client_secret"]}
    hashes = {crypto.hash_token(secret) for secret in secrets}
    assert not any(secret in str(entry.detail) for entry in entries for secret in secrets | hashes)
