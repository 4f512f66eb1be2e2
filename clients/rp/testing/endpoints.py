"""What the fake provider answers: it checks what the product checks, and has the faults that a test wants."""

from __future__ import annotations

import hashlib
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import Flask, Response, abort, jsonify, redirect, request
from joserfc import jws, jwt
from joserfc.jwk import ECKey

from clients.rp.testing.people import Claims, Grant

if TYPE_CHECKING:
    from clients.rp.testing.provider import FakeProvider

_DPOP = jws.JWSRegistry(algorithms=["ES256"], strict_check_header=False)


def application(state: FakeProvider) -> Flask:
    """The endpoints as discovery names them."""
    app = Flask("provider")
    for name, (method, path, answer) in _ENDPOINTS.items():
        app.add_url_rule(
            path, name, lambda name=name, answer=answer: _answered(state, name, answer), methods=[method]
        )
    return app


def _answered(state: FakeProvider, name: str, answer: Callable[[FakeProvider], Any]) -> Any:
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


def _jwks(state: FakeProvider) -> Claims:
    unknown = {"kty": "EC", "crv": "SM2-P-256", "kid": "sm2", "x": "AA", "y": "AA"}
    return {"keys": [unknown, *(key.as_dict(private=False) for key in state.keys)]}


def _par(state: FakeProvider) -> Any:
    """RFC 9126, with the code bound to the key of the proof (RFC 9449 §10.1)."""
    if not _authenticated(state):
        return jsonify(error="invalid_client"), 401
    reference = f"urn:ietf:params:oauth:request_uri:{secrets.token_urlsafe(16)}"
    state.pushed[reference] = {**request.form.to_dict(), "jkt": _proved_key(state)}
    return jsonify(request_uri=reference, expires_in=60), 201


def _proved_key(state: FakeProvider, access_token: str | None = None) -> str | None:
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


def _nonce_wanted(state: FakeProvider, status: int) -> Response:
    response = jsonify(error="use_dpop_nonce")
    response.status_code = status
    response.headers["DPoP-Nonce"] = str(state.dpop_nonce)
    return response


def _authorize(state: FakeProvider) -> Any:
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
        acr=sent.get("acr_values", state.person.acr).split(" ")[0],
    )
    answer = {"code": code, "state": sent["state"], "iss": state.issuer}
    changed = state.answer_changes.get("response", _same)(answer)
    return redirect(f"{sent['redirect_uri']}?{urlencode(changed)}")


def _token(state: FakeProvider) -> Any:
    if not _authenticated(state):
        return jsonify(error="invalid_client"), 401
    jkt = _proved_key(state)
    grant = _redeem(state) if request.form["grant_type"] == "authorization_code" else _rotate(state)
    if grant is None or grant.sid in state.revoked or grant.jkt != jkt:
        return jsonify(error="invalid_grant"), 400
    return _token_response(state, grant)


def _introspect(state: FakeProvider) -> Any:
    if not _authenticated(state):
        return jsonify(error="invalid_client"), 401
    sent = request.form["token"]
    claims = state.tokens.get(sent)
    if claims is None or claims["exp"] < time.time() or state.live[sent].sid in state.revoked:
        return {"active": False}
    return {"active": True, **claims}


def _userinfo(state: FakeProvider) -> Any:
    scheme, _, token = request.headers["Authorization"].partition(" ")
    grant = state.live[token]
    assert (scheme, _proved_key(state, token)) == ("DPoP" if grant.jkt else "Bearer", grant.jkt)
    person = grant.person
    profile = {"sub": person.sub, "name": person.name, "phone_number": person.phone_number}
    return profile | person.capacity


def _metadata(state: FakeProvider) -> Claims:
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


def _authenticated(state: FakeProvider) -> bool:
    """private_key_jwt: signed by the registered key, for us, in time, once."""
    assert state.client_keys is not None
    claims = jwt.decode(request.form["client_assertion"], state.client_keys, algorithms=["ES256"]).claims
    fresh = claims["jti"] not in state.assertion_ids
    state.assertion_ids.add(claims["jti"])
    named = claims["iss"] == claims["sub"] == state.client_id == request.form["client_id"]
    return bool(fresh and named and claims["aud"] == state.issuer and 0 < claims["exp"] - time.time() <= 300)


def _redeem(state: FakeProvider) -> Grant | None:
    grant = state.grants.get(request.form["code"])
    challenge = _s256(request.form["code_verifier"])
    if grant is None or grant.redeemed or challenge != grant.code_challenge:
        return None
    grant.redeemed = True
    return grant


def _rotate(state: FakeProvider) -> Grant | None:
    """The newest refresh token only: a second use of an old one would be reuse."""
    with state.lock:
        sent = request.form["refresh_token"]
        grant = state.refreshes.get(sent)
        if grant is None or grant.refresh_tokens[-1] != sent:
            return None
        grant.refresh_tokens.append("being-rotated")
        return grant


def _token_response(state: FakeProvider, grant: Grant) -> Claims:
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
        "acr": grant.acr,
        "auth_time": grant.auth_time,
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


_ENDPOINTS: dict[str, tuple[str, str, Callable[[FakeProvider], Any]]] = {
    "discovery": ("GET", "/.well-known/openid-configuration", _metadata),
    "jwks": ("GET", "/jwks", _jwks),
    "authorize": ("GET", "/authorize", _authorize),
    "par": ("POST", "/par", _par),
    "token": ("POST", "/token", _token),
    "introspect": ("POST", "/introspect", _introspect),
    "userinfo": ("GET", "/userinfo", _userinfo),
}
EVERYTHING = frozenset(_ENDPOINTS)
