"""Introspection (RFC 7662), revocation (RFC 7009) and userinfo (OIDC Core 5.3)."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any, Final

from authlib.oauth2.rfc6749.errors import InvalidRequestError
from werkzeug.wrappers import Request

from idp import clock
from idp.domain import authorization_details, claims, verified_claims
from idp.domain.audit import Origin
from idp.domain.authorization_details import HandlerDetail
from idp.domain.claims import PersonalData
from idp.domain.clients import Client
from idp.oauth import client_auth, jwt_answers, standing, tokens
from idp.oauth.protected_resource import BearerError, token_claims
from idp.oauth.requests import ProtocolRequest
from idp.services import authorizations, clients, grants, revocation, subjects
from idp.services.grants import Grant
from idp.services.platform import Platform

DETAILS: Final = "authorization_details"
_CHANGING: Final = claims.TOKEN_MANDATE_CLAIMS | {DETAILS}


def _token_of(request: ProtocolRequest) -> str:
    token = request.parameters.get("token")
    if token is None:
        raise InvalidRequestError("Missing 'token'")
    return token


def introspect(platform: Platform, request: ProtocolRequest) -> dict[str, Any] | str:
    """What a token is worth right now (RFC 7662 §2), as a JWT if the request says so (RFC 9701),
    to a confidential client that it belongs to or is meant for.

    Whatever is unknown, ended or none of the caller's business is ``{"active": false}``.
    """
    now = clock.now()
    client = client_auth.authenticate(platform, request)
    token = _token_of(request)
    facts = None if client.public else _introspect(platform, client, token, now)
    answer = facts or {"active": False}
    if jwt_answers.introspection_wanted(request.headers):
        return jwt_answers.introspection(platform, client, answer, now)
    return answer


def _introspect(platform: Platform, client: Client, token: str, now: datetime) -> dict[str, Any] | None:
    payload = tokens.read_access_token(platform, token, now)
    if payload is not None:
        return _access_token_facts(platform, client, payload, now)
    grant = authorizations.find_by_refresh_token(platform, token, now)
    return None if grant is None else _refresh_token_facts(platform, client, grant)


def _access_token_facts(
    platform: Platform, client: Client, payload: dict[str, Any], now: datetime
) -> dict[str, Any] | None:
    """The token's claims with the mandate as it is at this moment."""
    audience = payload["aud"] if isinstance(payload["aud"], list) else [payload["aud"]]
    if payload["client_id"] != client.client_id and not set(audience) & set(client.resources):
        return None
    active = {"active": True, "token_type": "DPoP" if "jkt" in payload.get("cnf", {}) else "Bearer"}
    if not standing.stands(platform, payload):
        return None
    if "authorization_id" not in payload:
        return active | payload
    grant = grants.find_grant(platform, payload["authorization_id"], now)
    return None if grant is None else active | _as_of_now(payload, grant)


def _as_of_now(payload: dict[str, Any], grant: Grant) -> dict[str, Any]:
    """The token's claims, those of the mandate and its details as they are at this moment."""
    bare = {name: value for name, value in payload.items() if name not in _CHANGING}
    scopes = frozenset(payload["scope"].split())
    details = _details_of_now(payload[DETAILS], grant) if DETAILS in payload else {}
    return bare | claims.access_token_claims(grant.subject, scopes) | details


def _details_of_now(said: list[dict[str, Any]], grant: Grant) -> dict[str, Any]:
    details = tuple(HandlerDetail.from_json(detail) for detail in said)
    left = authorization_details.in_force(details, authorization_details.matters_of(grant.details))
    return {DETAILS: [detail.as_json() for detail in left]} if left else {}


def _refresh_token_facts(platform: Platform, client: Client, grant: Grant) -> dict[str, Any] | None:
    if grant.client_id != client.client_id:
        return None
    return {
        "active": True,
        "client_id": grant.client_id,
        "sub": subjects.sub_of(platform, client, grant.subject.account_id),
        "scope": " ".join(sorted(grant.scopes)),
        "exp": int(grant.expires_at.timestamp()),
        **claims.access_token_claims(grant.subject, grant.scopes),
    }


def revoke(platform: Platform, request: ProtocolRequest) -> None:
    """End what a client no longer wants (RFC 7009 §2.1); an unknown token or hint is no error (§2.2).

    A person's access token ends its whole authorization, as a refresh token does; one that was exchanged ends
    alone.
    """
    client = client_auth.authenticate(platform, request)
    _revoke(platform, client, _token_of(request), request.origin, clock.now())


def _revoke(platform: Platform, client: Client, token: str, origin: Origin, now: datetime) -> None:
    payload = tokens.read_access_token(platform, token, now)
    if payload is None:
        grant = authorizations.find_by_refresh_token(platform, token, now, former=True)
    elif payload["client_id"] != client.client_id:
        grant = None
    elif not standing.is_its_own(payload):
        grant = grants.find_grant(platform, payload["authorization_id"], now)
    else:
        standing.give_back(platform, payload, now)
        grant = None
    if grant is not None and grant.client_id == client.client_id:
        revocation.revoke(platform, grant, origin, now)


def userinfo(platform: Platform, request: Request) -> dict[str, Any] | str:
    """The claims of the person behind the request's access token, as true at this moment; a JWT, signed and
    maybe encrypted, where the client is registered so (OIDC Core 5.3.2).

    Raises BearerError: what :func:`protected_resource.token_claims` does, 401 ``invalid_token`` when what the
    token rests on has ended, 403 ``insufficient_scope`` without ``openid``; and NoEncryptionKey.
    """
    now = clock.now()
    payload = token_claims(platform, request, now)
    scheme = "DPoP" if "jkt" in payload.get("cnf", {}) else "Bearer"
    scopes = frozenset(payload["scope"].split())
    if "openid" not in scopes or "authorization_id" not in payload:
        raise BearerError(403, "insufficient_scope", "The scope openid is needed", scheme)
    client = clients.find_client(platform, payload["client_id"])
    found = client and grants.find_grant_with_person(
        platform, payload["authorization_id"], now, with_document=_may_tell_document(client, scopes)
    )
    if client is None or not found:
        raise BearerError(401, "invalid_token", "What the access token rests on has ended", scheme)
    told = {"sub": payload["sub"], **_userinfo_claims(client, *found, scopes, now)}
    return jwt_answers.userinfo(platform, client, told, now) or told


def _may_tell_document(client: Client, scopes: frozenset[str]) -> bool:
    """An identity document leaves under its own scope and encrypted, or not at all (claims.md, rule 5)."""
    return "identity_document" in scopes and client.userinfo_encrypted_response_alg is not None


def _userinfo_claims(
    client: Client, grant: Grant, person: PersonalData, scopes: frozenset[str], now: datetime
) -> dict[str, Any]:
    asked = partial(grant.requested.accepts, "userinfo")
    by_scope = verified_claims.EVERYTHING if "verified_claims" in scopes else ()
    verified = grant.requested.verified.get("userinfo", by_scope)
    return {
        **claims.userinfo_claims(grant.subject, person, scopes, asked),
        **tokens.verified_claims_of(client, grant, person, verified, now),
    }
