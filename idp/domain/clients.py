"""Registered clients: what their metadata may say, and what a request may ask of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import SplitResult, urlsplit

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
GRANT_TYPES = ("authorization_code", "refresh_token", "client_credentials", DEVICE_CODE, TOKEN_EXCHANGE)
RESPONSE_TYPES = ("code",)
CERTIFICATE_METHODS = ("tls_client_auth", "self_signed_tls_client_auth")
AUTH_METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt", *CERTIFICATE_METHODS, "none")
SECRET_METHODS = ("client_secret_basic", "client_secret_post")
ASSERTION_ALGORITHMS = ("ES256", "PS256", "EdDSA", "RS256")
SIGNING_ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
FAPI_ALGORITHMS = ("PS256", "ES256", "EdDSA")
KEY_ENCRYPTION_ALGORITHMS = ("ECDH-ES", "RSA-OAEP-256")
CONTENT_ENCRYPTION_METHODS = ("A256GCM", "A128GCM")
SUBJECT_TYPES = ("public", "pairwise")
FAPI2 = "fapi2"
FAPI2_MESSAGE_SIGNING = "fapi2-message-signing"
PROFILES = (FAPI2, FAPI2_MESSAGE_SIGNING)
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
    "verified_claims",
    "identity_document",
)
PLATFORM_SCOPES = ("ssf.manage", "ssf.read")  # of this provider's own interfaces, for clients themselves
_CLIENT_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})
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
    application_type: str = "web"
    scopes: frozenset[str] = frozenset({"openid"})
    profile: str | None = None
    client_uri: str | None = None
    logo_uri: str | None = None
    policy_uri: str | None = None
    tos_uri: str | None = None
    contacts: tuple[str, ...] = ()
    # who it is
    token_endpoint_auth_method: str = "client_secret_basic"
    token_endpoint_auth_signing_alg: str | None = None
    jwks: Mapping[str, Any] | None = None
    jwks_uri: str | None = None
    tls_client_auth_subject_dn: str | None = None
    tls_client_auth_san_dns: str | None = None
    tls_client_auth_san_uri: str | None = None
    tls_client_auth_san_ip: str | None = None
    tls_client_auth_san_email: str | None = None
    secrets: tuple[tuple[str, datetime | None], ...] = ()
    # how it asks
    require_pushed_authorization_requests: bool = False
    require_signed_request_object: bool = False
    request_object_signing_alg: str | None = None
    request_uris: tuple[str, ...] = ()
    authorization_details_types: tuple[str, ...] = ()
    default_max_age: int | None = None
    require_auth_time: bool = False
    default_acr_values: tuple[str, ...] = ()
    initiate_login_uri: str | None = None
    # what it is answered with
    subject_type: str = "public"
    sector_identifier_uri: str | None = None
    dpop_bound_access_tokens: bool = False
    tls_client_certificate_bound_access_tokens: bool = False
    access_token_signed_response_alg: str = "ES256"
    id_token_signed_response_alg: str = "RS256"
    id_token_encrypted_response_alg: str | None = None
    id_token_encrypted_response_enc: str | None = None
    userinfo_signed_response_alg: str | None = None
    userinfo_encrypted_response_alg: str | None = None
    userinfo_encrypted_response_enc: str | None = None
    authorization_signed_response_alg: str = "RS256"
    authorization_encrypted_response_alg: str | None = None
    authorization_encrypted_response_enc: str | None = None
    introspection_signed_response_alg: str = "RS256"
    introspection_encrypted_response_alg: str | None = None
    introspection_encrypted_response_enc: str | None = None
    # how it hears of an end
    post_logout_redirect_uris: tuple[str, ...] = ()
    backchannel_logout_uri: str | None = None
    backchannel_logout_session_required: bool = False
    frontchannel_logout_uri: str | None = None
    frontchannel_logout_session_required: bool = False
    # the mandate
    matters: tuple[str, ...] = ()
    require_enterprise: bool = False
    roles: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    may_act: str | None = None
    disabled: bool = False

    @property
    def public(self) -> bool:
        """Whether the client has no credentials of its own (RFC 6749 §2.1)."""
        return self.token_endpoint_auth_method == "none"

    @property
    def high_security(self) -> bool:
        """Whether the client lives by the FAPI 2.0 Security Profile."""
        return self.profile in PROFILES

    @property
    def sender_constrained(self) -> bool:
        """Whether its access tokens are always bound to a key that it holds."""
        return self.dpop_bound_access_tokens or self.tls_client_certificate_bound_access_tokens

    def accepted_algorithms(self, registered: str | None) -> tuple[str, ...]:
        """By which the client may sign what it sends: ``registered`` alone if it named one (FAPI2 5.4)."""
        allowed = FAPI_ALGORITHMS if self.high_security else ASSERTION_ALGORITHMS
        return tuple(name for name in allowed if registered in {None, name})

    @property
    def resource_scopes(self) -> frozenset[str]:
        """The scopes that mean something at this client's own resources."""
        return self.scopes - frozenset(IDENTITY_SCOPES + PLATFORM_SCOPES) if self.resources else frozenset()


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


def is_web_address(uri: str, *, loopback: bool) -> bool:
    """Whether it is an https address, or with ``loopback`` an http one of this machine, without fragment or
    credentials.
    """
    parts = split_uri(uri)
    if parts is None or not parts.hostname or "#" in uri or "@" in parts.netloc:
        return False
    return parts.scheme == "https" or (
        loopback and parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS
    )


def sector_of(client: Client) -> str:
    """Whom ``pairwise`` identifiers are the same for (OIDC Core 8.1): the host of the client.

    A client without such a host, as a native one, is a sector of its own: every such client on a device has
    the same loopback address.
    """
    uris = [client.sector_identifier_uri] if client.sector_identifier_uri else client.redirect_uris
    hosts = {urlsplit(uri).hostname for uri in uris} - LOOPBACK_HOSTS
    host = hosts.pop() if len(hosts) == 1 else None
    return host or f"client:{client.client_id}"


def origin_of(uri: str) -> str:
    """Scheme and authority of a registered URI, as a Content-Security-Policy source."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"
