"""Registered clients: what their metadata may say, and what a request may ask of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import SplitResult, urlsplit

GRANT_TYPES = ("authorization_code", "refresh_token", "client_credentials")
RESPONSE_TYPES = ("code",)
AUTH_METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt", "none")
SECRET_METHODS = ("client_secret_basic", "client_secret_post")
ASSERTION_ALGORITHMS = ("ES256", "PS256", "EdDSA", "RS256")
SIGNING_ALGORITHMS = ("RS256", "ES256")
ACR_VALUES = ("urn:gsp:acr:2fa", "urn:gsp:acr:2fa-crypto")
IDENTITY_SCOPES = (
    "openid",
    "profile",
    "email",
    "phone",
    "address",
    "offline_access",
    "enterprise",
    "handler",
    "roles",
)
_CLIENT_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_PRINTABLE = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One registered client as every layer sees it;
    names as RFC 7591, OIDC Registration and claims.md have them.

    ``secrets`` holds (SHA-256 hex, expiry or None) of each secret that may be in use.
    """

    client_id: str
    client_name: str
    redirect_uris: tuple[str, ...] = ()
    grant_types: frozenset[str] = frozenset({"authorization_code"})
    response_types: tuple[str, ...] = ("code",)
    token_endpoint_auth_method: str = "client_secret_basic"
    token_endpoint_auth_signing_alg: str | None = None
    application_type: str = "web"
    scopes: frozenset[str] = frozenset({"openid"})
    jwks: Mapping[str, Any] | None = None
    jwks_uri: str | None = None
    id_token_signed_response_alg: str = "RS256"
    access_token_signed_response_alg: str = "ES256"
    post_logout_redirect_uris: tuple[str, ...] = ()
    backchannel_logout_uri: str | None = None
    backchannel_logout_session_required: bool = False
    default_max_age: int | None = None
    require_auth_time: bool = False
    default_acr_values: tuple[str, ...] = ()
    client_uri: str | None = None
    logo_uri: str | None = None
    policy_uri: str | None = None
    tos_uri: str | None = None
    contacts: tuple[str, ...] = ()
    matters: tuple[str, ...] = ()
    require_enterprise: bool = False
    roles: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    secrets: tuple[tuple[str, datetime | None], ...] = ()
    disabled: bool = False

    @property
    def public(self) -> bool:
        """Whether the client has no credentials of its own (RFC 6749 §2.1)."""
        return self.token_endpoint_auth_method == "none"

    @property
    def resource_scopes(self) -> frozenset[str]:
        """The scopes that mean something at this client's own resources."""
        return self.scopes - frozenset(IDENTITY_SCOPES) if self.resources else frozenset()


def is_client_id(text: str) -> bool:
    """Whether a client could have this id: what comes from outside need not even be storable."""
    return _CLIENT_ID.fullmatch(text) is not None


def redirect_uri_matches(client: Client, redirect_uri: str) -> bool:
    """Whether ``redirect_uri`` is registered, compared as a whole string.

    Only the port of a native client's loopback address may differ (RFC 8252 §7.3, RFC 9700 §2.1).
    """
    if redirect_uri in client.redirect_uris:
        return True
    if client.application_type != "native":
        return False
    portless = _without_loopback_port(redirect_uri)
    return portless is not None and any(
        portless == _without_loopback_port(uri) for uri in client.redirect_uris
    )


def _without_loopback_port(uri: str) -> str | None:
    parts = split_uri(uri)
    if parts is None or parts.scheme != "http" or parts.hostname not in {"127.0.0.1", "::1"}:
        return None
    if "@" in parts.netloc or parts.geturl() != uri:  # an empty query or fragment would go unnoticed
        return None
    host = "[::1]" if parts.hostname == "::1" else parts.hostname
    return parts._replace(netloc=host).geturl()


def split_uri(uri: str) -> SplitResult | None:
    """The parts of an absolute URI of printable ASCII; None for anything else."""
    if not _PRINTABLE.fullmatch(uri) or "\\" in uri:
        return None
    try:
        parts = urlsplit(uri)
        parts.port  # noqa: B018 - raises for a port that is none
    except ValueError:
        return None
    return parts if parts.scheme else None


def origin_of(uri: str) -> str:
    """Scheme and authority of a registered URI, as a Content-Security-Policy source."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"
