"""Another platform, at which people sign in: real HTTP, real keys, and levers for what a test wants wrong."""

from __future__ import annotations

import secrets
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from threading import Thread
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

import orjson
from flask import Flask, Response, jsonify, request
from joserfc import jwe, jws
from joserfc.jwk import ECKey, Key, KeySet
from werkzeug.serving import make_server

from idp import clock
from tests.oauth.relying_party import base64url, challenge_of

Claims = dict[str, Any]
CLIENT_ID: Final = "miit-platform"
SECRET: Final = "a secret+with %signs"
_JWE: Final = jwe.JWERegistry(algorithms=["ECDH-ES", "A256GCM"])
LI: Final[Claims] = {
    "sub": "upstream-li",
    "account_type": "natural_person",
    "document_type": "id_card",
    "document_number": "990101199001010027",
    "verified_claims": {
        "verification": {"trust_framework": "cn_gov_real_name"},
        "claims": {"name": "李示例"},
    },
}


@dataclass
class OtherPlatform:
    """``person`` is who sits there at the browser, and how they sign in; the rest are levers."""

    issuer: str = ""
    person: Claims = field(default_factory=lambda: dict(LI))
    acr: str | None = "urn:gsp:acr:2fa"
    amr: list[str] | None = field(default_factory=lambda: ["pwd", "sms", "mfa"])
    auth_age: int = 5
    keys: list[ECKey] = field(default_factory=lambda: [new_key()])
    metadata: Claims = field(default_factory=dict)
    id_token: Claims = field(default_factory=dict)
    userinfo: Claims = field(default_factory=dict)
    answers: dict[str, Callable[[], Any]] = field(default_factory=dict)
    sign: Callable[[Claims], str] | None = None
    our_keys: KeySet | None = None
    pushes: bool = True
    calls: list[str] = field(default_factory=list)
    asked: Claims = field(default_factory=dict)
    pushed: dict[str, Claims] = field(default_factory=dict)
    codes: dict[str, Claims] = field(default_factory=dict)
    tokens: dict[str, Claims] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    # --- what it says of itself

    def configuration(self) -> Claims:
        """Discovery."""
        names = ("authorization", "token", "userinfo")
        document: Claims = {
            "issuer": self.issuer,
            **{f"{name}_endpoint": f"{self.issuer}/{name}" for name in names},
            "jwks_uri": f"{self.issuer}/jwks",
            "authorization_response_iss_parameter_supported": True,
        }
        if self.pushes:
            document["pushed_authorization_request_endpoint"] = f"{self.issuer}/par"
        document |= self.metadata
        return {name: value for name, value in document.items() if value is not None}

    def jwks(self) -> Claims:
        """The keys that sign."""
        return {"keys": [key.as_dict(private=False) for key in self.keys]}

    # --- a person signs in there

    def answer(self, address: str, **changes: str | None) -> str:
        """The query with which the browser comes back from an authorization address; None leaves one out."""
        sent = dict(parse_qsl(urlsplit(address).query))
        assert address.startswith(f"{self.issuer}/authorization?")
        if "request_uri" in sent:
            assert sent.keys() == {"client_id", "request_uri"}
            sent = self.pushed.pop(sent["request_uri"])
        self.asked = sent
        code = secrets.token_urlsafe(16)
        self.codes[code] = sent
        answer = {"code": code, "state": sent["state"], "iss": self.issuer} | changes
        return urlencode({name: value for name, value in answer.items() if value is not None})

    # --- what it answers us

    def par(self) -> Any:
        """RFC 9126."""
        if not self._is_ours():
            return jsonify(error="invalid_client"), 401
        reference = f"urn:ietf:params:oauth:request_uri:{secrets.token_urlsafe(16)}"
        self.pushed[reference] = request.form.to_dict()
        return jsonify(request_uri=reference, expires_in=60), 201

    def token(self) -> Any:
        """RFC 6749 §4.1.4 with PKCE."""
        if not self._is_ours():
            return jsonify(error="invalid_client"), 401
        sent = self.codes.pop(request.form["code"], None)
        if sent is None or challenge_of(request.form["code_verifier"]) != sent["code_challenge"]:
            return jsonify(error="invalid_grant"), 400
        assert request.form["redirect_uri"] == sent["redirect_uri"]
        access_token = secrets.token_urlsafe(16)
        self.tokens[access_token] = self.person
        id_token = self.signed(self._id_token(sent, access_token), typ="JWT")
        return jsonify(access_token=access_token, token_type="Bearer", expires_in=300, id_token=id_token)

    def _id_token(self, sent: Claims, access_token: str) -> Claims:
        now = int(clock.now().timestamp())
        claims = {
            "iss": self.issuer,
            "sub": self.person["sub"],
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "auth_time": now - self.auth_age,
            "nonce": sent["nonce"],
            "at_hash": base64url(sha256(access_token.encode()).digest()[:16]),
            "acr": self.acr,
            "amr": self.amr,
        } | self.id_token
        return {name: value for name, value in claims.items() if value is not None}

    def signed(self, claims: Claims, *, key: Key | None = None, **header: Any) -> str:
        """A JWT by the newest key, or as the lever says."""
        if self.sign is not None and "nonce" in claims:
            return self.sign(claims)
        signing = key or self.keys[0]
        full = {"alg": "ES256", "kid": signing.kid, **header}
        registry = jws.JWSRegistry(algorithms=[full["alg"]], strict_check_header=False)
        return jws.serialize_compact(full, orjson.dumps(claims), signing, registry=registry)

    def userinfo_answer(self) -> Any:
        """OIDC Core 5.3.2, signed and encrypted."""
        person = self.tokens[request.headers["Authorization"].removeprefix("Bearer ")]
        claims = {"iss": self.issuer, "aud": CLIENT_ID, **person} | self.userinfo
        return Response(self.encrypted(self.signed(claims, typ="JWT")), mimetype="application/jwt")

    def encrypted(self, text: str, key: Key | None = None, **changes: Any) -> str:
        """To our key, the newest in front."""
        assert self.our_keys is not None
        ours = next(found for found in self.our_keys.keys if found.get("use") == "enc")
        header = {"alg": "ECDH-ES", "enc": "A256GCM", "cty": "JWT", "kid": ours.kid} | changes
        recipient: Any = key or ours
        return jwe.encrypt_compact(header, text, recipient, registry=_JWE)

    def _is_ours(self) -> bool:
        """By secret, or by an assertion for this issuer that comes once."""
        if "Authorization" in request.headers:
            encoded = request.headers["Authorization"].removeprefix("Basic ")
            return b64decode(encoded).decode() == f"{CLIENT_ID}:a+secret%2Bwith+%25signs"
        assert self.our_keys is not None
        signed = jws.deserialize_compact(request.form["client_assertion"], self.our_keys, ["ES256"])
        claims = orjson.loads(signed.payload)
        fresh = claims["jti"] not in self.seen
        self.seen.add(claims["jti"])
        return fresh and (claims["iss"], claims["sub"], claims["aud"]) == (CLIENT_ID, CLIENT_ID, self.issuer)


def new_key() -> ECKey:
    """A signing key."""
    return ECKey.generate_key("P-256", {"use": "sig"}, auto_kid=True)


@contextmanager
def served() -> Iterator[OtherPlatform]:
    """Answering on this machine while the block runs."""
    provider, app = OtherPlatform(), Flask("upstream")
    routes: dict[str, Callable[[], Any]] = {
        "/.well-known/openid-configuration": provider.configuration,
        "/jwks": provider.jwks,
        "/par": provider.par,
        "/token": provider.token,
        "/userinfo": provider.userinfo_answer,
    }

    def answered(path: str) -> Any:
        provider.calls.append(path)
        return provider.answers.get(path, routes[path])()

    for path in routes:
        app.add_url_rule(path, path, answered, defaults={"path": path}, methods=["GET", "POST"])
    server = make_server("127.0.0.1", 0, app, threaded=True)
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
