"""Mutual TLS (RFC 8705): the certificate that a client showed to the proxy in front, whose it is,
and the tokens that are bound to it.

TLS ends at the proxy. It proves that the client holds the certificate's key, and writes the certificate and
what became of verifying its chain into two headers, in place of whatever a client sent under these names.
"""

from __future__ import annotations

from base64 import b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import unquote

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from joserfc.jwk import Key
from werkzeug.datastructures import Headers

from idp import crypto
from idp.config import Settings
from idp.domain.clients import CERTIFICATE_METHODS, Client
from idp.oauth import client_keys
from idp.oauth.client_keys import NoClientKeys
from idp.services import client_certificates
from idp.services.platform import Platform

MAX_HEADER: Final = 16 * 1024
VERIFIED: Final = "SUCCESS"
CONFIRMATION: Final = "x5t#S256"
_PEM_BEGIN, _PEM_END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_ALIASED: Final = (
    "token_endpoint",
    "introspection_endpoint",
    "revocation_endpoint",
    "userinfo_endpoint",
    "pushed_authorization_request_endpoint",
    "device_authorization_endpoint",
)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate whose key the client holds. ``thumbprint`` is the base64url SHA-256 of its DER
    (``x5t#S256``); ``verified`` tells whether the proxy found a chain to an authority that it trusts.
    """

    thumbprint: str
    parsed: x509.Certificate
    verified: bool


def presented(platform: Platform, headers: Headers | Mapping[str, str]) -> Certificate | None:
    """The certificate shown with a request; None without mutual TLS, without a certificate,
    and for a header that can't be read.
    """
    settings = platform.settings
    text = headers.get(settings.client_certificate_header or "", "")
    if not settings.mutual_tls or not 0 < len(text) <= MAX_HEADER:
        return None
    try:
        parsed = _parse(text)
    except (ValueError, x509.InvalidVersion):
        return None
    thumbprint = urlsafe_b64encode(parsed.fingerprint(SHA256())).rstrip(b"=").decode()
    verified = headers.get(settings.client_certificate_verify_header or "", "") == VERIFIED
    return Certificate(thumbprint, parsed, verified)


def _parse(text: str) -> x509.Certificate:
    """One certificate from either form of the header; raises ValueError for anything else, as for two.

    The forms are the byte sequence of RFC 9440 §2.1, ``:base64:``, and URL-encoded PEM, as nginx writes
    it in ``$ssl_client_escaped_cert``.
    """
    if len(text) > 2 and text[0] == text[-1] == ":":
        return x509.load_der_x509_certificate(b64decode(text[1:-1], validate=True))
    pem = unquote(text, errors="strict").strip()
    if not (pem.startswith(_PEM_BEGIN) and pem.endswith(_PEM_END) and pem.count(_PEM_BEGIN) == 1):
        raise ValueError("neither form of the header")
    return x509.load_pem_x509_certificate(pem.encode())


def matches(platform: Platform, client: Client, certificate: Certificate | None, now: datetime) -> bool:
    """Whether ``certificate`` authenticates ``client`` by the method that it is registered with."""
    if certificate is None or not _is_valid(certificate.parsed, now):
        return False
    match client.token_endpoint_auth_method:
        case "tls_client_auth":  # §2.1
            return certificate.verified and client_certificates.bears_name(client, certificate.parsed)
        case "self_signed_tls_client_auth":  # §2.2
            return any(_is_of(key, certificate.parsed) for key in _keys(platform, client))
        case _:
            return False


def _is_valid(certificate: x509.Certificate, now: datetime) -> bool:
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc


def _keys(platform: Platform, client: Client) -> list[Key]:
    """The client's keys that may sign; none when they can't be had or read."""
    try:
        keys = client_keys.keys_of(platform, client)
    except NoClientKeys:
        return []
    return [key for key in keys if key.get("use", "sig") == "sig"]


def _is_of(key: Key, certificate: x509.Certificate) -> bool:
    """Whether this is the key's certificate: the first of its ``x5c``, or, of a bare key, one for the key."""
    try:
        chain = key.get("x5c")
        if chain is not None:
            return b64decode(chain[0], validate=True) == certificate.public_bytes(Encoding.DER)
        return bool(certificate.public_key() == key.public_key)
    except (ValueError, TypeError, LookupError, UnsupportedAlgorithm):
        return False


def is_bound(payload: Mapping[str, Any]) -> bool:
    """Whether the token of this ``payload`` is bound to some certificate."""
    return CONFIRMATION in payload.get("cnf", {})


def bound_to(payload: Mapping[str, Any], certificate: Certificate | None) -> bool:
    """Whether the token of this ``payload`` is bound to ``certificate`` (RFC 8705 §3);
    a token without such a binding is bound to none.
    """
    if certificate is None or not is_bound(payload):
        return False
    return crypto.constant_time_equal(payload["cnf"][CONFIRMATION], certificate.thumbprint)


def announced(document: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """The provider's metadata with what it says of mutual TLS (RFC 8705 §3.3, §5): without it, nothing."""
    if not settings.mutual_tls:
        return {name: _without_certificates(name, value) for name, value in document.items()}
    aliases = {
        name: value.replace(settings.issuer, settings.mtls_url or "", 1)
        for name, value in document.items()
        if name in _ALIASED and settings.mtls_url is not None
    }
    return {
        **document,
        "tls_client_certificate_bound_access_tokens": True,
        **({"mtls_endpoint_aliases": aliases} if aliases else {}),
    }


def _without_certificates(name: str, value: Any) -> Any:
    if not name.endswith("_auth_methods_supported"):
        return value
    return [method for method in value if method not in CERTIFICATE_METHODS]
