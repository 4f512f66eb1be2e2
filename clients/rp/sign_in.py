"""Authorization code with PKCE: each request is made, and each answer processed, by name (OpenID Connect Core
§3.1).

Authlib's Flask client leaves ``iss`` (RFC 9207), ``aud`` and a missing ID token unchecked, so
the steps are here.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc.errors import JoseError

from clients.rp import calls, jwt
from clients.rp.client import Client
from clients.rp.discovery import Metadata, Provider
from clients.rp.errors import ProviderUnavailable

SIGN_IN_TTL = timedelta(minutes=10)


@dataclass(frozen=True)
class Pending:
    """What the browser must bring back from the provider. Kept sealed in a cookie of that browser."""

    state: str
    nonce: str
    code_verifier: str
    started_time: int
    then: str


@dataclass(frozen=True)
class Tokens:
    """A token response; ``expires_at`` is when the access token ends."""

    access_token: str
    refresh_token: str | None
    expires_at: datetime


@dataclass(frozen=True)
class SignedIn:
    """A completed sign-in: tokens, the ID token as it came and its checked claims."""

    tokens: Tokens
    id_token: str
    claims: Mapping[str, Any]


@dataclass(frozen=True)
class SignInFailed:
    """Why there is no sign-in: our ``reason``, and the provider's ``error`` code where it gave one."""

    reason: str
    error: str | None = None


@dataclass(frozen=True)
class RefreshRefused:
    """The provider will not renew this grant: it has ended."""

    error: str


def begin(now: datetime, then: str) -> Pending:
    """Fresh state, nonce and verifier (256 bits each)."""
    return Pending(
        secrets.token_urlsafe(32),
        secrets.token_urlsafe(32),
        secrets.token_urlsafe(48),
        int(now.timestamp()),
        then,
    )


def authorization_url(
    provider: Provider, client: Client, pending: Pending, scope: str, extra: Mapping[str, str] | None = None
) -> str:
    """Where to send the browser (Core §3.1.2.1, RFC 7636 §4.3). Raises ProviderUnavailable.

    A provider that takes pushed requests gets this one directly from us (RFC 9126), so that nobody between
    can read or change it, and the code is bound to our key.
    """
    parameters = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": client.redirect_uri,
        "scope": scope,
        "state": pending.state,
        "nonce": pending.nonce,
        "code_challenge": _challenge(pending.code_verifier),
        "code_challenge_method": "S256",
        **(extra or {}),
    }
    metadata = provider.metadata()
    if metadata.pushed_authorization_request_endpoint is not None:
        request_uri = _push(provider, client, metadata.pushed_authorization_request_endpoint, parameters)
        parameters = {"client_id": client.client_id, "request_uri": request_uri}
    return _with_query(metadata.authorization_endpoint, parameters)


def _push(provider: Provider, client: Client, endpoint: str, parameters: Mapping[str, str]) -> str:
    answer = calls.post(provider, client, endpoint, parameters)
    request_uri = _text(answer.body, "request_uri")
    if answer.status != 201 or request_uri is None:
        raise ProviderUnavailable(
            f"the pushed request was answered {answer.status} {answer.body.get('error')}"
        )
    return request_uri


def finish(
    provider: Provider, client: Client, pending: Pending, answer: Mapping[str, str], now: datetime
) -> SignedIn | SignInFailed:
    """Process the authorization response, redeem its code, check the ID token. Raises ProviderUnavailable."""
    code = process_authorization_response(provider.metadata(), pending, answer, now)
    if isinstance(code, SignInFailed):
        return code
    response = calls.post(
        provider,
        client,
        provider.metadata().token_endpoint,
        {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": client.redirect_uri,
            "code_verifier": pending.code_verifier,
        },
    )
    if response.status != 200:
        return SignInFailed("code_refused", _text(response.body, "error"))
    return process_token_response(provider, client, pending, response.body, now)


def process_authorization_response(
    metadata: Metadata, pending: Pending, answer: Mapping[str, str], now: datetime
) -> str | SignInFailed:
    """The code, if the answer is from this provider, for this browser, and in time (RFC 6749 §4.1.2, RFC 9207
    §2.4).
    """
    if not hmac.compare_digest(answer.get("state", "").encode(), pending.state.encode()):
        return SignInFailed("state")
    if now.timestamp() > pending.started_time + SIGN_IN_TTL.total_seconds():
        return SignInFailed("too_late")
    issuer = answer.get("iss")
    if issuer != metadata.issuer and (issuer is not None or metadata.iss_parameter_supported):
        return SignInFailed("issuer")
    if "error" in answer:
        return SignInFailed("refused", answer["error"])
    return answer.get("code") or SignInFailed("no_code")


def process_token_response(
    provider: Provider, client: Client, pending: Pending, body: Mapping[str, Any], now: datetime
) -> SignedIn | SignInFailed:
    """Tokens and ID-token claims (Core §3.1.3.3, §3.1.3.7); a response without an ID token is no sign-in."""
    tokens = _tokens(client, body, now)
    id_token = _text(body, "id_token")
    if tokens is None or id_token is None:
        return SignInFailed("token_response")
    claims = id_token_claims(provider, client, id_token, pending.nonce, tokens.access_token, now)
    if isinstance(claims, SignInFailed):
        return claims
    return SignedIn(tokens, id_token, claims)


def id_token_claims(
    provider: Provider, client: Client, id_token: str, nonce: str, access_token: str, now: datetime
) -> Mapping[str, Any] | SignInFailed:
    """The claims of an ID token, if signature, iss, aud, azp, exp, iat, nonce and at_hash all hold (Core
    §3.1.3.7).
    """
    try:
        verified = jwt.verify(provider, id_token)
        claims = CodeIDToken(
            verified.claims,
            verified.header,
            {
                "iss": {"essential": True, "value": provider.issuer},
                "sub": {"essential": True},
                "aud": {"essential": True, "value": client.client_id},
                "nonce": {"essential": True, "value": nonce},
            },
            {"client_id": client.client_id, "nonce": nonce, "access_token": access_token},
        )
        claims.validate(int(now.timestamp()), jwt.LEEWAY_SECONDS)
    except (jwt.InvalidJwt, JoseError, TypeError, ValueError, AttributeError):
        return SignInFailed("id_token")
    # An access token has a type of its own; this keeps one from being taken for the other.
    if verified.typ not in ("", "jwt") or not isinstance(claims["sub"], str):
        return SignInFailed("id_token")
    return dict(claims)


def refresh(provider: Provider, client: Client, refresh_token: str, now: datetime) -> Tokens | RefreshRefused:
    """New tokens for a refresh token (RFC 6749 §6). Raises ProviderUnavailable when nothing can be said."""
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    response = calls.post(provider, client, provider.metadata().token_endpoint, form)
    refreshed = process_refresh_response(client, response.status, response.body, now)
    if isinstance(refreshed, Tokens) and refreshed.refresh_token is None:
        return replace(refreshed, refresh_token=refresh_token)  # none is sent: the present one goes on
    return refreshed


def process_refresh_response(
    client: Client, status: int, body: Mapping[str, Any], now: datetime
) -> Tokens | RefreshRefused:
    """``invalid_grant`` ends the grant; any other failure is the provider's or ours, not the person's."""
    if status == 200:
        tokens = _tokens(client, body, now)
        if tokens is not None:
            return tokens
    if body.get("error") == "invalid_grant":
        return RefreshRefused("invalid_grant")
    raise ProviderUnavailable(f"refresh answered {status} {body.get('error')}")


def userinfo(provider: Provider, client: Client, access_token: str, subject: str) -> Mapping[str, Any]:
    """The claims of the userinfo endpoint, empty unless they are about ``subject`` (Core §5.3.2)."""
    endpoint = provider.metadata().userinfo_endpoint
    if endpoint is None:
        return {}
    answer = calls.get(provider, client, endpoint, access_token)
    return answer.body if answer.status == 200 and answer.body.get("sub") == subject else {}


def end_session_url(provider: Provider, client: Client, id_token: str, state: str) -> str | None:
    """Where to send the browser to sign out of the provider too (RP-Initiated Logout 1.0 §2)."""
    endpoint = provider.metadata().end_session_endpoint
    if endpoint is None:
        return None
    parameters = {
        "id_token_hint": id_token,
        "client_id": client.client_id,
        "post_logout_redirect_uri": client.post_logout_redirect_uri,
        "state": state,
    }
    return _with_query(endpoint, parameters)


def _challenge(code_verifier: str) -> str:
    # Authlib has no types.
    return str(create_s256_code_challenge(code_verifier))  # type: ignore[no-untyped-call]


def _tokens(client: Client, body: Mapping[str, Any], now: datetime) -> Tokens | None:
    access_token, expires_in = _text(body, "access_token"), body.get("expires_in")
    if access_token is None or str(body.get("token_type", "")).lower() != client.token_type:
        return None
    seconds = expires_in if jwt.is_time(expires_in) and 0 < expires_in <= 86400 else 60
    return Tokens(access_token, _text(body, "refresh_token"), now + timedelta(seconds=seconds))


def _text(body: Mapping[str, Any], name: str) -> str | None:
    value = body.get(name)
    return value if isinstance(value, str) and value else None


def _with_query(endpoint: str, parameters: Mapping[str, str]) -> str:
    return endpoint + ("&" if "?" in endpoint else "?") + urlencode(parameters)
