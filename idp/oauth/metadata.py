"""Discovery and the JWK Set: bytes made ahead, answered before Flask (OIDC Discovery 3, RFC 8414,
RFC 7517).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, Final

import orjson

from idp import clock
from idp.domain.claims import ALWAYS_SUPPORTED, CLAIM_SCOPES
from idp.domain.clients import (
    ACR_VALUES,
    ASSERTION_ALGORITHMS,
    AUTH_METHODS,
    GRANT_TYPES,
    IDENTITY_SCOPES,
    RESPONSE_TYPES,
    SIGNING_ALGORITHMS,
)
from idp.services.platform import Platform

DISCOVERY_PATHS: Final = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")
JWKS_PATH: Final = "/oauth/jwks.json"
RESPONSE_MODES: Final = ("query", "form_post")
PROMPTS: Final = ("none", "login", "consent", "select_account")
_JWKS_SECONDS: Final = 1.0
WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def provider_metadata(issuer: str) -> dict[str, Any]:
    """What this provider offers, and nothing it does not: the members of one matter after the other."""
    return {name: value for matter in MATTERS for name, value in matter(issuer).items()}


def _endpoints(issuer: str) -> dict[str, Any]:
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/oauth/authorize",
        "token_endpoint": f"{issuer}/oauth/token",
        "userinfo_endpoint": f"{issuer}/oauth/userinfo",
        "jwks_uri": f"{issuer}{JWKS_PATH}",
        "introspection_endpoint": f"{issuer}/oauth/introspect",
        "revocation_endpoint": f"{issuer}/oauth/revoke",
        "end_session_endpoint": f"{issuer}/oauth/logout",
    }


def _authorization(_issuer: str) -> dict[str, Any]:
    return {
        "scopes_supported": list(IDENTITY_SCOPES),
        "response_types_supported": list(RESPONSE_TYPES),
        "response_modes_supported": list(RESPONSE_MODES),
        "grant_types_supported": list(GRANT_TYPES),
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "acr_values_supported": list(ACR_VALUES),
        "prompt_values_supported": list(PROMPTS),
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "ui_locales_supported": ["zh-CN"],
    }


def _client_authentication(_issuer: str) -> dict[str, Any]:
    return {
        "token_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "token_endpoint_auth_signing_alg_values_supported": list(ASSERTION_ALGORITHMS),
        "introspection_endpoint_auth_methods_supported": [name for name in AUTH_METHODS if name != "none"],
        "introspection_endpoint_auth_signing_alg_values_supported": list(ASSERTION_ALGORITHMS),
        "revocation_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "revocation_endpoint_auth_signing_alg_values_supported": list(ASSERTION_ALGORITHMS),
    }


def _claims(_issuer: str) -> dict[str, Any]:
    return {
        "subject_types_supported": ["public"],
        "claim_types_supported": ["normal"],
        "claims_supported": [*ALWAYS_SUPPORTED, *CLAIM_SCOPES],
        "claims_parameter_supported": True,
    }


def _signing(_issuer: str) -> dict[str, Any]:
    return {"id_token_signing_alg_values_supported": list(SIGNING_ALGORITHMS)}


def _logout(_issuer: str) -> dict[str, Any]:
    return {"backchannel_logout_supported": True, "backchannel_logout_session_supported": True}


MATTERS: Final = (_endpoints, _authorization, _client_authentication, _claims, _signing, _logout)
"""Each takes the issuer and answers the members of its matter."""


class ReadyDocuments:
    """WSGI middleware that answers the public documents; the rest goes on to Flask."""

    def __init__(self, application: WsgiApp, platform: Platform) -> None:
        self._application = application
        self._platform = platform
        body = orjson.dumps(provider_metadata(platform.settings.issuer))
        self._ready = {path: (body, _headers(body, max_age=3600)) for path in DISCOVERY_PATHS}
        self._jwks_until = 0.0

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer from memory or hand on."""
        path = environ["PATH_INFO"]
        if path == JWKS_PATH:
            self._refresh_jwks()
        ready = self._ready.get(path)
        if ready is None:
            return self._application(environ, start_response)
        if environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            start_response("405 Method Not Allowed", [("Allow", "GET, HEAD"), ("Content-Length", "0")])
            return []
        body, headers = ready
        start_response("200 OK", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def _refresh_jwks(self) -> None:
        """A rotation shows within a second, without restart."""
        moment = time.monotonic()
        if moment >= self._jwks_until:
            body = orjson.dumps(self._platform.keyring.public_jwks(clock.now()))
            self._ready[JWKS_PATH] = (body, _headers(body, max_age=300))
            self._jwks_until = moment + _JWKS_SECONDS


def _headers(body: bytes, max_age: int) -> list[tuple[str, str]]:
    return [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", f"public, max-age={max_age}"),
        ("Access-Control-Allow-Origin", "*"),
        ("X-Content-Type-Options", "nosniff"),
    ]
