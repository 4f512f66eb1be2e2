"""The other platform by discovery (OpenID Connect Discovery 4): fetched by ``outbound``, kept a while."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from idp.config import Settings
from idp.domain import interoperable_json
from idp.domain.clients import is_web_address
from idp.outbound import OutboundError
from idp.services.platform import Platform

METADATA_TTL: Final = timedelta(minutes=10)
PAUSE: Final = timedelta(seconds=5)
"""How long an address that failed is left alone, so that a slow one can't hold up more people."""
MAX_METADATA: Final = 64 * 1024
CALLBACK: Final = "/login/national/callback"


class UpstreamFailure(Exception):
    """The sign-in there can't go on: ``code`` is what the person is told, ``reason`` what the trail keeps."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason


class UpstreamUnavailable(UpstreamFailure):
    """No usable answer; nothing is known to be wrong with the person."""

    def __init__(self, reason: str) -> None:
        super().__init__("upstream_unavailable", reason)


class UpstreamAnswerInvalid(UpstreamFailure):
    """It can't be verified that the answer is what it says."""

    def __init__(self, reason: str) -> None:
        super().__init__("upstream_answer_invalid", reason)


@dataclass(frozen=True, slots=True)
class Provider:
    """What is needed of its metadata, and what we are called there; addresses are absolute URLs."""

    issuer: str
    client_id: str
    redirect_uri: str
    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str
    jwks_uri: str
    pushed_authorization_request_endpoint: str | None
    tells_iss: bool


def provider_of(platform: Platform) -> Provider:
    """The configured provider. Raises UpstreamUnavailable; only a document that can be used is kept."""
    key = f"upstream:metadata:{platform.settings.upstream_issuer}"
    stored = platform.ephemeral.get(key)
    if stored is not None:
        return _read(platform.settings, stored)
    fetched = _fetched(platform, platform.settings.upstream_issuer or "")
    try:
        provider = _read(platform.settings, fetched)
    except UpstreamUnavailable:
        platform.ephemeral.put(key, b"", PAUSE)
        raise
    platform.ephemeral.put(key, fetched, METADATA_TTL)
    return provider


def _read(settings: Settings, stored: bytes) -> Provider:
    """Metadata that names exactly our issuer (Discovery 4.3) and all that is needed."""
    document = interoperable_json.parse(stored.decode("utf-8", "replace"), MAX_METADATA)
    if not isinstance(document, dict):
        raise UpstreamUnavailable("discovery")
    if document.get("issuer") != settings.upstream_issuer:
        raise UpstreamUnavailable("discovery_issuer")
    names = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")
    pushed = "pushed_authorization_request_endpoint"
    return Provider(
        issuer=document["issuer"],
        client_id=settings.upstream_client_id or "",
        redirect_uri=settings.issuer + CALLBACK,
        **{name: _address(document, name, settings) for name in names},
        pushed_authorization_request_endpoint=(
            _address(document, pushed, settings) if pushed in document else None
        ),
        tells_iss=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _fetched(platform: Platform, issuer: str) -> bytes:
    """What its address answers; nothing when it fails."""
    url = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    try:
        answer = platform.outbound.get(url, max_bytes=MAX_METADATA)
    except OutboundError:
        return b""
    return answer.body if answer.status == 200 else b""


def _address(document: Mapping[str, Any], name: str, settings: Settings) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not is_web_address(value, loopback=settings.development):
        raise UpstreamUnavailable(f"discovery_{name}")
    return value
