"""Forged, stolen, stale and misdirected access tokens, each refused with its reason."""

from __future__ import annotations

import hmac
import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey

from clients.rp import clock
from clients.rp.access import claims_from
from clients.rp.client import Client
from clients.rp.discovery import Provider
from clients.rp.errors import Refusal
from tests.clients.provider import Claims, TestProvider
from tests.clients.rp.conftest import AUDIENCE

pytestmark = pytest.mark.usefixtures("client")


def reason(op: Provider, token: str, thumbprint: str | None = None) -> str | None:
    outcome = claims_from(op, token, AUDIENCE, clock.now(), thumbprint)
    return outcome.reason if isinstance(outcome, Refusal) else None


def encoded(part: Claims) -> str:
    return urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def decoded(part: str) -> Claims:
    found: Claims = json.loads(urlsafe_b64decode(part + "=="))
    return found


def test_a_good_token_gives_its_claims(op: Provider, provider: TestProvider) -> None:
    claims = claims_from(op, provider.access_token(), AUDIENCE, clock.now())
    assert not isinstance(claims, Refusal)
    assert claims["enterprise_credit_code"] == "91990101MADEM00117"


def test_rs256_is_as_good_as_es256(op: Provider, provider: TestProvider) -> None:
    claims = provider.tokens[provider.access_token()]
    assert reason(op, provider.sign(claims, "at+jwt", provider.keys[1])) is None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"iss": "http://127.0.0.1:1"}, "token_issuer"),
        ({"iss": None}, "token_issuer"),
        ({"aud": "smdvs"}, "token_audience"),
        ({"aud": AUDIENCE + "/"}, "token_audience"),
        ({"aud": [AUDIENCE + "x", "smdvs"]}, "token_audience"),
        ({"aud": None}, "token_audience"),
        ({"aud": {"a": AUDIENCE}}, "token_audience"),
        ({"exp": 0}, "token_expired"),
        ({"exp": None}, "token_expired"),
        ({"exp": "9999999999"}, "token_expired"),
        ({"exp": True}, "token_expired"),
        ({"nbf": 9_999_999_999}, "token_not_yet_valid"),
        ({"nbf": "now"}, "token_not_yet_valid"),
        ({"iat": 9_999_999_999}, "token_not_yet_valid"),
        ({"sub": None}, "token_claims"),
        ({"sub": 7}, "token_claims"),
        ({"client_id": ""}, "token_claims"),
        ({"cnf": {"jkt": "someone"}}, "token_binding"),
        ({"cnf": {}}, "token_binding"),
        ({"cnf": {"x5t#S256": "certificate"}}, "token_binding"),
        ({"cnf": "x"}, "token_binding"),
    ],
)
def test_a_claim_that_does_not_fit_is_refused(
    op: Provider, provider: TestProvider, changes: dict[str, Any], expected: str
) -> None:
    assert reason(op, provider.access_token(**changes)) == expected


def test_an_audience_among_several_is_enough(op: Provider, provider: TestProvider) -> None:
    assert reason(op, provider.access_token(aud=["https://other.example", AUDIENCE])) is None


@pytest.mark.pitfall(15)
@pytest.mark.parametrize("typ", ["JWT", "logout+jwt", "at", "", "at+jwt; x"])
def test_another_type_of_token_is_no_access_token(op: Provider, provider: TestProvider, typ: str) -> None:
    claims = provider.tokens[provider.access_token()]
    assert reason(op, provider.sign(claims, typ)) == "token_type"


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt"])
def test_the_type_may_be_spelt_as_a_media_type(op: Provider, provider: TestProvider, typ: str) -> None:
    assert reason(op, provider.sign(provider.tokens[provider.access_token()], typ)) is None


def unsigned(provider: TestProvider, token: str) -> str:
    return f"{encoded({'alg': 'none', 'typ': 'at+jwt'})}.{token.split('.')[1]}."


def signed_with_public_key(provider: TestProvider, token: str) -> str:
    """The old trick: an HMAC whose secret is the public key."""
    header = {"alg": "HS256", "typ": "at+jwt", "kid": provider.keys[1].kid}
    signed = f"{encoded(header)}.{token.split('.')[1]}"
    mac = hmac.digest(provider.keys[1].as_pem(private=False), signed.encode(), "sha256")
    return f"{signed}.{urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def signed_by_a_stranger(provider: TestProvider, token: str) -> str:
    stranger = ECKey.generate_key("P-256", {"kid": str(provider.keys[0].kid)})
    return provider.sign(provider.tokens[token], "at+jwt", stranger)


def signed_by_an_unknown_key(provider: TestProvider, token: str) -> str:
    return provider.sign(provider.tokens[token], "at+jwt", ECKey.generate_key("P-256", auto_kid=True))


def with_own_key_in_the_header(provider: TestProvider, token: str) -> str:
    own = ECKey.generate_key("P-256", auto_kid=True)
    return provider.sign(provider.tokens[token], "at+jwt", own, jwk=own.as_dict(private=False))


def with_changed_payload(provider: TestProvider, token: str) -> str:
    header, payload, signature = token.split(".")
    return (
        f"{header}.{encoded(decoded(payload) | {'enterprise_credit_code': '91990101MADEM002XY'})}.{signature}"
    )


def with_changed_signature(provider: TestProvider, token: str) -> str:
    header, payload, signature = token.split(".")
    return f"{header}.{payload}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"


def under_another_algorithm(provider: TestProvider, token: str) -> str:
    header, payload, signature = token.split(".")
    return f"{encoded(decoded(header) | {'alg': 'RS256'})}.{payload}.{signature}"


def without_key_id(provider: TestProvider, token: str) -> str:
    return provider.sign(provider.tokens[token], "at+jwt", kid=None)


def with_critical_header(provider: TestProvider, token: str) -> str:
    header, payload, signature = token.split(".")
    return f"{encoded(decoded(header) | {'crit': ['x'], 'x': 1})}.{payload}.{signature}"


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda token: token + ".x", "token_malformed"),
        (lambda token: token.replace(".", ""), "token_malformed"),
        (lambda _: "..", "token_malformed"),
        (lambda _: "", "token_malformed"),
        (lambda _: "中.文.令", "token_malformed"),
        (lambda token: f"{token}{'A' * 20_000}", "token_malformed"),
        (lambda token: f"{encoded({'alg': ['ES256']})}.{token.split('.')[1]}.A", "token_algorithm"),
        (lambda _: f"{encoded({'alg': 'ES256', 'kid': 5})}.e30.A", "token_key"),
        (lambda token: f"W10.{token.split('.')[1]}.A", "token_malformed"),
    ],
)
def test_a_spoilt_token_is_refused(
    op: Provider, provider: TestProvider, spoil: Callable[[str], str], expected: str
) -> None:
    assert reason(op, spoil(provider.access_token())) == expected


@pytest.mark.parametrize(
    ("forge", "expected"),
    [
        (unsigned, "token_algorithm"),
        (signed_with_public_key, "token_algorithm"),
        (signed_by_a_stranger, "token_signature"),
        (signed_by_an_unknown_key, "token_key"),
        (with_own_key_in_the_header, "token_key"),
        (with_changed_payload, "token_signature"),
        (with_changed_signature, "token_signature"),
        (under_another_algorithm, "token_signature"),
        (with_critical_header, "token_signature"),
    ],
)
def test_a_forged_token_is_refused(
    op: Provider, provider: TestProvider, forge: Callable[[TestProvider, str], str], expected: str
) -> None:
    assert reason(op, forge(provider, provider.access_token())) == expected


def test_a_payload_that_is_no_object_is_refused(op: Provider, provider: TestProvider) -> None:
    header = {"alg": "ES256", "kid": provider.keys[0].kid, "typ": "at+jwt"}
    assert reason(op, jws.serialize_compact(header, b"[1]", provider.keys[0])) == "token_signature"


def test_a_bound_token_needs_the_key_it_is_bound_to(op: Provider, provider: TestProvider) -> None:
    bound = provider.access_token(cnf={"jkt": "the-key"})
    assert reason(op, bound, "the-key") is None
    assert reason(op, bound, "another-key") == "token_binding"


def test_an_unbound_token_is_not_accepted_with_a_proof(op: Provider, provider: TestProvider) -> None:
    assert reason(op, provider.access_token(), "some-key") == "token_binding"


def test_a_token_is_good_until_its_end_and_not_after(op: Provider, provider: TestProvider) -> None:
    assert reason(op, provider.access_token(exp=int(time.time()) + 2)) is None
    assert reason(op, provider.access_token(exp=int(time.time()) - 60)) == "token_expired"


def test_new_keys_are_found_without_a_restart(
    op: Provider, provider: TestProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clients.rp.discovery.UNKNOWN_KEY_SECONDS", 0.0)
    assert reason(op, provider.access_token()) is None
    provider.rotate_key()
    assert reason(op, provider.access_token()) is None


def test_a_flood_of_unknown_keys_asks_the_provider_once(
    op: Provider, provider: TestProvider, client: Client
) -> None:
    for _ in range(5):
        forged = signed_by_an_unknown_key(provider, provider.access_token())
        assert reason(op, forged) == "token_key"
    assert provider.calls.count("jwks") == 1
