"""A registered client that can speak for itself: requests, authentication, tokens."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias
from urllib.parse import quote_plus
from warnings import catch_warnings, simplefilter

from flask import Flask
from flask.testing import FlaskClient
from joserfc import jws, jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, Key, KeySet
from werkzeug.test import TestResponse

from idp import clock, crypto
from idp.domain.audit import Origin
from idp.domain.clients import SIGNING_ALGORITHMS
from idp.oauth import signatures
from idp.services import clients
from idp.services.clients import RegisteredClient
from idp.services.platform import Platform

ISSUER: Final = "http://127.0.0.1:5000"
REDIRECT_URI: Final = "https://rp.example/callback"
VERIFIER: Final = "v" * 43
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
CLIENT_KEY: Final = ECKey.generate_key("P-256", {"kid": "client-key"})
DPOP_KEY: Final = ECKey.generate_key("P-256")
DEFAULTS: Final[dict[str, Any]] = {
    "client_name": "测试业务系统",
    "redirect_uris": [REDIRECT_URI],
    "grant_types": ["authorization_code", "refresh_token"],
    "scope": "openid profile email phone address offline_access enterprise handler roles",
    "matters": ["nev-accident-report"],
}

Form: TypeAlias = Mapping[str, str]


@dataclass(frozen=True)
class RelyingParty:
    """Names of methods are what the client wants; each answers with the provider's response."""

    http: FlaskClient
    registered: RegisteredClient
    key: Key = field(default_factory=lambda: CLIENT_KEY)

    @classmethod
    def registered_with(cls, app: Flask, platform: Platform, metadata: Mapping[str, Any]) -> RelyingParty:
        """Register a web application with these changes to what is usual."""
        outcome = clients.register(platform, DEFAULTS | dict(metadata), Origin("", "", ""))
        assert isinstance(outcome, RegisteredClient), outcome
        return cls(app.test_client(), outcome)

    @property
    def client_id(self) -> str:
        """Its id."""
        return self.registered.client_id

    @property
    def secret(self) -> str:
        """Its secret."""
        assert self.registered.client_secret is not None
        return self.registered.client_secret

    def request(self, **changes: Any) -> dict[str, str]:
        """An authorization request; a change to None leaves the parameter out."""
        parameters = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.registered.metadata["redirect_uris"][0],
            "scope": "openid enterprise handler",
            "state": "a-state",
            "nonce": "a-nonce",
            "code_challenge": challenge_of(VERIFIER),
            "code_challenge_method": "S256",
        }
        return {name: str(value) for name, value in (parameters | changes).items() if value is not None}

    # --- authentication

    def proof(self) -> tuple[dict[str, str], dict[str, str]]:
        """Headers and form members by which it authenticates with its registered method."""
        match self.registered.metadata["token_endpoint_auth_method"]:
            case "client_secret_basic":
                return {"Authorization": basic(self.client_id, self.secret)}, {}
            case "client_secret_post":
                return {}, {"client_id": self.client_id, "client_secret": self.secret}
            case "private_key_jwt":
                return {}, self.with_assertion()
            case _:
                return {}, {"client_id": self.client_id}

    def with_assertion(self, **changes: Any) -> dict[str, str]:
        """The form members of ``private_key_jwt``."""
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": self.assertion(**changes)}

    def assertion(
        self, *, key: Key | None = None, header: Mapping[str, Any] | None = None, **changes: Any
    ) -> str:
        """A signed assertion; a change of a claim to None leaves it out."""
        now = int(clock.now().timestamp())
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": ISSUER,
            "iat": now,
            "exp": now + 60,
            "jti": crypto.random_id(),
        } | changes
        return signed(
            {name: value for name, value in claims.items() if value is not None},
            key or self.key,
            {"alg": "ES256", "kid": "client-key"} | dict(header or {}),
        )

    def request_object(
        self, *, key: Key | None = None, header: Mapping[str, Any] | None = None, **changes: Any
    ) -> str:
        """The authorization request as a signed JWT (RFC 9101); a change of a claim to None leaves it out."""
        now = int(clock.now().timestamp())
        claims = {
            **self.request(),
            "iss": self.client_id,
            "aud": ISSUER,
            "iat": now,
            "nbf": now,
            "exp": now + 300,
        } | changes
        return signed(
            {name: value for name, value in claims.items() if value is not None},
            key or self.key,
            {"alg": "ES256", "kid": "client-key", "typ": "oauth-authz-req+jwt"} | dict(header or {}),
        )

    # --- the endpoints

    def post(
        self, path: str, form: Form, *, proof: bool = True, headers: Mapping[str, str] | None = None
    ) -> TestResponse:
        """A form to an endpoint, with its authentication unless told otherwise."""
        authentication, members = self.proof() if proof else ({}, {})
        return self.http.post(path, data={**members, **form}, headers={**authentication, **(headers or {})})

    def push(
        self, form: Form | None = None, *, headers: Mapping[str, str] | None = None, **changes: Any
    ) -> TestResponse:
        """Push its authorization request (RFC 9126), or this form."""
        return self.post("/oauth/par", self.request(**changes) if form is None else form, headers=headers)

    def pushed(self, **changes: Any) -> dict[str, str]:
        """What it sends the browser with, its request being pushed."""
        response = self.push(**changes)
        assert response.status_code == 201, response.text
        return {"client_id": self.client_id, "request_uri": response.get_json()["request_uri"]}

    def token(
        self, form: Form, *, proof: bool = True, headers: Mapping[str, str] | None = None
    ) -> TestResponse:
        """A token request."""
        return self.post("/oauth/token", form, proof=proof, headers=headers)

    def redeem(
        self, code: str, *, proof: bool = True, headers: Mapping[str, str] | None = None, **changes: Any
    ) -> TestResponse:
        """Exchange a code; a change to None leaves the parameter out."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.registered.metadata["redirect_uris"][0],
            "code_verifier": VERIFIER,
        } | changes
        filled = {name: value for name, value in form.items() if value is not None}
        return self.token(filled, proof=proof, headers=headers)

    def refresh(
        self,
        refresh_token: str,
        *,
        proof: bool = True,
        headers: Mapping[str, str] | None = None,
        **more: str,
    ) -> TestResponse:
        """Exchange a refresh token."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token, **more}
        return self.token(form, proof=proof, headers=headers)

    def introspect(self, token: str, **more: str) -> dict[str, Any]:
        """What the provider says of a token."""
        response = self.post("/oauth/introspect", {"token": token, **more})
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.get_json()
        return answer

    def revoke(self, token: str, **more: str) -> TestResponse:
        """Give a token back."""
        return self.post("/oauth/revoke", {"token": token, **more})

    def userinfo(self, access_token: str) -> TestResponse:
        """Ask about the person."""
        return self.http.get("/oauth/userinfo", headers={"Authorization": f"Bearer {access_token}"})


def dpop_proof(
    path: str,
    *,
    method: str = "POST",
    key: Key | None = None,
    access_token: str | None = None,
    header: Mapping[str, Any] | None = None,
    **changes: Any,
) -> str:
    """A DPoP proof for an endpoint (RFC 9449 §4.2); a change of a claim to None leaves it out."""
    holder = key or DPOP_KEY
    claims = {
        "jti": crypto.random_id(),
        "htm": method,
        "htu": ISSUER + path,
        "iat": int(clock.now().timestamp()),
        "ath": base64url(hashlib.sha256(access_token.encode()).digest()) if access_token else None,
    } | changes
    head = {"alg": "ES256", "typ": "dpop+jwt", "jwk": holder.as_dict(private=False)} | dict(header or {})
    return raw_signed(
        {name: value for name, value in claims.items() if value is not None},
        holder,
        {name: value for name, value in head.items() if value is not None},
    )


def raw_signed(claims: Mapping[str, Any], key: Key, header: Mapping[str, Any]) -> str:
    """A JWT with any header at all, where a library would refuse to write it."""
    text = ".".join(base64url(json.dumps(part).encode()) for part in (dict(header), dict(claims)))
    algorithm = jws.JWSRegistry.algorithms[str(header["alg"])]
    return f"{text}.{base64url(algorithm.sign(text.encode(), key))}"


def basic(client_id: str, secret: str) -> str:
    """The header of ``client_secret_basic``, both parts form-encoded (RFC 6749 §2.3.1)."""
    text = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return "Basic " + b64encode(text.encode()).decode()


def challenge_of(verifier: str) -> str:
    """S256 of a verifier (RFC 7636 §4.2)."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def signed(claims: Mapping[str, Any], key: Key, header: Mapping[str, Any]) -> str:
    """A JWT as this key signs it, whatever it says."""
    with catch_warnings():
        simplefilter("ignore", SecurityWarning)  # of the name EdDSA, see idp/oauth/signatures.py
        return jwt.encode(dict(header), dict(claims), key, algorithms=[str(header["alg"])])


def base64url(content: bytes) -> str:
    """Unpadded."""
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def unsigned(claims: Mapping[str, Any], **header: Any) -> str:
    """A JWT with ``alg: none``."""
    parts = ({"alg": "none", "typ": "JWT", **header}, dict(claims))
    return ".".join(base64url(json.dumps(part).encode()) for part in parts) + "."


def header_of(token: str) -> dict[str, Any]:
    """The header of a JWT, unverified."""
    return dict(jws.extract_compact(token.encode()).headers())


def claims_of(token: str, http: FlaskClient) -> dict[str, Any]:
    """The claims of a JWT, its signature verified with the published JWK Set."""
    keys = KeySet.import_key_set(http.get("/oauth/jwks.json").get_json())
    return dict(jwt.decode(token, keys, registry=signatures.registry(*SIGNING_ALGORITHMS)).claims)


def assert_error(response: TestResponse, error: str, status: int = 400) -> None:
    """The error of a JSON endpoint as RFC 6749 §5.2 wants it."""
    assert response.status_code == status, response.text
    assert response.mimetype == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    body = response.get_json()
    assert body["error"] == error, body
    assert body.keys() <= {"error", "error_description", "error_uri"}
    description = body.get("error_description", "")
    assert all(" " <= character <= "~" and character not in '"\\' for character in description), description
