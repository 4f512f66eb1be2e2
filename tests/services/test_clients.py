from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from idp import clock, crypto
from idp.domain.audit import Origin
from idp.domain.clients import Client
from idp.domain.errors import Refusal
from idp.services import clients
from idp.services.client_cache import MAX_ENTRIES, BriefCache
from idp.services.clients import RegisteredClient
from idp.services.platform import Platform
from idp.storage.audit import AuditEvent as Entry
from idp.storage.clients import ClientSecret
from idp.storage.database import reading
from tests.queries import AssertQueries
from tests.services.conftest import at_once

ORIGIN = Origin("192.0.2.7", "test browser", "request-1")
WEB: dict[str, Any] = {"client_name": "系统", "redirect_uris": ["https://rp.example/cb"]}


def registered(platform: Platform, **metadata: Any) -> RegisteredClient:
    outcome = clients.register(platform, WEB | metadata, ORIGIN)
    assert isinstance(outcome, RegisteredClient), outcome
    return outcome


def found(platform: Platform, client_id: str) -> Client:
    client = clients.find_client(platform, client_id)
    assert client is not None
    return client


def test_a_registered_client_is_found_and_its_secret_fits(platform: Platform) -> None:
    registration = registered(platform)
    client = found(platform, registration.client_id)
    assert client.client_name == "系统"
    assert registration.client_secret
    assert clients.secret_matches(client, registration.client_secret, clock.now())
    assert not clients.secret_matches(client, registration.client_secret + "x", clock.now())
    assert not clients.secret_matches(client, "", clock.now())


def test_the_secret_is_kept_as_a_hash_and_shown_once(platform: Platform) -> None:
    registration = registered(platform)
    assert registration.client_secret
    with reading() as session:
        stored = session.scalars(select(ClientSecret.secret_hash)).one()
    assert stored == crypto.hash_token(registration.client_secret)
    shown = clients.find_registration(platform, registration.client_id)
    assert shown
    assert shown.client_secret is None
    assert registration.client_secret not in str(shown.metadata)


def test_an_expired_secret_does_not_fit() -> None:
    now = clock.now()
    client = Client(
        client_id="x",
        client_name="x",
        secrets=((crypto.hash_token("old"), now), (crypto.hash_token("new"), now + timedelta(seconds=1))),
    )
    assert not clients.secret_matches(client, "old", now)
    assert clients.secret_matches(client, "new", now)


@pytest.mark.parametrize("method", ["none", "private_key_jwt"])
def test_a_client_without_a_secret_method_gets_no_secret(platform: Platform, method: str) -> None:
    jwks = {"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}]}
    registration = registered(platform, token_endpoint_auth_method=method, jwks=jwks)
    assert registration.client_secret is None
    rotated = clients.rotate_secret(platform, registration.client_id, ORIGIN)
    assert isinstance(rotated, Refusal)
    assert rotated.code == "client_has_no_secret"


def test_a_chosen_id_is_taken_once_unless_replaced(platform: Platform) -> None:
    first = registered(platform, client_id="rp")
    refusal = clients.register(platform, WEB | {"client_id": "rp"}, ORIGIN)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "client_id_taken"
    changed = WEB | {"client_id": "rp", "client_name": "新名"}
    assert isinstance(clients.register(platform, changed, ORIGIN, replace=True), RegisteredClient)
    client = found(platform, "rp")
    assert client.client_name == "新名"
    assert first.client_secret
    assert clients.secret_matches(client, first.client_secret, clock.now())


def test_a_replaced_client_has_a_secret_exactly_when_its_method_needs_one(platform: Platform) -> None:
    """As many as before: a secret that fits the new method is left to it."""
    registered(platform, client_id="rp", token_endpoint_auth_method="none")
    for method, made, kept in (
        ("client_secret_basic", True, 1),
        ("client_secret_post", False, 1),
        ("none", False, 0),
    ):
        changed = WEB | {"client_id": "rp", "token_endpoint_auth_method": method}
        outcome = clients.register(platform, changed, ORIGIN, replace=True)
        assert isinstance(outcome, RegisteredClient)
        assert (outcome.client_secret is not None) is made
        assert len(found(platform, "rp").secrets) == kept


def test_of_simultaneous_registrations_of_one_id_one_succeeds(platform: Platform) -> None:
    metadata = WEB | {"client_id": "rp"}
    outcomes = at_once([lambda: clients.register(platform, metadata, ORIGIN) for _ in range(4)])
    assert sum(isinstance(outcome, RegisteredClient) for outcome in outcomes) == 1
    assert {outcome.code for outcome in outcomes if isinstance(outcome, Refusal)} == {"client_id_taken"}


def test_metadata_with_problems_is_refused_and_nothing_stored(platform: Platform) -> None:
    assert isinstance(clients.register(platform, {"redirect_uris": 5}, ORIGIN), Refusal)
    assert clients.list_clients(platform) == []


def test_the_longest_metadata_allowed_can_be_stored(platform: Platform) -> None:
    scope = " ".join(f"s{number}" + "x" * 90 for number in range(10))
    client = registered(platform, client_id="x" * 64, scope=scope, client_name="名" * 2000)
    assert found(platform, client.client_id).scopes == frozenset(scope.split())


def test_disabling_and_enabling(platform: Platform) -> None:
    client_id = registered(platform).client_id
    assert clients.disable(platform, client_id, ORIGIN) is None
    assert clients.find_client(platform, client_id) is None
    shown = clients.find_registration(platform, client_id)
    assert shown
    assert shown.disabled_at
    assert clients.enable(platform, client_id, ORIGIN) is None
    assert not found(platform, client_id).disabled
    for outcome in (
        clients.disable(platform, "unknown", ORIGIN),
        clients.rotate_secret(platform, "unknown", ORIGIN),
    ):
        assert isinstance(outcome, Refusal)
        assert outcome.code == "client_unknown"


def test_rotating_leaves_one_secret(platform: Platform) -> None:
    first = registered(platform)
    second = clients.rotate_secret(platform, first.client_id, ORIGIN)
    assert isinstance(second, RegisteredClient)
    assert first.client_secret
    assert second.client_secret
    client = found(platform, first.client_id)
    assert len(client.secrets) == 1
    assert not clients.secret_matches(client, first.client_secret, clock.now())
    assert clients.secret_matches(client, second.client_secret, clock.now())


def test_every_change_is_recorded_with_its_actor(platform: Platform) -> None:
    client_id = registered(platform).client_id
    clients.rotate_secret(platform, client_id, ORIGIN)
    clients.disable(platform, client_id, ORIGIN)
    clients.enable(platform, client_id, ORIGIN)
    with reading() as session:
        events = session.scalars(
            select(Entry.event).where(Entry.client_id == client_id).order_by(Entry.id)
        ).all()
    assert events == ["client:register", "client:secret_rotate", "client:disable", "client:update"]


def test_a_client_is_read_once_a_second_at_most(platform: Platform, assert_queries: AssertQueries) -> None:
    client_id = registered(platform).client_id
    found(platform, client_id)
    with assert_queries(0):
        found(platform, client_id)


@pytest.mark.parametrize("client_id", ["", "nul\0", "中", "x" * 65, "' OR 1=1 --", "\ud800"])
def test_what_can_be_no_id_costs_no_query(
    platform: Platform, assert_queries: AssertQueries, client_id: str
) -> None:
    with assert_queries(0):
        assert clients.find_client(platform, client_id) is None


def test_a_change_made_by_another_process_is_seen_when_the_cache_forgets(platform: Platform) -> None:
    client_id = registered(platform).client_id
    found(platform, client_id)
    elsewhere = replace(platform, clients=BriefCache(), resource_servers=BriefCache())
    clients.disable(elsewhere, client_id, ORIGIN)
    assert not found(platform, client_id).disabled  # up to a second old
    platform.clients.forget()
    assert clients.find_client(platform, client_id) is None


def test_unknown_ids_do_not_fill_the_memory() -> None:
    cache: BriefCache[str] = BriefCache()
    for number in range(MAX_ENTRIES + 10):
        assert cache.get(str(number), lambda: "x") == "x"
    assert len(cache._entries) <= MAX_ENTRIES


def test_an_entry_is_loaded_again_when_it_is_too_old() -> None:
    values = iter("ab")
    cache: BriefCache[str] = BriefCache(lifetime_seconds=0.0)
    assert [cache.get("k", lambda: next(values)) for _ in range(2)] == ["a", "b"]


def test_resources_are_those_of_clients_that_are_served(platform: Platform) -> None:
    first = registered(
        platform, scope="openid a:read", resources=["https://a.example/1", "https://a.example/2"]
    )
    registered(platform, scope="openid a:read b:read", resources=["https://b.example/"])
    registered(platform, scope="openid c:read")
    issuer = platform.settings.issuer
    assert clients.scopes_by_resource(platform) == {
        issuer: frozenset(),
        "https://a.example/1": {"a:read"},
        "https://a.example/2": {"a:read"},
        "https://b.example/": {"a:read", "b:read"},
    }
    clients.disable(platform, first.client_id, ORIGIN)
    assert clients.scopes_by_resource(platform).keys() == {issuer, "https://b.example/"}
