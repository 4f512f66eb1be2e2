"""The provider's metadata and keys, cached, with key rollover (OpenID Connect Discovery 1.0 §4,
§10.1.1 of Core).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey, import_key

from clients.rp.errors import ProviderUnavailable
from clients.rp.transport import Transport

METADATA_SECONDS = 600.0
JWKS_SECONDS = 300.0
# An unknown key id makes us ask again, but a flood of forged ones must not make a flood of requests.
UNKNOWN_KEY_SECONDS = 5.0
RETRY_SECONDS = 1.0

VerificationKey = ECKey | OKPKey | RSAKey


@dataclass(frozen=True)
class Metadata:
    """What a relying party needs of the discovery document; addresses are absolute URLs."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    introspection_endpoint: str
    userinfo_endpoint: str | None
    end_session_endpoint: str | None
    revocation_endpoint: str | None
    pushed_authorization_request_endpoint: str | None
    iss_parameter_supported: bool


def process_metadata(issuer: str, document: Mapping[str, Any]) -> Metadata:
    """Check a discovery document; its issuer must be the one asked for, character by character (Discovery
    §4.3).
    """
    if document.get("issuer") != issuer:
        raise ProviderUnavailable("the discovery document names another issuer")
    return Metadata(
        issuer=issuer,
        authorization_endpoint=_address(document, "authorization_endpoint"),
        token_endpoint=_address(document, "token_endpoint"),
        jwks_uri=_address(document, "jwks_uri"),
        introspection_endpoint=_address(document, "introspection_endpoint"),
        userinfo_endpoint=_optional_address(document, "userinfo_endpoint"),
        end_session_endpoint=_optional_address(document, "end_session_endpoint"),
        revocation_endpoint=_optional_address(document, "revocation_endpoint"),
        pushed_authorization_request_endpoint=_optional_address(
            document, "pushed_authorization_request_endpoint"
        ),
        iss_parameter_supported=document.get("authorization_response_iss_parameter_supported") is True,
    )


def process_jwks(document: Mapping[str, Any]) -> dict[str, VerificationKey]:
    """Key id -> public signature key. Keys of kinds we don't know are passed over, they aren't an error."""
    keys = document.get("keys")
    if not isinstance(keys, list):
        raise ProviderUnavailable("the provider's JWKS has no keys")
    known = {}
    for entry in keys:
        key = _signature_key(entry)
        if key is not None:
            known[entry["kid"]] = key
    return known


class Provider:
    """One OpenID provider. Asked only when needed, so that it may come up after its relying parties."""

    def __init__(self, issuer: str, transport: Transport) -> None:
        self.issuer = issuer
        self.transport = transport
        self._lock = threading.Lock()
        self._metadata: Metadata | None = None
        self._metadata_due = 0.0
        self._keys: dict[str, VerificationKey] = {}
        self._keys_due = 0.0
        self._keys_asked = float("-inf")
        self._silent_until = float("-inf")

    def metadata(self) -> Metadata:
        """The current metadata; when the provider is silent, the last known. Raises ProviderUnavailable."""
        with self._lock:
            return self._current_metadata()

    def find_key(self, kid: str) -> VerificationKey | None:
        """The public key of that id, asked for anew when it is unknown. Raises ProviderUnavailable."""
        with self._lock:
            if self._keys_stale(kid):
                self._refresh_keys()
            return self._keys.get(kid)

    def _current_metadata(self) -> Metadata:
        if self._metadata is None or time.monotonic() >= self._metadata_due:
            self._refresh_metadata()
        if self._metadata is None:
            raise ProviderUnavailable("no discovery document yet")
        return self._metadata

    def _refresh_metadata(self) -> None:
        url = self.issuer.rstrip("/") + "/.well-known/openid-configuration"
        try:
            self._metadata = process_metadata(self.issuer, self._ask(url))
            self._metadata_due = time.monotonic() + METADATA_SECONDS
        except ProviderUnavailable:
            if self._metadata is None:
                raise
            self._metadata_due = time.monotonic() + RETRY_SECONDS

    def _keys_stale(self, kid: str) -> bool:
        now = time.monotonic()
        unknown = kid not in self._keys and now >= self._keys_asked + UNKNOWN_KEY_SECONDS
        return unknown or now >= self._keys_due

    def _refresh_keys(self) -> None:
        jwks_uri = self._current_metadata().jwks_uri
        try:
            self._keys = process_jwks(self._ask(jwks_uri))
            self._keys_asked = time.monotonic()
            self._keys_due = self._keys_asked + JWKS_SECONDS
        except ProviderUnavailable:
            if not self._keys:
                raise
            self._keys_due = time.monotonic() + RETRY_SECONDS

    def _ask(self, url: str) -> dict[str, Any]:
        """Ask, unless it was silent a moment ago: those who wait here wait one after another."""
        if time.monotonic() < self._silent_until:
            raise ProviderUnavailable("the provider was silent a moment ago")
        try:
            return self.transport.get(url).body
        except ProviderUnavailable:
            self._silent_until = time.monotonic() + RETRY_SECONDS
            raise


def _address(document: Mapping[str, Any], name: str) -> str:
    value = _optional_address(document, name)
    if value is None:
        raise ProviderUnavailable(f"the discovery document has no {name}")
    return value


def _optional_address(document: Mapping[str, Any], name: str) -> str | None:
    value = document.get(name)
    if isinstance(value, str) and value.startswith(("https://", "http://")):
        return value
    return None


def _signature_key(entry: Any) -> VerificationKey | None:
    if (
        not isinstance(entry, dict)
        or not isinstance(entry.get("kid"), str)
        or entry.get("use", "sig") != "sig"
    ):
        return None
    if entry.get("kty") not in ("EC", "RSA", "OKP"):
        return None
    try:
        key = import_key(entry)
    except (JoseError, KeyError, TypeError, ValueError):
        return None
    return key if isinstance(key, VerificationKey) and not key.is_private else None
