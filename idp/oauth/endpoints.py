"""Introspection (RFC 7662), revocation (RFC 7009) and userinfo (OIDC Core 5.3)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from authlib.oauth2.rfc6749.errors import InvalidRequestError

from idp import clock
from idp.domain import claims
from idp.domain.audit import Origin
from idp.domain.clients import Client
from idp.oauth import client_auth, tokens
from idp.oauth.requests import ProtocolRequest
from idp.services import authorizations, clients
from idp.services.authorizations import Grant
from idp.services.platform import Platform

REVOKED_KEY: Final = "revoked:"


def _token_of(request: ProtocolRequest) -> str:
    token = request.parameters.get("token")
    if token is None:
        raise InvalidRequestError("Missing 'token'")
    return token


def introspect(platform: Platform, request: ProtocolRequest) -> dict[str, Any]:
    """What a token is worth right now (RFC 7662 §2),
    to a confidential client that it belongs to or is meant for.

    Whatever is unknown, ended or none of the caller's business is ``{"active": false}``.
    """
    client = client_auth.authenticate(platform, request)
    token = _token_of(request)
    facts = None if client.public else _introspect(platform, client, token, clock.now())
    return facts or {"active": False}


def _introspect(platform: Platform, client: Client, token: str, now: datetime) -> dict[str, Any] | None:
    payload = tokens.read_access_token(platform, token, now)
    if payload is not None:
        return _access_token_facts(platform, client, payload, now)
    grant = authorizations.find_by_refresh_token(platform, token, now)
    return None if grant is None else _refresh_token_facts(client, grant)


def _access_token_facts(
    platform: Platform, client: Client, payload: dict[str, Any], now: datetime
) -> dict[str, Any] | None:
    """The token's claims with the mandate as it is at this moment."""
    audience = payload["aud"] if isinstance(payload["aud"], list) else [payload["aud"]]
    if payload["client_id"] != client.client_id and not set(audience) & set(client.resources):
        return None
    active = {"active": True, "token_type": "Bearer"}
    if "authorization_id" not in payload:
        return active | payload if _stands(platform, payload) else None
    grant = authorizations.find_grant(platform, payload["authorization_id"], now)
    if grant is None:
        return None
    bare = {name: value for name, value in payload.items() if name not in claims.TOKEN_MANDATE_CLAIMS}
    scopes = frozenset(payload["scope"].split())
    return active | bare | claims.access_token_claims(grant.subject, scopes)


def _refresh_token_facts(client: Client, grant: Grant) -> dict[str, Any] | None:
    if grant.client_id != client.client_id:
        return None
    return {
        "active": True,
        "client_id": grant.client_id,
        "sub": grant.subject.account_id,
        "scope": " ".join(sorted(grant.scopes)),
        "exp": int(grant.expires_at.timestamp()),
        **claims.access_token_claims(grant.subject, grant.scopes),
    }


def _stands(platform: Platform, payload: dict[str, Any]) -> bool:
    """Whether a client's own token is worth something: the client is served, and has not given it back."""
    served = clients.find_client(platform, payload["client_id"]) is not None
    return served and platform.ephemeral.get(REVOKED_KEY + payload["jti"]) is None


def revoke(platform: Platform, request: ProtocolRequest) -> None:
    """End what a client no longer wants (RFC 7009 §2.1); an unknown token or hint is no error (§2.2).

    A person's access token ends its whole authorization, as a refresh token does.
    """
    client = client_auth.authenticate(platform, request)
    _revoke(platform, client, _token_of(request), request.origin, clock.now())


def _revoke(platform: Platform, client: Client, token: str, origin: Origin, now: datetime) -> None:
    payload = tokens.read_access_token(platform, token, now)
    if payload is None:
        grant = authorizations.find_by_refresh_token(platform, token, now, former=True)
    elif payload["client_id"] != client.client_id:
        grant = None
    elif "authorization_id" in payload:
        grant = authorizations.find_grant(platform, payload["authorization_id"], now)
    else:
        _remember_revoked(platform, payload, now)
        grant = None
    if grant is not None and grant.client_id == client.client_id:
        authorizations.revoke(platform, grant, origin, now)


def _remember_revoked(platform: Platform, payload: dict[str, Any], now: datetime) -> None:
    """A client's own token rests on no row; until it expires its ``jti`` is kept."""
    ttl = timedelta(seconds=payload["exp"] - now.timestamp() + 1)
    platform.ephemeral.put(REVOKED_KEY + payload["jti"], b"1", ttl)


class BearerError(Exception):
    """A refusal of RFC 6750 §3: ``status``, ``error`` (None: no token was sent) and an ASCII description."""

    def __init__(self, status: int, error: str | None, description: str = "") -> None:
        super().__init__(description)
        self.status, self.error, self.description = status, error, description

    @property
    def challenge(self) -> str:
        """The value of ``WWW-Authenticate``."""
        if self.error is None:
            return 'Bearer realm="userinfo"'
        return f'Bearer realm="userinfo", error="{self.error}", error_description="{self.description}"'


def userinfo(platform: Platform, token: str) -> dict[str, Any]:
    """The claims of the person behind an access token, as true at this moment.

    Raises BearerError: 401 ``invalid_token`` for a token that is unknown, expired or rests on something that
    has ended, 403 ``insufficient_scope`` without ``openid``.
    """
    now = clock.now()
    payload = tokens.read_access_token(platform, token, now)
    if payload is None:
        raise BearerError(401, "invalid_token", "The access token is unknown or expired")
    scopes = frozenset(payload["scope"].split())
    if "openid" not in scopes or "authorization_id" not in payload:
        raise BearerError(403, "insufficient_scope", "The scope openid is needed")
    found = authorizations.find_grant_with_person(platform, payload["authorization_id"], now)
    if found is None:
        raise BearerError(401, "invalid_token", "What the access token rests on has ended")
    grant, person = found
    return {
        "sub": grant.subject.account_id,
        **claims.userinfo_claims(grant.subject, person, scopes, grant.requested),
    }
