"""The provider's metadata and keys: exact issuer, cached, and outliving the provider's silences."""

from __future__ import annotations

import pytest

from clients.rp import discovery
from clients.rp.discovery import Provider, process_jwks, process_metadata
from clients.rp.errors import ProviderUnavailable
from clients.rp.transport import Transport
from tests.clients.provider import Claims, TestProvider

ISSUER = "https://op.example"


def metadata(**changes: object) -> Claims:
    addresses = ("authorization_endpoint", "token_endpoint", "jwks_uri", "introspection_endpoint")
    return {"issuer": ISSUER, **{name: f"{ISSUER}/{name}" for name in addresses}, **changes}


@pytest.mark.parametrize("issuer", [ISSUER + "/", "https://OP.example", "http://op.example", None, ["x"]])
def test_another_spelling_of_the_issuer_is_another_issuer(issuer: object) -> None:
    with pytest.raises(ProviderUnavailable):
        process_metadata(ISSUER, metadata(issuer=issuer))


@pytest.mark.parametrize("address", [None, 5, "", "ftp://op.example/x", "javascript:alert(1)"])
def test_a_document_without_a_needed_address_is_no_metadata(address: object) -> None:
    with pytest.raises(ProviderUnavailable):
        process_metadata(ISSUER, metadata(introspection_endpoint=address))


def test_optional_addresses_may_be_missing() -> None:
    assert process_metadata(ISSUER, metadata()).end_session_endpoint is None


@pytest.mark.parametrize("document", [{}, {"keys": None}, {"keys": {}}])
def test_a_document_without_keys_is_no_jwks(document: Claims) -> None:
    with pytest.raises(ProviderUnavailable):
        process_jwks(document)


def test_keys_of_unknown_kinds_private_secret_and_encryption_keys_are_passed_over() -> None:
    point = {"crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"}
    point["y"] = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
    good = {"kty": "EC", "kid": "good", **point}
    private = {**good, "kid": "private", "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}
    secret = {"kty": "oct", "kid": "secret", "k": "AAAA"}
    sm2 = {"kty": "EC", "crv": "SM2-P-256", "kid": "sm2", "x": "AA", "y": "AA"}
    others = [
        private,
        secret,
        sm2,
        {**good, "kid": "enc", "use": "enc"},
        {**good, "kid": 5},
        "x",
        {"kid": "k"},
    ]
    assert set(process_jwks({"keys": [*others, good]})) == {"good"}


def test_metadata_and_keys_are_asked_for_once(op: Provider, provider: TestProvider) -> None:
    kid = str(provider.keys[0].kid)
    for _ in range(3):
        op.metadata()
        assert op.find_key(kid) is not None
    assert provider.calls == ["discovery", "jwks"]


def test_a_provider_that_comes_up_later_is_found_then(
    op: Provider, provider: TestProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "RETRY_SECONDS", 0.0)
    provider.broken.add("discovery")
    with pytest.raises(ProviderUnavailable):
        op.metadata()
    provider.broken.clear()
    assert op.metadata().issuer == provider.issuer


def test_a_silent_provider_is_not_asked_by_everyone_who_waits(op: Provider, provider: TestProvider) -> None:
    provider.broken.add("discovery")
    for _ in range(5):
        with pytest.raises(ProviderUnavailable):
            op.metadata()
    assert provider.calls == ["discovery"]


def test_known_metadata_and_keys_outlive_a_silence(
    op: Provider, provider: TestProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "METADATA_SECONDS", 0.0)
    monkeypatch.setattr(discovery, "JWKS_SECONDS", 0.0)
    kid = str(provider.keys[0].kid)
    assert op.find_key(kid) is not None
    provider.broken |= {"discovery", "jwks"}
    assert op.metadata().issuer == provider.issuer
    assert op.find_key(kid) is not None


def test_a_withdrawn_key_is_forgotten_when_the_keys_are_read_again(
    op: Provider, provider: TestProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "JWKS_SECONDS", 0.0)
    kid = str(provider.keys[0].kid)
    assert op.find_key(kid) is not None
    provider.rotate_key()
    assert op.find_key(kid) is None


def test_nobody_at_the_address_is_a_provider_that_is_unavailable() -> None:
    transport = Transport()
    with pytest.raises(ProviderUnavailable):
        Provider("http://127.0.0.1:9", transport).metadata()
    transport.close()


def test_a_slow_provider_is_not_waited_for(
    op: Provider, provider: TestProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clients.rp.transport.READ_TIMEOUT", 0.05)
    provider.delays["discovery"] = 0.3
    with pytest.raises(ProviderUnavailable):
        op.metadata()


def test_an_endless_answer_is_cut_off(
    op: Provider, provider: TestProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clients.rp.transport.MAX_BYTES", 100)
    with pytest.raises(ProviderUnavailable):
        op.metadata()
