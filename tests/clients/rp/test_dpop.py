"""DPoP proofs: good for one request with one token, made with the key that the token is bound to."""

from __future__ import annotations

import hashlib
import time
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from clients.rp import clock
from clients.rp.dpop import process_proof

URL = "https://smdvs.example/smdvs/api/v1/reports"
TOKEN = "an-access-token"
KEY = ECKey.generate_key("P-256")


def proof(key: ECKey | RSAKey = KEY, header: dict[str, Any] | None = None, **changes: Any) -> str:
    ath = urlsafe_b64encode(hashlib.sha256(TOKEN.encode()).digest()).rstrip(b"=").decode()
    claims = {"htm": "POST", "htu": URL, "iat": int(time.time()), "jti": "1", "ath": ath, **changes}
    full = {"typ": "dpop+jwt", "alg": "ES256", "jwk": key.as_dict(private=False), **(header or {})}
    used = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(full, used, key, algorithms=[full["alg"]])


def thumbprint(token: str) -> str | None:
    found = process_proof(token, "POST", URL, TOKEN, clock.now())
    return found.key_thumbprint if found is not None else None


def test_a_good_proof_gives_the_keys_thumbprint() -> None:
    assert thumbprint(proof()) == KEY.thumbprint()


@pytest.mark.parametrize("htu", [URL + "?x=1", URL + "#x", URL.replace("smdvs.example", "SMDVS.example")])
def test_query_fragment_and_the_hosts_case_do_not_matter(htu: str) -> None:
    assert thumbprint(proof(htu=htu)) == KEY.thumbprint()


@pytest.mark.parametrize(
    "changes",
    [
        {"htm": "GET"},
        {"htu": URL + "/other"},
        {"htu": "https://other.example/smdvs/api/v1/reports"},
        {"htu": None},
        {"htu": "https://[bad"},
        {"iat": 1},
        {"iat": 9_999_999_999},
        {"iat": None},
        {"jti": None},
        {"ath": "x"},
        {"ath": None},
        {"ath": "中"},
    ],
)
def test_a_proof_for_something_else_is_none(changes: dict[str, Any]) -> None:
    assert thumbprint(proof(**changes)) is None


@pytest.mark.parametrize(
    "header", [{"typ": "JWT"}, {"jwk": KEY.as_dict(private=True)}, {"jwk": {"kty": "EC"}}]
)
def test_a_proof_with_a_wrong_header_is_none(header: dict[str, Any]) -> None:
    assert thumbprint(proof(header=header)) is None


def test_a_proof_signed_by_another_key_is_none() -> None:
    other = ECKey.generate_key("P-256")
    assert thumbprint(proof(header={"jwk": other.as_dict(private=False)})) is None


@pytest.mark.parametrize("garbage", ["", "x", "a.b.c", "中.文.字", "A" * 10_000])
def test_garbage_is_no_proof(garbage: str) -> None:
    assert thumbprint(garbage) is None
