from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OKPKey, RSAKey

from idp import clock
from idp.oauth import request_objects
from idp.outbound import Answer, OutboundError
from idp.services.platform import Platform
from tests.oauth.browser import answer_of, is_error_page
from tests.oauth.conftest import RegisterClient, Scene
from tests.oauth.relying_party import (
    ASSERTION_TYPE,
    CLIENT_KEY,
    ISSUER,
    RelyingParty,
    assert_error,
    claims_of,
    raw_signed,
    unsigned,
)

RSA_KEY: Final = RSAKey.generate_key(2048, {"kid": "rsa"})
ED_KEY: Final = OKPKey.generate_key("Ed25519", {"kid": "ed"})
OTHER_KEY: Final = ECKey.generate_key("P-256", {"kid": "client-key"})
REFERENCE: Final = "https://rp.example/request.jwt"
SIGNING: Final[dict[str, Any]] = {
    "profile": "fapi2-message-signing",
    "id_token_signed_response_alg": "ES256",
    "token_endpoint_auth_method": "private_key_jwt",
}


def jwks(*keys: Any) -> dict[str, Any]:
    return {"keys": [key.as_dict(private=False) for key in keys]}


@pytest.fixture
def signer(register: RegisterClient, scene: Scene) -> RelyingParty:
    rp = register(jwks=jwks(CLIENT_KEY, RSA_KEY, ED_KEY), request_uris=[REFERENCE, f"{REFERENCE}#a"])
    scene.browser.allow(rp, scene.account_id, scene.enterprise_id)
    return rp


@pytest.fixture
def strict(register: RegisterClient) -> RelyingParty:
    return register(**SIGNING, jwks=jwks(CLIENT_KEY, RSA_KEY, ED_KEY))


def outside(rp: RelyingParty, request: str, **more: str) -> dict[str, str]:
    return {
        "client_id": rp.client_id,
        "redirect_uri": rp.request()["redirect_uri"],
        "request": request,
    } | more


def visit(scene: Scene, parameters: dict[str, str]) -> Any:
    return scene.browser.http.get("/oauth/authorize", query_string=parameters)


# --- by value


@pytest.mark.checklist(35)
@pytest.mark.parametrize(
    ("key", "algorithm", "kid"),
    [
        (CLIENT_KEY, "ES256", "client-key"),
        (RSA_KEY, "PS256", "rsa"),
        (RSA_KEY, "RS256", "rsa"),
        (ED_KEY, "EdDSA", "ed"),
    ],
)
def test_a_signed_request_is_answered(
    scene: Scene, signer: RelyingParty, key: Any, algorithm: str, kid: str
) -> None:
    header = {"alg": algorithm, "kid": kid, "typ": "oauth-authz-req+jwt"}
    now = int(clock.now().timestamp())
    claims = signer.request() | {"iss": signer.client_id, "aud": ISSUER, "exp": now + 60}
    answer = answer_of(visit(scene, outside(signer, raw_signed(claims, key, header))))
    assert signer.redeem(answer["code"]).status_code == 200


@pytest.mark.pitfall(18)
@pytest.mark.checklist(35)
def test_what_is_inside_wins_over_what_is_outside(scene: Scene, signer: RelyingParty) -> None:
    request = signer.request_object(state="inside", nonce="inside", scope="openid enterprise")
    answer = answer_of(visit(scene, outside(signer, request, state="outside", nonce="outside")))
    assert answer["state"] == "inside"
    tokens = signer.redeem(answer["code"]).get_json()
    assert claims_of(tokens["id_token"], signer.http)["nonce"] == "inside"
    assert tokens["scope"] == "enterprise openid"


@pytest.mark.checklist(35)
def test_what_is_outside_alone_counts_for_clients_that_need_not_sign(
    scene: Scene, signer: RelyingParty
) -> None:
    request = signer.request_object(state=None)
    assert answer_of(visit(scene, outside(signer, request, state="outside")))["state"] == "outside"


def test_json_stands_for_itself_inside(scene: Scene, signer: RelyingParty) -> None:
    detail = {"type": "enterprise_handler", "enterprise_credit_code": "91990101MADEM00117"}
    request = signer.request_object(
        claims={"id_token": {"email": None}},
        max_age=3600,
        resource=[ISSUER],
        login_hint=None,
        authorization_details=[detail | {"matters": ["nev-accident-report"]}],
        nbf=None,
    )
    code = answer_of(visit(scene, outside(signer, request)))["code"]
    answer = signer.redeem(code).get_json()
    assert answer["authorization_details"][0]["matters"] == ["nev-accident-report"]
    assert claims_of(answer["access_token"], signer.http)["aud"] == ISSUER
    assert "email" in claims_of(answer["id_token"], signer.http)


@pytest.mark.checklist(35, 68)
@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "other"},
        {"iss": 5},
        {"aud": "https://other.example"},
        {"aud": ["https://other.example"]},
        {"aud": None, "iss": "other"},
        {"client_id": "other"},
        {"sub": "the client"},
        {"exp": 1},
        {"exp": "soon"},
        {"exp": True},
        {"exp": 10**12},
        {"nbf": 4_000_000_000},
        {"iat": 4_000_000_000},
        {"request": "x.y.z"},
        {"request_uri": REFERENCE},
        {"state": 5.5},
        {"state": True},
        {"state": "nul\0"},
        {"nul\0": "x"},
        {"resource": 5},
        {"resource": [5]},
        {"resource": [""]},
        {"header": {"typ": "at+jwt"}},
        {"header": {"typ": "dpop+jwt"}},
        {"header": {"kid": "unknown"}},
        {"key": OTHER_KEY},
    ],
)
def test_an_object_that_is_not_the_client_s_own_for_us_and_for_now_is_refused(
    scene: Scene, signer: RelyingParty, changes: dict[str, Any]
) -> None:
    changes = {name: signer.client_id if value == "the client" else value for name, value in changes.items()}
    answer = answer_of(visit(scene, outside(signer, signer.request_object(**changes), state="a")))
    assert (answer["error"], answer["state"]) == ("invalid_request_object", "a")


@pytest.mark.checklist(35)
@pytest.mark.parametrize("request_", ["x", "x.y.z", "中", "a" * 40_000, ".." * 5000])
def test_what_is_no_jwt_is_refused(scene: Scene, signer: RelyingParty, request_: str) -> None:
    response = scene.browser.http.post("/oauth/authorize", data=outside(signer, request_))
    if len(request_) < 30_000:
        assert answer_of(response)["error"] == "invalid_request_object"
    else:
        assert response.status_code == 400


@pytest.mark.checklist(35, 76)
def test_an_unsigned_object_is_refused(scene: Scene, signer: RelyingParty) -> None:
    request = unsigned(signer.request() | {"iss": signer.client_id, "aud": ISSUER})
    assert answer_of(visit(scene, outside(signer, request)))["error"] == "invalid_request_object"


def test_the_registered_algorithm_is_the_only_one(register: RegisterClient, scene: Scene) -> None:
    rp = register(jwks=jwks(CLIENT_KEY), request_object_signing_alg="PS256")
    answer = answer_of(visit(scene, outside(rp, rp.request_object())))
    assert answer["error"] == "invalid_request_object"


@pytest.mark.checklist(19)
def test_an_object_that_can_not_be_trusted_leads_nowhere_by_itself(
    scene: Scene, signer: RelyingParty
) -> None:
    forged = signer.request_object(key=OTHER_KEY, redirect_uri="https://evil.example/")
    parameters = {"client_id": signer.client_id, "request": forged}
    assert is_error_page(visit(scene, parameters), "request")
    unregistered = signer.request_object(redirect_uri="https://evil.example/")
    assert is_error_page(visit(scene, parameters | {"request": unregistered}), "redirect_uri")


def test_an_object_is_refused_before_its_errors_are_told(scene: Scene, signer: RelyingParty) -> None:
    request = signer.request_object(response_type="token", state="inside")
    answer = answer_of(visit(scene, {"client_id": signer.client_id, "request": request}))
    assert (answer["error"], answer["state"]) == ("unsupported_response_type", "inside")


@pytest.mark.checklist(68)
def test_a_request_object_authenticates_nobody(register: RegisterClient) -> None:
    job = register(
        token_endpoint_auth_method="private_key_jwt",
        jwks=jwks(CLIENT_KEY),
        grant_types=["client_credentials"],
        scope="job:run",
    )
    now = int(clock.now().timestamp())
    claims = {"iss": job.client_id, "sub": job.client_id, "aud": ISSUER, "exp": now + 60, "jti": "x"}
    header = {"alg": "ES256", "kid": "client-key", "typ": "oauth-authz-req+jwt"}
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": raw_signed(claims, CLIENT_KEY, header),
    }
    assert_error(job.http.post("/oauth/token", data=form), "invalid_client", 401)


# --- by reference


class Requests(ThreadingHTTPServer):
    """Serves one request object over plain HTTP on the loopback interface, which development allows."""

    body = b""
    status = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[str] = []


class _Handler(BaseHTTPRequestHandler):
    server: Requests

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/jwt")
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, platform: Platform) -> Iterator[Requests]:
    """Where the client keeps its request objects: its address is answered by a server of the test."""
    server = Requests()
    thread = Thread(target=server.serve_forever)
    thread.start()
    get = platform.outbound.get

    def redirected(url: str, **kwargs: Any) -> Answer:
        return get(url.replace("https://rp.example", f"http://127.0.0.1:{server.server_port}"), **kwargs)

    monkeypatch.setattr(platform.outbound, "get", redirected)
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.checklist(42)
@pytest.mark.parametrize("reference", [REFERENCE, f"{REFERENCE}#a"])
def test_an_object_is_fetched_from_a_registered_address(
    scene: Scene, signer: RelyingParty, store: Requests, reference: str
) -> None:
    store.body = signer.request_object(state="fetched").encode()
    parameters = {"client_id": signer.client_id, "request_uri": reference}
    assert answer_of(visit(scene, parameters))["state"] == "fetched"
    assert store.asked == ["/request.jwt"]


@pytest.mark.pitfall(18)
@pytest.mark.checklist(35, 42)
@pytest.mark.parametrize(
    "reference",
    [
        f"{REFERENCE}?x",
        "https://evil.example/",
        "http://rp.example/request.jwt",
        "file:///etc/passwd",
        "x",
        "urn:x",
    ],
)
def test_an_address_that_is_not_registered_is_not_visited(
    scene: Scene, signer: RelyingParty, store: Requests, reference: str
) -> None:
    answer = answer_of(visit(scene, signer.request(request_uri=reference)))
    assert answer["error"] == "request_uri_not_supported"
    assert store.asked == []


@pytest.mark.checklist(42)
@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (404, b"", "invalid_request_uri"),
        (302, b"", "invalid_request_uri"),
        (200, b"x" * (request_objects.MAX_OBJECT + 1), "invalid_request_uri"),
        (200, b"\xff\xfe", "invalid_request_object"),
        (200, b"", "invalid_request_object"),
    ],
)
def test_what_can_not_be_fetched_or_read_is_told(
    scene: Scene, signer: RelyingParty, store: Requests, status: int, body: bytes, error: str
) -> None:
    store.status, store.body = status, body
    assert answer_of(visit(scene, signer.request(request_uri=REFERENCE)))["error"] == error


def test_a_server_that_is_away_is_told(
    scene: Scene, signer: RelyingParty, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> Answer:
        raise OutboundError("timeout", "rp.example")

    monkeypatch.setattr(platform.outbound, "get", away)
    answer = answer_of(visit(scene, signer.request(request_uri=REFERENCE)))
    assert answer["error"] == "invalid_request_uri"


def test_an_object_and_a_reference_exclude_each_other(scene: Scene, signer: RelyingParty) -> None:
    answer = answer_of(visit(scene, signer.request(request="x.y.z", request_uri=REFERENCE)))
    assert answer["error"] == "invalid_request"


# --- clients that must sign (FAPI 2.0 Message Signing)


def push(rp: RelyingParty, form: dict[str, str]) -> Any:
    return rp.post("/oauth/par", form)


@pytest.mark.checklist(99)
@pytest.mark.parametrize("audience", [ISSUER, ["https://other.example", ISSUER]])
def test_a_signed_request_is_pushed(strict: RelyingParty, audience: Any) -> None:
    response = push(strict, {"request": strict.request_object(aud=audience)})
    assert response.status_code == 201, response.text


@pytest.mark.checklist(99)
@pytest.mark.parametrize(("name", "seconds"), [("nbf", 8), ("nbf", -3590), ("exp", 3590), ("iat", 8)])
def test_clocks_may_differ_and_an_hour_is_long_enough(strict: RelyingParty, name: str, seconds: int) -> None:
    moved: dict[str, Any] = {name: int(clock.now().timestamp()) + seconds}
    assert push(strict, {"request": strict.request_object(**moved)}).status_code == 201


@pytest.mark.checklist(99)
@pytest.mark.parametrize(
    "changes",
    [
        {"iss": None},
        {"iss": "other"},
        {"client_id": "other"},
        {"aud": None},
        {"aud": "https://other.example"},
        {"exp": None},
        {"exp": 1},
        {"exp": 3700},
        {"nbf": None},
        {"nbf": -3700},
        {"nbf": 60},
        {"key": OTHER_KEY},
        {"key": RSA_KEY, "header": {"alg": "RS256", "kid": "rsa"}},
    ],
)
def test_a_signed_request_that_breaks_the_profile_is_refused(
    strict: RelyingParty, changes: dict[str, Any]
) -> None:
    now = int(clock.now().timestamp())
    moved: dict[str, Any] = {
        name: value + now if name in {"exp", "nbf"} and isinstance(value, int) and value != 1 else value
        for name, value in changes.items()
    }
    response = push(strict, {"request": strict.request_object(**moved)})
    assert_error(response, "invalid_request_object")


@pytest.mark.checklist(99)
def test_what_is_not_signed_is_refused(strict: RelyingParty) -> None:
    assert_error(push(strict, strict.request()), "invalid_request_object")
    request = strict.request_object()
    for beside in ({"state": "x"}, {"scope": "openid"}, {"resource": ISSUER}):
        assert_error(push(strict, {"request": request} | beside), "invalid_request_object")
    request = unsigned(strict.request() | {"iss": strict.client_id, "aud": ISSUER})
    assert_error(push(strict, {"request": request}), "invalid_request_object")


@pytest.mark.checklist(99)
def test_the_client_id_may_stand_beside_it(strict: RelyingParty) -> None:
    form = {"request": strict.request_object(client_id=None), "client_id": strict.client_id}
    assert push(strict, form).status_code == 201


def test_an_ordinary_client_may_bind_itself_to_signing(register: RegisterClient, scene: Scene) -> None:
    rp = register(jwks=jwks(CLIENT_KEY), require_signed_request_object=True)
    scene.browser.allow(rp, scene.account_id, scene.enterprise_id)
    assert answer_of(scene.browser.authorize(rp))["error"] == "invalid_request_object"
    answer = answer_of(visit(scene, rp.request(request=rp.request_object(state=None), state="unsigned")))
    assert "state" not in answer  # what is not signed does not count


@pytest.mark.checklist(47)
def test_an_answer_must_be_signed_too(strict: RelyingParty) -> None:
    request = strict.request_object(response_mode="query")
    assert_error(push(strict, {"request": request}), "invalid_request")


# --- nothing breaks it


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(
    st.dictionaries(
        st.sampled_from(["iss", "aud", "exp", "nbf", "iat", "sub", "state", "claims", "max_age", "resource"])
        | st.text(max_size=8),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=20),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=2)
            ),
            max_leaves=5,
        ),
        max_size=6,
    )
)
def test_no_claims_break_a_request(scene: Scene, signer: RelyingParty, claims: dict[str, Any]) -> None:
    header = {"alg": "ES256", "kid": "client-key"}
    request = raw_signed(signer.request() | json.loads(json.dumps(claims)), CLIENT_KEY, header)
    response = scene.browser.http.post("/oauth/authorize", data=outside(signer, request))
    assert response.status_code in {303, 400}
