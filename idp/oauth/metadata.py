"""Discovery and the JWK Set: bytes made ahead, answered before Flask (OIDC Discovery 3, RFC 8414,
RFC 7517).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, Final

import orjson

from idp import clock
from idp.config import Settings
from idp.domain import authorization_details, verified_claims
from idp.domain.claims import ALWAYS_SUPPORTED, CLAIM_SCOPES
from idp.domain.clients import (
    ACR_VALUES,
    ASSERTION_ALGORITHMS,
    AUTH_METHODS,
    CONTENT_ENCRYPTION_METHODS,
    GRANT_TYPES,
    IDENTITY_SCOPES,
    KEY_ENCRYPTION_ALGORITHMS,
    PLATFORM_SCOPES,
    RESPONSE_TYPES,
    SIGNING_ALGORITHMS,
    SUBJECT_TYPES,
)
from idp.domain.languages import LANGUAGES
from idp.oauth import certificates, dpop, signals
from idp.oauth.answers import RESPONSE_MODES
from idp.services.platform import Platform

DISCOVERY_PATHS: Final = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")
JWKS_PATH: Final = "/oauth/jwks.json"
PROMPTS: Final = ("none", "login", "consent", "select_account")
_JWKS_SECONDS: Final = 1.0
WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def provider_metadata(settings: Settings) -> dict[str, Any]:
    """What this provider offers, and nothing it does not (Discovery 3, RFC 8414 §2 and what extends it)."""
    issuer = settings.issuer
    document = {
        "issuer": issuer,
        **_endpoints(issuer),
        **_authentication(),
        **_requests(),
        **_tokens(),
        **_claims(),
        **_protection(),
        **_sign_out(),
    }
    return certificates.announced(document, settings)


def _endpoints(issuer: str) -> dict[str, Any]:
    return {
        "authorization_endpoint": f"{issuer}/oauth/authorize",
        "token_endpoint": f"{issuer}/oauth/token",
        "userinfo_endpoint": f"{issuer}/oauth/userinfo",
        "jwks_uri": f"{issuer}{JWKS_PATH}",
        "pushed_authorization_request_endpoint": f"{issuer}/oauth/par",
        "device_authorization_endpoint": f"{issuer}/oauth/device_authorization",
        "introspection_endpoint": f"{issuer}/oauth/introspect",
        "revocation_endpoint": f"{issuer}/oauth/revoke",
        "registration_endpoint": f"{issuer}/oauth/register",
        "end_session_endpoint": f"{issuer}/oauth/logout",
    }


def _authentication() -> dict[str, Any]:
    """How clients prove who they are; only a confidential one may introspect."""
    confidential = [method for method in AUTH_METHODS if method != "none"]
    algorithms = list(ASSERTION_ALGORITHMS)
    return {
        "token_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "token_endpoint_auth_signing_alg_values_supported": algorithms,
        "introspection_endpoint_auth_methods_supported": confidential,
        "introspection_endpoint_auth_signing_alg_values_supported": algorithms,
        "revocation_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
    }


def _requests() -> dict[str, Any]:
    """What an authorization request may look like, and how it is answered."""
    return {
        "response_types_supported": list(RESPONSE_TYPES),
        "response_modes_supported": list(RESPONSE_MODES),
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "request_parameter_supported": True,
        "request_uri_parameter_supported": True,
        "require_request_uri_registration": True,
        "request_object_signing_alg_values_supported": list(ASSERTION_ALGORITHMS),
        "authorization_details_types_supported": [authorization_details.TYPE],
        "acr_values_supported": list(ACR_VALUES),
        "prompt_values_supported": list(PROMPTS),
        "ui_locales_supported": list(LANGUAGES),
    }


def _tokens() -> dict[str, Any]:
    return {
        "grant_types_supported": list(GRANT_TYPES),
        "scopes_supported": [*IDENTITY_SCOPES, *PLATFORM_SCOPES],
        "subject_types_supported": list(SUBJECT_TYPES),
        "dpop_signing_alg_values_supported": list(dpop.ALGORITHMS),
    }


def _claims() -> dict[str, Any]:
    return {
        "claim_types_supported": ["normal"],
        "claims_supported": [*ALWAYS_SUPPORTED, *CLAIM_SCOPES, "verified_claims"],
        "claims_parameter_supported": True,
        "verified_claims_supported": True,
        "trust_frameworks_supported": [verified_claims.TRUST_FRAMEWORK],
        "claims_in_verified_claims_supported": list(verified_claims.CLAIMS),
        "authority_claims_supported": list(verified_claims.AUTHORITY_CLAIMS),
        "authority_permissions_supported": list(verified_claims.ROLES),
        "authority_granted_methods_supported": list(verified_claims.METHODS),
    }


def _protection() -> dict[str, Any]:
    """How each kind of answer can be signed and encrypted (Discovery 3, JARM 4, RFC 9701 §7)."""
    offers = {
        "signing_alg": SIGNING_ALGORITHMS,
        "encryption_alg": KEY_ENCRYPTION_ALGORITHMS,
        "encryption_enc": CONTENT_ENCRYPTION_METHODS,
    }
    return {
        f"{answer}_{what}_values_supported": list(values)
        for answer in ("id_token", "userinfo", "introspection", "authorization")
        for what, values in offers.items()
    }


def _sign_out() -> dict[str, Any]:
    channels = ("backchannel_logout", "frontchannel_logout")
    return {
        f"{channel}{suffix}": True for channel in channels for suffix in ("_supported", "_session_supported")
    }


class ReadyDocuments:
    """WSGI middleware that answers the public documents; the rest goes on to Flask."""

    def __init__(self, application: WsgiApp, platform: Platform) -> None:
        self._application = application
        self._platform = platform
        body = orjson.dumps(provider_metadata(platform.settings))
        self._ready = {path: (body, _headers(body, max_age=3600)) for path in DISCOVERY_PATHS}
        body = orjson.dumps(signals.transmitter_metadata(platform.settings.issuer, JWKS_PATH))
        self._ready[signals.METADATA_PATH] = (body, _headers(body, max_age=3600))
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
