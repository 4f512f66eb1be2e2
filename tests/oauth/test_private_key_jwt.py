from __future__ import annotations

import hashlib
import hmac
import json
import time as wall_clock
from collections.abc import Callable
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from idp.oauth import client_keys
from tests.oauth.conftest import RegisterClient, both_backends
from tests.oauth.key_server import KeyServer
from tests.oauth.relying_party import (
    ASSERTION_TYPE,
    CLIENT_KEY,
    ISSUER,
    RelyingParty,
    assert_error,
    base64url,
    signed,
    unsigned,
)
from tests.services.conftest import MovableClock, at_once

GRANT = {"grant_type": "client_credentials"}
OTHER_KEY = ECKey.generate_key("P-256", {"kid": "client-key"})
RSA_KEY = RSAKey.generate_key(2048, {"kid": "rsa"})
ED_KEY = OKPKey.generate_key("Ed25519", {"kid": "ed"})


def public(*keys: Any) -> dict[str, Any]:
    return {"keys": [key.as_dict(private=False) for key in keys]}


@pytest.fixture
def job(register: RegisterClient) -> RelyingParty:
    return register(
        token_endpoint_auth_method="private_key_jwt",
        jwks=public(CLIENT_KEY),
        grant_types=["client_credentials", "authorization_code", "refresh_token"],
        scope="openid job:run",
    )


def send(rp: RelyingParty, assertion: str, **more: str) -> Any:
    form = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
    return rp.http.post("/oauth/token", data=GRANT | form | more)


@pytest.mark.checklist(59)
@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/introspect", "/oauth/revoke"])
def test_it_works_at_every_endpoint(job: RelyingParty, path: str) -> None:
    assert job.post(path, GRANT | {"token": "x"}).status_code == 200


@pytest.mark.checklist(62)
@pytest.mark.parametrize(
    "audience", [ISSUER, f"{ISSUER}/oauth/token", [ISSUER], ["https://other.example", ISSUER]]
)
def test_the_issuer_is_an_audience(job: RelyingParty, audience: Any) -> None:
    assert send(job, job.assertion(aud=audience)).status_code == 200


@pytest.mark.checklist(61)
@pytest.mark.parametrize(
    "changes",
    [
        {"iss": None},
        {"iss": "other"},
        {"sub": None},
        {"sub": "other"},
        {"sub": 5},
        {"aud": None},
        {"aud": "https://other.example"},
        {"aud": []},
        {"aud": [5, None, {}]},
        {"aud": {}},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"exp": 1},
        {"exp": -1},
        {"exp": 10**12},
        {"exp": 1e300},
        {"exp": 4_000_000_000},
        {"nbf": 4_000_000_000},
        {"iat": 4_000_000_000},
        {"iat": "now"},
        {"nbf": [1]},
        {"jti": None},
        {"jti": ""},
        {"jti": 5},
        {"jti": "x" * 257},
    ],
)
def test_a_claim_missing_or_wrong_is_refused(job: RelyingParty, changes: dict[str, Any]) -> None:
    assert_error(send(job, job.assertion(**changes)), "invalid_client", 401)


@both_backends
@pytest.mark.parametrize("client_id", ["nul\0", "中", "x" * 5000])
def test_a_sub_that_can_be_no_client_is_refused(job: RelyingParty, client_id: str) -> None:
    assert_error(send(job, job.assertion(sub=client_id, iss=client_id)), "invalid_client", 401)


@both_backends
def test_a_jti_may_be_any_text(job: RelyingParty) -> None:
    for jti in ("中文", "nul\0", "x" * 256):
        assert send(job, job.assertion(jti=jti)).status_code == 200


@pytest.mark.checklist(61)
@pytest.mark.parametrize(("seconds", "status"), [(59, 200), (61, 401), (300, 401)])
def test_an_expired_assertion_is_refused(
    job: RelyingParty, time: MovableClock, seconds: int, status: int
) -> None:
    assertion = job.assertion()
    time.advance(seconds=seconds)
    assert send(job, assertion).status_code == status


@pytest.mark.checklist(64)
@pytest.mark.parametrize("ahead", [8, 10])
def test_a_clock_a_little_ahead_is_forgiven(job: RelyingParty, ahead: int) -> None:
    now = int(wall_clock.time())
    assert send(job, job.assertion(iat=now + ahead, nbf=now + ahead)).status_code == 200


@pytest.mark.checklist(67)
@both_backends
def test_a_repeated_jti_is_refused(job: RelyingParty) -> None:
    assertion = job.assertion()
    assert send(job, assertion).status_code == 200
    assert_error(send(job, assertion), "invalid_client", 401)
    assert send(job, job.assertion(jti="same")).status_code == 200
    assert_error(send(job, job.assertion(jti="same")), "invalid_client", 401)


@pytest.mark.pitfall(21)
@pytest.mark.checklist(67)
@both_backends
def test_of_simultaneous_uses_of_an_assertion_one_succeeds(job: RelyingParty) -> None:
    assertion = job.assertion()
    answers = at_once([lambda: send(job, assertion).status_code for _ in range(4)])
    assert sorted(answers) == [200, 401, 401, 401]


def test_two_clients_may_use_the_same_jti(job: RelyingParty, register: RegisterClient) -> None:
    other = register(
        token_endpoint_auth_method="private_key_jwt",
        jwks=public(CLIENT_KEY),
        grant_types=["client_credentials"],
    )
    for client in (job, other):
        assert send(client, client.assertion(jti="same")).status_code == 200


@pytest.mark.checklist(68)
def test_another_clients_key_authenticates_nobody_else(job: RelyingParty, register: RegisterClient) -> None:
    other = register(
        token_endpoint_auth_method="private_key_jwt",
        jwks=public(OTHER_KEY),
        grant_types=["client_credentials"],
    )
    assert_error(send(job, job.assertion(key=OTHER_KEY)), "invalid_client", 401)
    assert send(other, other.assertion(key=OTHER_KEY)).status_code == 200
    assert_error(send(other, other.assertion(key=OTHER_KEY, sub=job.client_id)), "invalid_client", 401)


@pytest.mark.pitfall(21)
@pytest.mark.checklist(66)
def test_client_id_in_the_body_must_be_the_assertions(job: RelyingParty, rp: RelyingParty) -> None:
    assert_error(send(job, job.assertion(), client_id=rp.client_id), "invalid_client", 401)
    assert send(job, job.assertion(), client_id=job.client_id).status_code == 200


@pytest.mark.checklist(66)
@pytest.mark.parametrize("kind", ["", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer", "中"])
def test_the_type_of_the_assertion_must_be_said(job: RelyingParty, kind: str) -> None:
    form = {"client_assertion_type": kind, "client_assertion": job.assertion()}
    assert_error(job.http.post("/oauth/token", data=GRANT | form), "invalid_client", 401)


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [("RS256", RSA_KEY), ("PS256", RSA_KEY), ("EdDSA", ED_KEY), ("ES256", CLIENT_KEY)],
)
def test_every_announced_algorithm_works(register: RegisterClient, algorithm: str, key: Any) -> None:
    rp = register(
        token_endpoint_auth_method="private_key_jwt",
        jwks=public(RSA_KEY, ED_KEY, CLIENT_KEY),
        grant_types=["client_credentials"],
    )
    header = {"alg": algorithm, "kid": key.kid}
    assert send(rp, rp.assertion(key=key, header=header)).status_code == 200


@pytest.mark.pitfall(21)
def test_the_registered_algorithm_is_the_only_one(register: RegisterClient) -> None:
    rp = register(
        token_endpoint_auth_method="private_key_jwt",
        token_endpoint_auth_signing_alg="PS256",
        jwks=public(RSA_KEY),
        grant_types=["client_credentials"],
    )
    ps256, rs256 = ({"alg": name, "kid": "rsa"} for name in ("PS256", "RS256"))
    assert send(rp, rp.assertion(key=RSA_KEY, header=ps256)).status_code == 200
    assert_error(send(rp, rp.assertion(key=RSA_KEY, header=rs256)), "invalid_client", 401)


@pytest.fixture
def guarded(register: RegisterClient) -> RelyingParty:
    return register(
        profile="fapi2",
        token_endpoint_auth_method="private_key_jwt",
        jwks=public(RSA_KEY, ED_KEY, CLIENT_KEY),
        grant_types=["client_credentials"],
        dpop_bound_access_tokens=True,
    )


def introspection(rp: RelyingParty, assertion: str) -> Any:
    form = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion, "token": "x"}
    return rp.http.post("/oauth/introspect", data=form)


@pytest.mark.checklist(63)
@pytest.mark.parametrize(
    "audience",
    [
        [ISSUER],
        [ISSUER, ISSUER],
        f"{ISSUER}/oauth/token",
        f"{ISSUER}/oauth/par",
        f"{ISSUER}/",
        "https://a.example",
        [],
    ],
)
def test_in_the_profile_the_audience_is_the_issuer_as_one_string(
    guarded: RelyingParty, audience: Any
) -> None:
    assert_error(introspection(guarded, guarded.assertion(aud=audience)), "invalid_client", 401)
    assert introspection(guarded, guarded.assertion(aud=ISSUER)).status_code == 200


@pytest.mark.checklist(65)
@pytest.mark.parametrize(
    ("algorithm", "key", "status"),
    [("PS256", RSA_KEY, 200), ("EdDSA", ED_KEY, 200), ("ES256", CLIENT_KEY, 200), ("RS256", RSA_KEY, 401)],
)
def test_in_the_profile_three_algorithms_are_left(
    guarded: RelyingParty, algorithm: str, key: Any, status: int
) -> None:
    header = {"alg": algorithm, "kid": key.kid}
    assert introspection(guarded, guarded.assertion(key=key, header=header)).status_code == status


def hmac_with_the_public_key(job: RelyingParty) -> str:
    header = base64url(b'{"alg":"HS256","kid":"client-key"}')
    signed_part = f"{header}.{job.assertion().split('.')[1]}"
    code = hmac.digest(CLIENT_KEY.as_pem(private=False), signed_part.encode(), "sha256")
    return f"{signed_part}.{base64url(code)}"


def with_header(job: RelyingParty, header: bytes) -> str:
    return ".".join([base64url(header), *job.assertion().split(".")[1:]])


def deep_header(job: RelyingParty) -> str:
    return with_header(job, b'{"alg":"ES256","kid":' + b"[" * 1500 + b"]" * 1500 + b"}")


def deep_payload(job: RelyingParty) -> str:
    header = base64url(b'{"alg":"ES256"}')
    return ".".join([header, base64url(b"[" * 2500 + b"]" * 2500), "AA"])


@pytest.mark.checklist(65)
@pytest.mark.parametrize(
    "forge",
    [
        lambda job: unsigned({"iss": job.client_id, "sub": job.client_id, "aud": ISSUER, "jti": "1"}),
        hmac_with_the_public_key,
        lambda job: job.assertion()[:-4],
        lambda job: job.assertion() + "AAAA",
        lambda job: job.assertion().replace(".", "", 1),
        lambda job: ".".join(["e30", *job.assertion().split(".")[1:]]),
        lambda job: job.assertion(header={"kid": "unknown"}),
        lambda job: job.assertion(key=OTHER_KEY),
        lambda job: signed({"sub": job.client_id}, CLIENT_KEY, {"alg": "ES256"}),
        lambda _: "",
        lambda _: "x",
        lambda _: "..",
        lambda _: "e30.e30.",
        lambda _: "e30.bnVsbA.AA",
        lambda _: "中.文.字",
        lambda _: "A" * 20_000,
        lambda job: job.assertion(padding="x" * 9000),
        lambda job: with_header(job, b'{"alg":"ES256","kid":5}'),
        lambda job: with_header(job, b'{"alg":["ES256"]}'),
        lambda job: with_header(job, b'{"alg":"ES256","crit":["x"],"x":1}'),
        lambda job: with_header(job, b'{"alg":"ES256","crit":["b64"],"b64":false}'),
        lambda job: with_header(job, b'{"alg":"ES256","kid":"client-key","jwk":{"kty":"oct"}}'),
        lambda job: with_header(job, b"[]"),
        lambda job: with_header(job, b"null"),
        lambda job: with_header(job, b"\xff"),
        deep_header,
        deep_payload,
    ],
)
def test_a_forged_assertion_is_refused(job: RelyingParty, forge: Callable[[RelyingParty], str]) -> None:
    assert_error(send(job, forge(job)), "invalid_client", 401)


@pytest.mark.parametrize(
    "key",
    [
        {"kty": "EC"},
        {"kty": "EC", "crv": "P-256", "x": "!!", "y": "!!"},
        {"kty": "EC", "crv": "unknown", "x": "AA", "y": "AA"},
        {"kty": "RSA", "n": 5, "e": []},
        {"kty": "RSA", "n": "AQ", "e": "AQ"},
        {"kty": "OKP", "crv": "Ed25519", "x": "AA"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": 5, "use": [], "key_ops": 1},
    ],
)
def test_registered_keys_that_are_none_refuse_and_nothing_breaks(
    register: RegisterClient, key: dict[str, Any]
) -> None:
    rp = register(
        token_endpoint_auth_method="private_key_jwt", jwks={"keys": [key]}, grant_types=["client_credentials"]
    )
    assert_error(send(rp, rp.assertion()), "invalid_client", 401)


# --- keys by address


@pytest.fixture
def remote(register: RegisterClient, key_server: KeyServer) -> RelyingParty:
    return register(
        token_endpoint_auth_method="private_key_jwt",
        jwks_uri=key_server.uri,
        grant_types=["client_credentials"],
    )


@pytest.mark.checklist(59)
def test_keys_are_fetched_from_jwks_uri_and_kept_for_a_while(
    remote: RelyingParty, key_server: KeyServer
) -> None:
    key_server.body = json.dumps(public(CLIENT_KEY)).encode()
    for _ in range(3):
        assert send(remote, remote.assertion()).status_code == 200
    assert key_server.asked == 1


@pytest.mark.checklist(60)
def test_a_new_key_is_known_after_a_minute_at_the_latest(
    remote: RelyingParty, key_server: KeyServer, time: MovableClock
) -> None:
    key_server.body = json.dumps(public(CLIENT_KEY)).encode()
    assert send(remote, remote.assertion()).status_code == 200
    new = ECKey.generate_key("P-256", {"kid": "new"})
    key_server.body = json.dumps(public(new)).encode()
    time.advance(seconds=client_keys.JWKS_TTL.total_seconds() + 1)
    assert send(remote, remote.assertion(key=new, header={"kid": "new"})).status_code == 200
    assert key_server.asked == 2


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"5",
        b"null",
        b"{}",
        b'{"keys":null}',
        b'{"keys":5}',
        b'{"keys":[5]}',
        b'{"keys":[]}',
        b'{"keys":[{}]}',
        b'{"keys":[{"kty":[]}]}',
        b'{"keys":[{"kty":"EC"}]}',
        b"[" * 2000,
        b"{" + b" " * 70_000 + b"}",
    ],
)
def test_whatever_jwks_uri_answers_nothing_breaks(
    remote: RelyingParty, key_server: KeyServer, body: bytes
) -> None:
    key_server.body = body
    assert_error(send(remote, remote.assertion()), "invalid_client", 401)


def test_a_jwks_uri_that_fails_refuses(remote: RelyingParty, key_server: KeyServer) -> None:
    key_server.status = "500 Internal Server Error"
    assert_error(send(remote, remote.assertion()), "invalid_client", 401)
    key_server.stop()
    assert_error(send(remote, remote.assertion()), "invalid_client", 401)


def test_a_symmetric_key_at_jwks_uri_verifies_nothing(remote: RelyingParty, key_server: KeyServer) -> None:
    secret = OctKey.import_key(hashlib.sha256(b"known").digest(), {"kid": "oct"})
    key_server.body = json.dumps({"keys": [secret.as_dict(private=True)]}).encode()
    assertion = remote.assertion(key=secret, header={"alg": "HS256", "kid": "oct"})
    assert_error(send(remote, assertion), "invalid_client", 401)
