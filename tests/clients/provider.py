"""A small OpenID provider for the tests of relying parties: real HTTP, real keys, real signatures, no
shortcuts.

It keeps to the contract of the tokens and checks what the product checks (client assertion,
PKCE, single-use codes,
rotation). ``Person`` says who is sitting at the browser; the test changes that, and what is in
force, at will.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlencode

import requests
from flask import Flask, Response, abort, jsonify, redirect, request
from joserfc import jws, jwt
from joserfc.jwk import ECKey, KeySet, RSAKey
from werkzeug.serving import make_server

Claims = dict[str, Any]

ENTERPRISE = "91990101MADEM00117"
OTHER_ENTERPRISE = "91990101MADEM002XY"
MATTER = "nev-accident-report"
SCOPE = "openid profile phone enterprise handler roles accident_report:submit accident_report:read"
_DPOP = jws.JWSRegistry(algorithms=["ES256"], strict_check_header=False)
SESSION_REVOKED = "https://schemas.openid.net/secevent/caep/event-type/session-revoked"
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"


@dataclass
class Person:
    """Someone at the browser, and what the provider says of them."""

    sub: str = "person-1"
    name: str = "李示例"
    phone_number: str = "19900000001"
    capacity: Claims = field(default_factory=dict)

    @classmethod
    def handler(cls, enterprise: str = ENTERPRISE, **changes: Any) -> Person:
        capacity = {
            "account_type": "handler",
            "enterprise_credit_code": enterprise,
            "handler_scope": [MATTER],
            "handler_authorization_id": "authorization-1",
        }
        return cls(capacity=capacity | changes)

    @classmethod
    def legal_person(cls) -> Person:
        return cls("legal-1", capacity={"account_type": "legal_person", "enterprise_credit_code": ENTERPRISE})

    @classmethod
    def natural_person(cls, **changes: Any) -> Person:
        return cls("natural-1", capacity={"account_type": "natural_person"} | changes)


@dataclass
class Grant:
    """What one sign-in gave."""

    person: Person
    sid: str
    nonce: str
    code_challenge: str
    scope: str = SCOPE
    jkt: str | None = None
    redeemed: bool = False
    refresh_tokens: list[str] = field(default_factory=list)


class TestProvider:
    """The provider's state, and the levers a test pulls."""

    __test__ = False

    def __init__(self) -> None:
        self.keys: list[ECKey | RSAKey] = list(_first_keys())
        self.issuer = ""
        self.audience = ""
        self.client_id = "smdvs"
        self.client_keys: KeySet | None = None
        self.person = Person.handler()
        self.access_ttl = 300
        self.grants: dict[str, Grant] = {}
        self.refreshes: dict[str, Grant] = {}
        self.tokens: dict[str, Claims] = {}
        self.live: dict[str, Grant] = {}
        self.revoked: set[str] = set()
        self.calls: list[str] = []
        self.assertion_ids: set[str] = set()
        self.proof_ids: set[str] = set()
        self.pushed: dict[str, dict[str, Any]] = {}
        self.dpop_nonce: str | None = None
        self.answer_changes: dict[str, Callable[[Claims], Claims]] = {}
        self.delays: dict[str, float] = {}
        self.broken: set[str] = set()
        self.lock = threading.Lock()

    def access_token(self, person: Person | None = None, **changes: Any) -> str:
        """An access token outside any sign-in, for the API; ``changes`` override claims, None
        leaves one out.
        """
        grant = Grant(person or self.person, secrets.token_urlsafe(8), "", "")
        return self.issue_access(grant, **changes)

    def issue_access(self, grant: Grant, **changes: Any) -> str:
        now = int(time.time())
        claims: Claims = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": grant.person.sub,
            "client_id": self.client_id,
            "iat": now,
            "exp": now + self.access_ttl,
            "jti": secrets.token_urlsafe(12),
            "scope": grant.scope,
            "cnf": {"jkt": grant.jkt} if grant.jkt else None,
            **grant.person.capacity,
            **changes,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        token = self.sign(claims, "at+jwt")
        self.tokens[token], self.live[token] = claims, grant
        return token

    def sign(self, claims: Claims, typ: str, key: ECKey | RSAKey | None = None, **header: Any) -> str:
        signing = key or self.keys[0]
        alg = "ES256" if isinstance(signing, ECKey) else "RS256"
        full = {"alg": alg, "kid": signing.kid, "typ": typ, **header}
        return jwt.encode(full, claims, signing, algorithms=[str(full["alg"])])

    def logout_token(self, *, typ: str = "logout+jwt", **changes: Any) -> str:
        """A logout token; ``changes`` override claims, None leaves one out."""
        now = int(time.time())
        claims: Claims = {
            "iss": self.issuer,
            "aud": self.client_id,
            "iat": now,
            "exp": now + 120,
            "jti": secrets.token_urlsafe(12),
            "events": {LOGOUT_EVENT: {}},
            **changes,
        }
        return self.sign({name: value for name, value in claims.items() if value is not None}, typ)

    def event_token(self, sub_id: Any, *, typ: str = "secevent+jwt", **changes: Any) -> str:
        """A security event token, of a revoked session; ``changes`` override claims, None leaves one out."""
        claims: Claims = {
            "iss": self.issuer,
            "aud": self.client_id,
            "iat": int(time.time()),
            "jti": secrets.token_urlsafe(12),
            "sub_id": sub_id,
            "events": {SESSION_REVOKED: {}},
            **changes,
        }
        return self.sign({name: value for name, value in claims.items() if value is not None}, typ)

    def revoke_all(self) -> None:
        """The enterprise revokes its handler: everything given so far is dead."""
        self.revoked |= {grant.sid for grant in [*self.live.values(), *self.refreshes.values()]}

    def rotate_key(self) -> None:
        self.keys = [_ec_key()]


@cache
def _first_keys() -> tuple[ECKey, RSAKey]:
    """Made once: an RSA key costs more than a whole test."""
    return _ec_key(), RSAKey.generate_key(2048, auto_kid=True)


def _ec_key() -> ECKey:
    return ECKey.generate_key("P-256", auto_kid=True)


def _application(state: TestProvider) -> Flask:
    app = Flask("provider")
    routes: list[tuple[str, str, str, Callable[[TestProvider], Any]]] = [
        ("GET", "/.well-known/openid-configuration", "discovery", _metadata),
        ("GET", "/jwks", "jwks", _jwks),
        ("GET", "/authorize", "authorize", _authorize),
        ("POST", "/par", "par", _par),
        ("POST", "/token", "token", _token),
        ("POST", "/introspect", "introspect", _introspect),
        ("GET", "/userinfo", "userinfo", _userinfo),
    ]
    for method, path, name, answer in routes:
        app.add_url_rule(
            path, name, lambda name=name, answer=answer: _answered(state, name, answer), methods=[method]
        )
    return app


def _answered(state: TestProvider, name: str, answer: Callable[[TestProvider], Any]) -> Any:
    """The answer, with the faults that the test wants it to have."""
    with state.lock:
        state.calls.append(name)
    time.sleep(state.delays.get(name, 0))
    if name in state.broken:
        return Response("broken", 500)
    body = answer(state)
    return jsonify(state.answer_changes.get(name, _same)(body)) if isinstance(body, dict) else body


def _same(body: Claims) -> Claims:
    return body


def _jwks(state: TestProvider) -> Claims:
    unknown = {"kty": "EC", "crv": "SM2-P-256", "kid": "sm2", "x": "AA", "y": "AA"}
    return {"keys": [unknown, *(key.as_dict(private=False) for key in state.keys)]}


def _par(state: TestProvider) -> Any:
    """RFC 9126, with the code bound to the key of the proof (RFC 9449 §10.1)."""
    if not _authenticated(state):
        return jsonify(error="invalid_client"), 401
    reference = f"urn:ietf:params:oauth:request_uri:{secrets.token_urlsafe(16)}"
    state.pushed[reference] = {**request.form.to_dict(), "jkt": _proved_key(state)}
    return jsonify(request_uri=reference, expires_in=60), 201


def _proved_key(state: TestProvider, access_token: str | None = None) -> str | None:
    """The thumbprint of the key of the DPoP proof, if there is one."""
    proof = request.headers.get("DPoP")
    if proof is None:
        return None
    key = ECKey.import_key(jws.extract_compact(proof.encode(), registry=_DPOP).headers()["jwk"])
    decoded = jwt.decode(proof, key, registry=_DPOP)
    claims = decoded.claims
    assert decoded.header["typ"] == "dpop+jwt"
    assert "d" not in decoded.header["jwk"]
    assert (claims["htm"], claims["htu"]) == (request.method, request.base_url)
    assert abs(claims["iat"] - time.time()) < 60
    assert claims["jti"] not in state.proof_ids
    assert access_token is None or claims["ath"] == _s256(access_token)
    state.proof_ids.add(claims["jti"])
    if claims.get("nonce") != state.dpop_nonce:
        abort(_nonce_wanted(state, 400 if access_token is None else 401))
    return key.thumbprint()


def _nonce_wanted(state: TestProvider, status: int) -> Response:
    response = jsonify(error="use_dpop_nonce")
    response.status_code = status
    response.headers["DPoP-Nonce"] = str(state.dpop_nonce)
    return response


def _authorize(state: TestProvider) -> Any:
    sent: dict[str, Any] = request.args.to_dict()
    if "request_uri" in sent:
        assert sent.keys() == {"client_id", "request_uri"}
        sent = state.pushed.pop(sent["request_uri"])
    code = secrets.token_urlsafe(16)
    state.grants[code] = Grant(
        state.person,
        secrets.token_urlsafe(8),
        sent["nonce"],
        sent["code_challenge"],
        sent["scope"],
        jkt=sent.get("jkt"),
    )
    answer = {"code": code, "state": sent["state"], "iss": state.issuer}
    changed = state.answer_changes.get("response", _same)(answer)
    return redirect(f"{sent['redirect_uri']}?{urlencode(changed)}")


def _token(state: TestProvider) -> Any:
    if not _authenticated(state):
        return jsonify(error="invalid_client"), 401
    jkt = _proved_key(state)
    grant = _redeem(state) if request.form["grant_type"] == "authorization_code" else _rotate(state)
    if grant is None or grant.sid in state.revoked or grant.jkt != jkt:
        return jsonify(error="invalid_grant"), 400
    return _token_response(state, grant)


def _introspect(state: TestProvider) -> Any:
    if not _authenticated(state):
        return jsonify(error="invalid_client"), 401
    sent = request.form["token"]
    claims = state.tokens.get(sent)
    if claims is None or claims["exp"] < time.time() or state.live[sent].sid in state.revoked:
        return {"active": False}
    return {"active": True, **claims}


def _userinfo(state: TestProvider) -> Any:
    scheme, _, token = request.headers["Authorization"].partition(" ")
    grant = state.live[token]
    assert (scheme, _proved_key(state, token)) == ("DPoP" if grant.jkt else "Bearer", grant.jkt)
    person = grant.person
    profile = {"sub": person.sub, "name": person.name, "phone_number": person.phone_number}
    return profile | person.capacity


def _metadata(state: TestProvider) -> Claims:
    issuer = state.issuer
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "jwks_uri": f"{issuer}/jwks",
        "pushed_authorization_request_endpoint": f"{issuer}/par",
        "introspection_endpoint": f"{issuer}/introspect",
        "userinfo_endpoint": f"{issuer}/userinfo",
        "end_session_endpoint": f"{issuer}/logout",
        "authorization_response_iss_parameter_supported": True,
    }


def _authenticated(state: TestProvider) -> bool:
    """private_key_jwt: signed by the registered key, for us, in time, once."""
    assert state.client_keys is not None
    claims = jwt.decode(request.form["client_assertion"], state.client_keys, algorithms=["ES256"]).claims
    fresh = claims["jti"] not in state.assertion_ids
    state.assertion_ids.add(claims["jti"])
    named = claims["iss"] == claims["sub"] == state.client_id == request.form["client_id"]
    return bool(fresh and named and claims["aud"] == state.issuer and 0 < claims["exp"] - time.time() <= 300)


def _redeem(state: TestProvider) -> Grant | None:
    grant = state.grants.get(request.form["code"])
    challenge = _s256(request.form["code_verifier"])
    if grant is None or grant.redeemed or challenge != grant.code_challenge:
        return None
    grant.redeemed = True
    return grant


def _rotate(state: TestProvider) -> Grant | None:
    """The newest refresh token only: a second use of an old one would be reuse."""
    with state.lock:
        sent = request.form["refresh_token"]
        grant = state.refreshes.get(sent)
        if grant is None or grant.refresh_tokens[-1] != sent:
            return None
        grant.refresh_tokens.append("being-rotated")
        return grant


def _token_response(state: TestProvider, grant: Grant) -> Claims:
    access_token, refresh_token = state.issue_access(grant), secrets.token_urlsafe(16)
    grant.refresh_tokens.append(refresh_token)
    state.refreshes[refresh_token] = grant
    now = int(time.time())
    claims: Claims = {
        "iss": state.issuer,
        "aud": state.client_id,
        "sub": grant.person.sub,
        "iat": now,
        "exp": now + 300,
        "nonce": grant.nonce,
        "sid": grant.sid,
        "at_hash": _half_hash(access_token),
        **grant.person.capacity,
    }
    if "enterprise_credit_code" in claims:
        claims["enterprise_name"] = "示例新能源汽车有限公司"
    changed = state.answer_changes.get("id_token", _same)(claims)
    return {
        "access_token": access_token,
        "token_type": "DPoP" if grant.jkt else "Bearer",
        "expires_in": state.access_ttl,
        "refresh_token": refresh_token,
        "id_token": state.sign(changed, "JWT"),
        "scope": grant.scope,
    }


def _s256(code_verifier: str) -> str:
    return _base64url(hashlib.sha256(code_verifier.encode()).digest())


def _half_hash(access_token: str) -> str:
    return _base64url(hashlib.sha256(access_token.encode()).digest()[:16])


def _base64url(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


@contextmanager
def serving() -> Iterator[TestProvider]:
    """A provider on a free port while the block runs."""
    state = TestProvider()
    server = make_server("127.0.0.1", 0, _application(state), threaded=True)
    state.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def follow(url: str) -> str:
    """Go where the browser goes at the provider; returns where it sends the browser back to."""
    return str(requests.get(url, allow_redirects=False, timeout=5).headers["Location"])
