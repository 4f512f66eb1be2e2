from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey
from werkzeug.test import TestResponse

from idp import clock
from idp.services.platform import Platform
from tests.oauth.browser import answer_of
from tests.oauth.conftest import RegisterClient, Scene, both_backends
from tests.oauth.relying_party import (
    DPOP_KEY,
    ISSUER,
    RelyingParty,
    assert_error,
    base64url,
    claims_of,
    dpop_proof,
    unsigned,
)
from tests.services.conftest import MovableClock, at_once

TOKEN: Final = "/oauth/token"
USERINFO: Final = "/oauth/userinfo"
OTHER_KEY: Final = ECKey.generate_key("P-256")
RSA_KEY: Final = RSAKey.generate_key(2048)
ED_KEY: Final = OKPKey.generate_key("Ed25519")
SECRET_KEY: Final = OctKey.generate_key(256)
JOB: Final = {"grant_types": ["client_credentials"], "scope": "job:run"}
JSON_VALUES: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@pytest.fixture
def job(register: RegisterClient) -> RelyingParty:
    return register(**JOB)


def ask(rp: RelyingParty, proof: str | None) -> TestResponse:
    headers = {} if proof is None else {"DPoP": proof}
    return rp.token({"grant_type": "client_credentials"}, headers=headers)


def ask_userinfo(rp: RelyingParty, token: str, proof: str | None, scheme: str = "DPoP") -> TestResponse:
    headers = {"Authorization": f"{scheme} {token}"} | ({"DPoP": proof} if proof else {})
    return rp.http.get(USERINFO, headers=headers)


def bound_token(scene: Scene) -> str:
    response = scene.rp.redeem(scene.browser.code_for(scene.rp), headers={"DPoP": dpop_proof(TOKEN)})
    assert response.status_code == 200, response.text
    return str(response.get_json()["access_token"])


def public_jwk(key: Key) -> dict[str, Any]:
    return dict(key.as_dict(private=False))


# --- at the token endpoint


@pytest.mark.checklist(100)
@pytest.mark.parametrize(("key", "algorithm"), [(DPOP_KEY, "ES256"), (RSA_KEY, "PS256"), (ED_KEY, "EdDSA")])
def test_a_proof_binds_the_token_to_its_key(job: RelyingParty, key: Key, algorithm: str) -> None:
    response = ask(job, dpop_proof(TOKEN, key=key, header={"alg": algorithm}))
    assert response.status_code == 200, response.text
    answer = response.get_json()
    assert answer["token_type"] == "DPoP"
    assert claims_of(answer["access_token"], job.http)["cnf"] == {"jkt": key.thumbprint()}
    facts = job.introspect(answer["access_token"])
    assert (facts["token_type"], facts["cnf"]) == ("DPoP", {"jkt": key.thumbprint()})


@pytest.mark.checklist(100)
def test_without_a_proof_the_token_is_a_bearer_token(job: RelyingParty) -> None:
    answer = ask(job, None).get_json()
    assert answer["token_type"] == "Bearer"
    assert "cnf" not in claims_of(answer["access_token"], job.http)


@pytest.mark.checklist(100)
def test_a_client_whose_tokens_must_be_bound_needs_a_proof(register: RegisterClient) -> None:
    bound = register(grant_types=["client_credentials"], scope="job:run", dpop_bound_access_tokens=True)
    assert_error(ask(bound, None), "invalid_dpop_proof")
    assert ask(bound, dpop_proof(TOKEN)).status_code == 200


WRONG: Final[dict[str, dict[str, Any]]] = {
    "no typ": {"header": {"typ": None}},
    "typ JWT": {"header": {"typ": "JWT"}},
    "typ of an access token": {"header": {"typ": "at+jwt"}},
    "RS256": {"key": RSA_KEY, "header": {"alg": "RS256"}},
    "a shared secret": {"key": SECRET_KEY, "header": {"alg": "HS256", "jwk": public_jwk(DPOP_KEY)}},
    "no key": {"header": {"jwk": None}},
    "a key that is none": {"header": {"jwk": {"kty": "EC"}}},
    "a key that is a text": {"header": {"jwk": "x"}},
    "a key off the curve": {"header": {"jwk": public_jwk(DPOP_KEY) | {"y": "AAAA"}}},
    "an unknown curve": {"header": {"jwk": public_jwk(DPOP_KEY) | {"crv": "SM2"}}},
    "a private key": {"header": {"jwk": dict(DPOP_KEY.as_dict(private=True))}},
    "another's key": {"header": {"jwk": public_jwk(OTHER_KEY)}},
    "a secret as key": {"header": {"jwk": dict(SECRET_KEY.as_dict(private=True))}},
    "crit": {"header": {"crit": ["x"], "x": 1}},
    "a large header": {"header": {"x": "x" * 5000}},
    "no jti": {"jti": None},
    "an empty jti": {"jti": ""},
    "a jti that is a number": {"jti": 5},
    "a long jti": {"jti": "x" * 257},
    "no htm": {"htm": None},
    "another method": {"htm": "GET"},
    "the method in small letters": {"htm": "post"},
    "no htu": {"htu": None},
    "another endpoint": {"htu": f"{ISSUER}/oauth/par"},
    "another host": {"htu": "https://evil.example/oauth/token"},
    "another port": {"htu": "http://127.0.0.1:5001/oauth/token"},
    "another scheme": {"htu": "https://127.0.0.1:5000/oauth/token"},
    "a path in other letters": {"htu": f"{ISSUER}/OAuth/token"},
    "an address that is none": {"htu": "http://[/oauth/token"},
    "an address with a port that is none": {"htu": "http://127.0.0.1:x/oauth/token"},
    "an address that is a list": {"htu": [ISSUER]},
    "no iat": {"iat": None},
    "iat a text": {"iat": "now"},
    "iat true": {"iat": True},
    "an hour ago": {"iat": -3600},
    "an hour ahead": {"iat": 3600},
}


def _moved(changes: dict[str, Any]) -> dict[str, Any]:
    """Relative times become absolute when the test runs."""
    issued = changes.get("iat")
    if isinstance(issued, int) and not isinstance(issued, bool):
        return changes | {"iat": int(clock.now().timestamp()) + issued}
    return changes


@pytest.mark.checklist(101, 102, 103)
@pytest.mark.parametrize("name", WRONG)
def test_a_broken_proof_is_refused(job: RelyingParty, name: str) -> None:
    assert_error(ask(job, dpop_proof(TOKEN, **_moved(WRONG[name]))), "invalid_dpop_proof")


@pytest.mark.checklist(101)
@pytest.mark.parametrize(
    "proof", ["", "x", "x.y.z", "中", "a" * 9000, f"{base64url(b'{}')}..", f"{base64url(b'[]')}.e30.x"]
)
def test_what_is_no_jwt_is_no_proof(job: RelyingParty, proof: str) -> None:
    response = ask(job, proof.encode().decode("latin-1"))
    assert response.status_code in {200, 400}
    if proof:
        assert_error(response, "invalid_dpop_proof")


@pytest.mark.checklist(101)
@pytest.mark.filterwarnings("ignore:Key size")
def test_a_short_key_is_refused(job: RelyingParty) -> None:
    short = RSAKey.generate_key(1024)
    assert_error(ask(job, dpop_proof(TOKEN, key=short, header={"alg": "PS256"})), "invalid_dpop_proof")


@pytest.mark.checklist(101)
def test_two_proofs_are_none(job: RelyingParty) -> None:
    headers = [("DPoP", dpop_proof(TOKEN)), ("DPoP", dpop_proof(TOKEN))]
    authentication, form = job.proof()
    response = job.http.post(
        TOKEN,
        data=form | {"grant_type": "client_credentials"},
        headers=[*authentication.items(), *headers],
    )
    assert_error(response, "invalid_dpop_proof")


@pytest.mark.checklist(101)
def test_an_unsigned_proof_is_refused(job: RelyingParty) -> None:
    claims = {"jti": "x", "htm": "POST", "htu": ISSUER + TOKEN, "iat": int(clock.now().timestamp())}
    assert_error(ask(job, unsigned(claims, typ="dpop+jwt", jwk=public_jwk(DPOP_KEY))), "invalid_dpop_proof")


@pytest.mark.checklist(101)
def test_a_changed_proof_is_refused(job: RelyingParty) -> None:
    header, payload, signature = dpop_proof(TOKEN).split(".")
    changed = base64url(json.dumps({"jti": "x"}).encode())
    assert_error(ask(job, f"{header}.{changed}.{signature}"), "invalid_dpop_proof")
    assert_error(ask(job, f"{header}.{payload}.{signature[:-4]}AAAA"), "invalid_dpop_proof")


@pytest.mark.checklist(101)
def test_a_key_that_was_proved_before_verifies_each_proof_anew(job: RelyingParty) -> None:
    assert ask(job, dpop_proof(TOKEN)).status_code == 200
    forged = dpop_proof(TOKEN, key=OTHER_KEY, header={"jwk": public_jwk(DPOP_KEY)})
    assert_error(ask(job, forged), "invalid_dpop_proof")
    with_secret = dpop_proof(TOKEN, header={"jwk": dict(DPOP_KEY.as_dict(private=True))})
    assert_error(ask(job, with_secret), "invalid_dpop_proof")
    assert ask(job, dpop_proof(TOKEN)).status_code == 200


@pytest.mark.checklist(101)
@pytest.mark.parametrize("payload", ["[]", '[["jti", "x"]]', "null", '"x"', "{", ""])
def test_claims_that_are_no_object_are_no_proof(job: RelyingParty, payload: str) -> None:
    header = {"alg": "ES256", "typ": "dpop+jwt", "jwk": public_jwk(DPOP_KEY)}
    proof = jws.serialize_compact(header, payload, DPOP_KEY)
    assert_error(ask(job, proof), "invalid_dpop_proof")


@pytest.mark.checklist(102)
@pytest.mark.parametrize(
    "htu",
    [
        f"{ISSUER}/oauth/token?x=1",
        f"{ISSUER}/oauth/token#x",
        "HTTP://127.0.0.1:5000/oauth/token",
    ],
)
def test_query_fragment_and_letter_case_of_the_address_do_not_count(job: RelyingParty, htu: str) -> None:
    assert ask(job, dpop_proof(TOKEN, htu=htu)).status_code == 200


@pytest.mark.pitfall(2)
@pytest.mark.checklist(102)
def test_behind_a_proxy_the_outside_address_counts(make_app: Callable[..., Flask]) -> None:
    app = make_app(issuer="https://id.example", trusted_proxies=1)
    with app.app_context():
        platform: Platform = app.extensions["idp"]
        job = RelyingParty.registered_with(app, platform, JOB)
        for htu, status in [
            ("https://id.example/oauth/token", 200),
            ("https://ID.example:443/oauth/token", 200),
            ("http://localhost/oauth/token", 400),
        ]:
            assert ask(job, dpop_proof(TOKEN, htu=htu)).status_code == status


@pytest.mark.checklist(103)
@pytest.mark.parametrize("seconds", [-10, 10])
def test_clocks_may_differ_a_little(job: RelyingParty, seconds: int) -> None:
    issued = int(clock.now().timestamp()) + seconds
    assert ask(job, dpop_proof(TOKEN, iat=issued)).status_code == 200


@pytest.mark.checklist(103)
def test_further_claims_do_not_disturb(job: RelyingParty) -> None:
    proof = dpop_proof(TOKEN, nbf=1, exp=2, nonce="x", aud="y", foo={"bar": 1}, ath="z")
    assert ask(job, proof).status_code == 200


@both_backends
@pytest.mark.checklist(104)
def test_a_proof_is_taken_once(job: RelyingParty) -> None:
    proof = dpop_proof(TOKEN)
    assert ask(job, proof).status_code == 200
    assert_error(ask(job, proof), "invalid_dpop_proof")
    same_jti = dpop_proof(TOKEN, key=OTHER_KEY, jti="one")
    assert ask(job, dpop_proof(TOKEN, jti="one")).status_code == 200
    assert ask(job, same_jti).status_code == 200  # another key's: jti is unique for a key


@both_backends
@pytest.mark.checklist(104)
def test_of_two_uses_of_one_proof_at_once_one_wins(job: RelyingParty) -> None:
    proof = dpop_proof(TOKEN)
    responses = at_once([lambda: ask(job, proof)] * 4)
    assert sorted(response.status_code for response in responses) == [200, 400, 400, 400]


@both_backends
def test_a_jti_may_be_any_text(job: RelyingParty) -> None:
    for jti in ("中文", "nul\0", "x" * 256):
        assert ask(job, dpop_proof(TOKEN, jti=jti)).status_code == 200


# --- codes and refresh tokens


@pytest.mark.checklist(106)
def test_a_code_is_bound_by_dpop_jkt(scene: Scene) -> None:
    code = scene.browser.code_for(scene.rp, dpop_jkt=DPOP_KEY.thumbprint())
    assert_error(scene.rp.redeem(code), "invalid_grant")
    assert_error(scene.rp.redeem(code, headers={"DPoP": dpop_proof(TOKEN, key=OTHER_KEY)}), "invalid_grant")
    assert scene.rp.redeem(code, headers={"DPoP": dpop_proof(TOKEN)}).status_code == 200  # nothing was burnt


@pytest.mark.checklist(106)
def test_a_code_is_bound_by_the_proof_of_a_pushed_request(scene: Scene) -> None:
    response = scene.rp.push(headers={"DPoP": dpop_proof("/oauth/par")})
    assert response.status_code == 201, response.text
    pushed = {"client_id": scene.rp.client_id, "request_uri": response.get_json()["request_uri"]}
    code = answer_of(scene.browser.http.get("/oauth/authorize", query_string=pushed))["code"]
    assert_error(scene.rp.redeem(code, headers={"DPoP": dpop_proof(TOKEN, key=OTHER_KEY)}), "invalid_grant")
    assert scene.rp.redeem(code, headers={"DPoP": dpop_proof(TOKEN)}).status_code == 200


@pytest.mark.checklist(106)
def test_a_pushed_request_names_the_key_of_its_proof_or_none(rp: RelyingParty) -> None:
    proof = {"DPoP": dpop_proof("/oauth/par")}
    assert_error(rp.push(headers=proof, dpop_jkt=OTHER_KEY.thumbprint()), "invalid_request")
    proof = {"DPoP": dpop_proof("/oauth/par")}
    assert rp.push(headers=proof, dpop_jkt=DPOP_KEY.thumbprint()).status_code == 201
    assert_error(rp.push(headers={"DPoP": "x"}), "invalid_dpop_proof")


@pytest.fixture
def native(register: RegisterClient, scene: Scene) -> RelyingParty:
    client = register(token_endpoint_auth_method="none")
    scene.browser.allow(client, scene.account_id, scene.enterprise_id)
    return client


@both_backends
@pytest.mark.checklist(100)
def test_the_refresh_token_of_a_public_client_is_bound_to_its_key(scene: Scene, native: RelyingParty) -> None:
    code = scene.browser.code_for(native)
    first = native.redeem(code, headers={"DPoP": dpop_proof(TOKEN)}).get_json()["refresh_token"]
    assert_error(native.refresh(first), "invalid_grant")
    stolen = {"DPoP": dpop_proof(TOKEN, key=OTHER_KEY)}
    assert_error(native.refresh(first, headers=stolen), "invalid_grant")
    response = native.refresh(first, headers={"DPoP": dpop_proof(TOKEN)})
    assert response.status_code == 200, response.text
    # Neither is a former token reuse in the hands of somebody without the key.
    second = native.refresh(response.get_json()["refresh_token"], headers={"DPoP": dpop_proof(TOKEN)})
    assert_error(native.refresh(first), "invalid_grant")
    third = native.refresh(second.get_json()["refresh_token"], headers={"DPoP": dpop_proof(TOKEN)})
    assert third.status_code == 200


def test_a_confidential_client_may_change_its_key(scene: Scene) -> None:
    code = scene.browser.code_for(scene.rp)
    first = scene.rp.redeem(code, headers={"DPoP": dpop_proof(TOKEN)}).get_json()["refresh_token"]
    response = scene.rp.refresh(first, headers={"DPoP": dpop_proof(TOKEN, key=OTHER_KEY)})
    claims = claims_of(response.get_json()["access_token"], scene.rp.http)
    assert claims["cnf"] == {"jkt": OTHER_KEY.thumbprint()}


# --- at a protected resource


@pytest.mark.checklist(105)
def test_a_bound_token_is_served_with_its_proof(scene: Scene) -> None:
    token = bound_token(scene)
    proof = dpop_proof(USERINFO, method="GET", access_token=token)
    assert ask_userinfo(scene.rp, token, proof).status_code == 200
    proof = dpop_proof(USERINFO, method="GET", access_token=token)
    assert ask_userinfo(scene.rp, token, proof, scheme="dpop").status_code == 200


@pytest.mark.checklist(105)
@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"access_token": None}, "invalid_dpop_proof"),
        ({"ath": "x"}, "invalid_dpop_proof"),
        ({"ath": 5}, "invalid_dpop_proof"),
        ({"access_token": "another"}, "invalid_dpop_proof"),
        ({"method": "POST"}, "invalid_dpop_proof"),
        ({"key": OTHER_KEY}, "invalid_token"),
    ],
)
def test_a_proof_that_does_not_fit_the_token_is_refused(
    scene: Scene, changes: dict[str, Any], error: str
) -> None:
    token = bound_token(scene)
    proof = dpop_proof(USERINFO, **{"method": "GET", "access_token": token} | changes)
    response = ask_userinfo(scene.rp, token, proof)
    assert response.status_code == 401
    challenge = response.headers["WWW-Authenticate"]
    assert challenge.startswith("DPoP ")
    assert f'error="{error}"' in challenge
    assert 'algs="ES256 PS256 EdDSA"' in challenge


@pytest.mark.checklist(105)
def test_a_bound_token_is_no_bearer_token(scene: Scene) -> None:
    token = bound_token(scene)
    proof = dpop_proof(USERINFO, method="GET", access_token=token)
    for response in (
        ask_userinfo(scene.rp, token, None, scheme="Bearer"),
        ask_userinfo(scene.rp, token, proof, scheme="Bearer"),
        ask_userinfo(scene.rp, token, None),
        scene.rp.http.post(USERINFO, data={"access_token": token}),
    ):
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"].startswith("DPoP ")


@pytest.mark.checklist(105)
def test_a_bearer_token_is_not_bound_by_showing_it_with_a_proof(scene: Scene) -> None:
    token = scene.tokens().access_token
    proof = dpop_proof(USERINFO, method="GET", access_token=token)
    response = ask_userinfo(scene.rp, token, proof)
    assert response.status_code == 401
    assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]


@both_backends
@pytest.mark.checklist(104)
def test_a_proof_at_a_resource_is_taken_once(scene: Scene) -> None:
    token = bound_token(scene)
    proof = dpop_proof(USERINFO, method="GET", access_token=token)
    responses = at_once([lambda: ask_userinfo(scene.rp, token, proof)] * 2)
    assert sorted(response.status_code for response in responses) == [200, 401]


# --- server nonces


@pytest.fixture
def nonce_job(make_app: Callable[..., Flask]) -> RelyingParty:
    app = make_app(dpop_nonce=True)
    with app.app_context():
        return RelyingParty.registered_with(app, app.extensions["idp"], JOB)


@pytest.mark.checklist(107)
def test_a_proof_needs_the_nonce_of_the_server(nonce_job: RelyingParty) -> None:
    refused = ask(nonce_job, dpop_proof(TOKEN))
    assert_error(refused, "use_dpop_nonce")
    served = ask(nonce_job, dpop_proof(TOKEN, nonce=refused.headers["DPoP-Nonce"]))
    assert served.status_code == 200
    assert served.headers["DPoP-Nonce"]


@pytest.mark.checklist(107)
@pytest.mark.parametrize("nonce", ["x", "", 5, None, "中"])
def test_another_nonce_is_refused(nonce_job: RelyingParty, nonce: Any) -> None:
    assert_error(ask(nonce_job, dpop_proof(TOKEN, nonce=nonce)), "use_dpop_nonce")


@pytest.mark.checklist(107)
def test_a_nonce_lives_for_minutes(nonce_job: RelyingParty, time: MovableClock) -> None:
    nonce = ask(nonce_job, dpop_proof(TOKEN)).headers["DPoP-Nonce"]
    time.advance(minutes=2)
    assert ask(nonce_job, dpop_proof(TOKEN, nonce=nonce)).status_code == 200
    time.advance(minutes=2)
    assert_error(ask(nonce_job, dpop_proof(TOKEN, nonce=nonce)), "use_dpop_nonce")


def test_no_nonce_is_given_where_none_is_asked_for(job: RelyingParty, nonce_job: RelyingParty) -> None:
    assert "DPoP-Nonce" not in ask(job, dpop_proof(TOKEN)).headers
    assert "DPoP-Nonce" not in ask(nonce_job, None).headers


def test_a_resource_asks_for_the_nonce_in_its_challenge(make_app: Callable[..., Flask], app: Flask) -> None:
    with_nonce = make_app(dpop_nonce=True)
    with with_nonce.app_context():
        rp = RelyingParty.registered_with(
            with_nonce,
            with_nonce.extensions["idp"],
            {"grant_types": ["client_credentials"], "scope": "job:run"},
        )
        nonce = ask(rp, dpop_proof(TOKEN)).headers["DPoP-Nonce"]
        token = ask(rp, dpop_proof(TOKEN, nonce=nonce)).get_json()["access_token"]
        response = ask_userinfo(rp, token, dpop_proof(USERINFO, method="GET", access_token=token))
        assert response.status_code == 401
        assert 'error="use_dpop_nonce"' in response.headers["WWW-Authenticate"]
        assert response.headers["DPoP-Nonce"] == nonce


# --- nothing breaks it


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.dictionaries(st.sampled_from(["jti", "htm", "htu", "iat", "ath", "nonce", "cnf"]), JSON_VALUES))
def test_no_claims_break_a_proof(job: RelyingParty, claims: dict[str, Any]) -> None:
    assert ask(job, dpop_proof(TOKEN, **claims)).status_code in {200, 400}
