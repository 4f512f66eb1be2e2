from __future__ import annotations

import hmac
from collections.abc import Callable
from functools import partial
from typing import Any

import orjson
import pytest
from joserfc import jws
from joserfc.jwk import ECKey

from idp.services.platform import Platform
from tests.oauth.relying_party import base64url
from tests.oauth.upstream.guest import (
    INVALID,
    TWO_FACTORS,
    Guest,
    assert_refused,
)
from tests.oauth.upstream.other_platform import CLIENT_ID, OtherPlatform

EVIL = ECKey.generate_key("P-256", {"kid": "evil"})


def signed(provider: OtherPlatform, claims: Any, *, key: ECKey | None = None, **header: Any) -> str:
    signing = key or provider.keys[0]
    full = {"alg": "ES256", "kid": signing.kid, "typ": "JWT", **header}
    registry = jws.JWSRegistry(algorithms=["ES256"], strict_check_header=False)
    if "crit" in full:
        registry.header_registry["x"] = registry.header_registry["kid"]
    return jws.serialize_compact(full, orjson.dumps(claims), signing, registry=registry)


def without(claims: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in claims.items() if key != name}


def unsigned(claims: dict[str, Any]) -> str:
    return f"{base64url(orjson.dumps({'alg': 'none'}))}.{base64url(orjson.dumps(claims))}."


def by_public_key(provider: OtherPlatform, claims: dict[str, Any]) -> str:
    """As a verifier takes it that doesn't look at the algorithm; no library would sign so."""
    header = {"alg": "HS256", "kid": provider.keys[0].kid}
    text = f"{base64url(orjson.dumps(header))}.{base64url(orjson.dumps(claims))}"
    secret = provider.keys[0].as_pem(private=False)
    return f"{text}.{base64url(hmac.digest(secret, text.encode(), 'sha256'))}"


CLAIMS: dict[str, dict[str, Any]] = {
    "iss": {"iss": "https://evil.example"},
    "no iss": {"iss": None},
    "aud": {"aud": "another-client"},
    "aud besides": {"aud": [CLIENT_ID, "another-client"], "azp": CLIENT_ID},
    "aud of others": {"aud": ["another-client"]},
    "no aud": {"aud": None},
    "azp": {"azp": "another-client"},
    "nonce": {"nonce": "another"},
    "nonce of another type": {"nonce": [1]},
    "expired": {"exp": 1000000000},
    "no exp": {"exp": None},
    "exp as text": {"exp": "4000000000"},
    "from tomorrow": {"iat": 4000000000, "exp": 4000000300},
    "no iat": {"iat": None},
    "auth_time tomorrow": {"auth_time": 4000000000},
    "no auth_time": {"auth_time": None},
    "auth_time as text": {"auth_time": "1000000000"},
    "sub empty": {"sub": ""},
    "sub as number": {"sub": 7},
    "sub too long": {"sub": "x" * 256},
    "no sub": {"sub": None},
    "acr as list": {"acr": [TWO_FACTORS]},
    "amr as text": {"amr": "pwd"},
    "at_hash": {"at_hash": base64url(b"0" * 16)},
    "at_hash as number": {"at_hash": 7},
}
SIGNERS: dict[str, Callable[[OtherPlatform, dict[str, Any]], str]] = {
    "iss with a slash": lambda p, claims: signed(p, claims | {"iss": f"{p.issuer}/"}),
    "no nonce": lambda p, claims: signed(p, without(claims, "nonce")),
    "an access token": lambda p, claims: signed(p, claims, typ="at+jwt"),
    "alg none": lambda _, claims: unsigned(claims),
    "HS256 by the public key": by_public_key,
    "another key": lambda p, claims: signed(p, claims, key=EVIL, kid=p.keys[0].kid),
    "a key in the header": lambda p, claims: signed(p, claims, key=EVIL, jwk=EVIL.as_dict(private=False)),
    "wrong kid": lambda p, claims: signed(p, claims, kid="unknown"),
    "critical extension": lambda p, claims: signed(p, claims, crit=["x"], x="1"),
    "no JWT": lambda _, claims: str(claims["nonce"]),
    "no claims": lambda p, claims: signed(p, [claims]),
}


@pytest.mark.parametrize("change", CLAIMS.values(), ids=list(CLAIMS))
def test_an_id_token_with_other_claims_signs_nobody_in(
    guest: Guest, upstream: OtherPlatform, platform: Platform, li: str, change: dict[str, Any]
) -> None:
    upstream.id_token = change
    assert_refused(guest, guest.walk(upstream), platform, INVALID)


@pytest.mark.parametrize("signer", SIGNERS.values(), ids=list(SIGNERS))
def test_a_forged_id_token_signs_nobody_in(
    guest: Guest,
    upstream: OtherPlatform,
    platform: Platform,
    li: str,
    signer: Callable[[OtherPlatform, dict[str, Any]], str],
) -> None:
    upstream.sign = partial(signer, upstream)
    assert_refused(guest, guest.walk(upstream), platform, INVALID)


def test_the_levers_of_the_table_hold_nothing_back(guest: Guest, upstream: OtherPlatform, li: str) -> None:
    upstream.sign = lambda claims: signed(upstream, claims)
    assert guest.walk(upstream).location == "/account"


@pytest.mark.parametrize(
    "answer",
    [
        lambda: ("broken", 200),
        lambda: ("[1]", 200),
        lambda: ({}, 200),
        lambda: ({"access_token": "x", "token_type": "Bearer"}, 200),
        lambda: ({"access_token": "x", "token_type": "DPoP", "id_token": "x"}, 200),
        lambda: ({"access_token": 1, "token_type": "Bearer", "id_token": "x"}, 200),
        lambda: ({"error": "invalid_grant"}, 400),
    ],
)
def test_a_token_answer_that_is_none(
    guest: Guest, upstream: OtherPlatform, platform: Platform, li: str, answer: Callable[[], Any]
) -> None:
    upstream.answers["/token"] = answer
    assert_refused(guest, guest.walk(upstream), platform, INVALID)


@pytest.mark.parametrize("path", ["/token", "/userinfo", "/par"])
def test_a_failure_over_there_is_said_to_be_one(
    guest: Guest, upstream: OtherPlatform, platform: Platform, li: str, path: str
) -> None:
    upstream.answers[path] = lambda: ("<html>", 502)
    page = guest.press() if path == "/par" else guest.walk(upstream)
    assert page.status_code == 503
    assert_refused(guest, page, platform, "upstream_unavailable")


def test_a_refused_push_is_said_to_be_a_failure(
    guest: Guest, upstream: OtherPlatform, platform: Platform
) -> None:
    upstream.answers["/par"] = lambda: ({"error": "invalid_request"}, 400)
    assert_refused(guest, guest.press(), platform, "upstream_unavailable")
