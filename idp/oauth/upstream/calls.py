"""Calls to the other platform, each authenticated by what it knows of us (OIDC Core 9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote_plus

from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc7523 import private_key_jwt_sign

from idp import clock
from idp.domain import interoperable_json
from idp.keyring import CLIENT_ALGORITHM
from idp.oauth.client_auth import ASSERTION_TYPE
from idp.oauth.upstream.provider import Provider, UpstreamUnavailable
from idp.outbound import Answer, OutboundError
from idp.services.platform import Platform

MAX_ANSWER: Final = 64 * 1024
ASSERTION_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class JsonAnswer:
    """Status and object; ``body`` is empty where there was none."""

    status: int
    body: Mapping[str, Any]


def post(platform: Platform, provider: Provider, endpoint: str, form: Mapping[str, str]) -> JsonAnswer:
    """POST a form as the registered client. Raises UpstreamUnavailable, also for a failure over there."""
    headers, proof = _proof(platform, provider)
    try:
        answer = platform.outbound.post(endpoint, {**form, **proof}, headers=headers, max_bytes=MAX_ANSWER)
    except OutboundError as error:
        raise UpstreamUnavailable(error.code) from error
    parsed = interoperable_json.parse(_text(answer), MAX_ANSWER)
    return JsonAnswer(answer.status, parsed if isinstance(parsed, dict) else {})


def get_jwt(platform: Platform, endpoint: str, access_token: str) -> str:
    """GET a protected resource that answers with a JWT. Raises UpstreamUnavailable; empty for all else."""
    headers = {"Authorization": f"Bearer {access_token}", "Accept": "application/jwt"}
    try:
        answer = platform.outbound.get(endpoint, headers=headers, max_bytes=MAX_ANSWER)
    except OutboundError as error:
        raise UpstreamUnavailable(error.code) from error
    media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    text = _text(answer)
    return text.strip() if answer.status == 200 and media_type == "application/jwt" else ""


def _text(answer: Answer) -> str:
    if answer.status >= 500:
        raise UpstreamUnavailable(f"status_{answer.status}")
    return answer.body.decode("utf-8", "replace")


def _proof(platform: Platform, provider: Provider) -> tuple[dict[str, str], dict[str, str]]:
    """Headers and form members that say who we are: by the secret, or else by our signing key."""
    secret = platform.settings.upstream_client_secret
    if secret is None:
        return {}, _assertion(platform, provider)
    headers: dict[str, str] = {}
    # RFC 6749 §2.3.1: each encoded as in a form, which Authlib leaves to its caller.
    auth = ClientAuth(quote_plus(provider.client_id), quote_plus(secret), "client_secret_basic")
    auth.prepare("POST", provider.token_endpoint, headers, "")  # type: ignore[no-untyped-call]  # no types
    return headers, {}


def _assertion(platform: Platform, provider: Provider) -> dict[str, str]:
    """RFC 7523 §2.2; meant for the issuer alone, so that one address can't be passed off as another."""
    now = clock.now()
    key = platform.keyring.signing_key(CLIENT_ALGORITHM, now)
    assertion = private_key_jwt_sign(
        key,
        provider.client_id,
        provider.issuer,
        alg=CLIENT_ALGORITHM,
        header={"kid": key.kid, "typ": "client-authentication+jwt"},
        issued_at=int(now.timestamp()),
        expires_in=ASSERTION_SECONDS,
    )
    return {
        "client_id": provider.client_id,
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
    }
