"""Liveness: no token outlives its authorisation by more than a second, and silence is never a yes."""

from __future__ import annotations

import pytest

from clients.rp import liveness
from clients.rp.client import Client
from clients.rp.discovery import Provider
from clients.rp.errors import ProviderUnavailable, Refusal
from clients.rp.liveness import REVOKED, Liveness
from tests.clients.provider import Claims, Person, TestProvider


@pytest.fixture
def asked(op: Provider, client: Client) -> Liveness:
    return Liveness(op, client)


def test_a_live_token_is_confirmed_and_remembered_for_a_moment(
    asked: Liveness, provider: TestProvider
) -> None:
    token = provider.access_token()
    for _ in range(3):
        assert not isinstance(asked.confirm(token, provider.tokens[token]), Refusal)
    assert provider.calls.count("introspect") == 1


def test_a_fresh_question_is_asked_each_time(asked: Liveness, provider: TestProvider) -> None:
    token = provider.access_token()
    assert not isinstance(asked.confirm(token, provider.tokens[token]), Refusal)
    provider.revoke_all()
    assert asked.confirm(token, provider.tokens[token], fresh=True) == REVOKED


def test_a_revoked_token_is_refused_within_a_second(
    asked: Liveness, provider: TestProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert liveness.CACHE_SECONDS <= 1
    monkeypatch.setattr(liveness, "CACHE_SECONDS", 0.0)
    token = provider.access_token()
    assert not isinstance(asked.confirm(token, provider.tokens[token]), Refusal)
    provider.revoke_all()
    assert asked.confirm(token, provider.tokens[token]) == REVOKED


def test_a_revocation_event_is_felt_at_once(asked: Liveness, provider: TestProvider) -> None:
    token = provider.access_token()
    asked.confirm(token, provider.tokens[token])
    provider.revoke_all()
    asked.drop_all()
    assert asked.confirm(token, provider.tokens[token]) == REVOKED


@pytest.mark.parametrize(
    "changes",
    [
        {"sub": "someone-else"},
        {"client_id": "another"},
        {"enterprise_credit_code": "91990101MADEM002XY"},
        {"handler_authorization_id": "another"},
    ],
)
def test_an_answer_about_something_else_refuses(
    asked: Liveness, provider: TestProvider, changes: dict[str, str]
) -> None:
    provider.answer_changes["introspect"] = lambda body: body | changes
    token = provider.access_token()
    refusal = asked.confirm(token, provider.tokens[token])
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "token_changed"


def test_matters_withdrawn_since_the_signature_are_seen(asked: Liveness, provider: TestProvider) -> None:
    provider.answer_changes["introspect"] = lambda body: body | {"handler_scope": ["nev-recall"]}
    token = provider.access_token()
    claims = asked.confirm(token, provider.tokens[token])
    assert not isinstance(claims, Refusal)
    assert claims["handler_scope"] == ["nev-recall"]


def test_a_role_that_the_provider_names_no_more_is_gone(asked: Liveness, provider: TestProvider) -> None:
    def without_roles(body: Claims) -> Claims:
        return {name: value for name, value in body.items() if name != "roles"}

    token = provider.access_token(Person.natural_person(roles=["regulator"]))
    provider.answer_changes["introspect"] = without_roles
    claims = asked.confirm(token, provider.tokens[token])
    assert not isinstance(claims, Refusal)
    assert "roles" not in claims


def test_no_answer_is_no_yes(asked: Liveness, provider: TestProvider) -> None:
    provider.broken.add("introspect")
    token = provider.access_token()
    with pytest.raises(ProviderUnavailable):
        asked.confirm(token, provider.tokens[token])


@pytest.mark.parametrize("active", ["true", 1, None, "yes"])
def test_only_true_is_true(asked: Liveness, provider: TestProvider, active: object) -> None:
    provider.answer_changes["introspect"] = lambda body: body | {"active": active}
    token = provider.access_token()
    with pytest.raises(ProviderUnavailable):
        asked.confirm(token, provider.tokens[token])


def test_a_client_that_the_provider_does_not_know_gets_no_yes(
    op: Provider, client: Client, provider: TestProvider
) -> None:
    provider.client_id = "renamed"
    token = provider.access_token()
    with pytest.raises(ProviderUnavailable):
        Liveness(op, client).confirm(token, provider.tokens[token])


def test_the_memory_is_bounded(
    asked: Liveness, provider: TestProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(liveness, "MAX_ENTRIES", 2)
    for _ in range(5):
        token = provider.access_token()
        asked.confirm(token, provider.tokens[token])
    assert len(asked._seen) <= 2
