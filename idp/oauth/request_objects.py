"""Request objects: an authorization request as a JWT that the client signed, by value or by reference
(RFC 9101, OIDC Core 6, FAPI 2.0 Message Signing 5.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import orjson

from idp.domain.clients import Client
from idp.oauth import client_keys
from idp.oauth.answers import Fault
from idp.oauth.requests import RepeatedParameters
from idp.oauth.signatures import UnverifiedJwt, is_time
from idp.outbound import OutboundError
from idp.services.platform import Platform

MAX_OBJECT: Final = 32 * 1024
EARLY: Final = timedelta(seconds=10)
LONGEST: Final = timedelta(minutes=60)
TYPES: Final = frozenset({"oauth-authz-req+jwt", "jwt", ""})
AUTHENTICATION: Final = frozenset({"client_id", "client_assertion", "client_assertion_type", "client_secret"})
_CARRIERS: Final = frozenset({"request", "request_uri"})
_TIMES: Final = ("exp", "nbf", "iat")
_OF_THE_JWT: Final = frozenset({"iss", "aud", "jti", *_TIMES})


def unpacked(
    platform: Platform, client: Client, parameters: RepeatedParameters, now: datetime
) -> RepeatedParameters | Fault:
    """The parameters of the request object, if there is one, over those outside (OIDC Core 6.1).

    Of a client that must sign its requests nothing outside counts (RFC 9101 §6.3).
    """
    if "request" in parameters and "request_uri" in parameters:
        return Fault("invalid_request", "request and request_uri exclude each other")
    encoded = _object_of(platform, client, parameters)
    if isinstance(encoded, Fault):
        return encoded
    if encoded is None:
        return _refuse_unsigned(client) or parameters
    claims = _verified(platform, client, encoded, now)
    inside = claims if isinstance(claims, Fault) else _parameters(claims)
    if isinstance(inside, Fault):
        return inside
    if client.require_signed_request_object:
        return _alone(client, parameters, inside)
    return _over(parameters, inside)


def _refuse_unsigned(client: Client) -> Fault | None:
    if not client.require_signed_request_object:
        return None
    return Fault("invalid_request_object", "The client must sign its requests")


def _object_of(platform: Platform, client: Client, parameters: Mapping[str, str]) -> str | Fault | None:
    """The JWT, as it was sent or from where it lies (RFC 9101 §5.2)."""
    uri = parameters.get("request_uri")
    if uri is None:
        return parameters.get("request")
    if uri not in client.request_uris:
        return Fault("request_uri_not_supported", "request_uri is not one that the client has registered")
    try:
        fetched = platform.outbound.get(
            uri.partition("#")[0],
            max_bytes=MAX_OBJECT,
            headers={"Accept": "application/oauth-authz-req+jwt, application/jwt"},
        )
    except OutboundError:
        return Fault("invalid_request_uri", "The request object can't be fetched")
    if fetched.status != 200:
        return Fault("invalid_request_uri", "The request object can't be fetched")
    return fetched.body.decode("ascii", "replace").strip()


def _verified(platform: Platform, client: Client, encoded: str, now: datetime) -> dict[str, Any] | Fault:
    """The claims of an object that this client signed for this provider, for now."""
    algorithms = client.accepted_algorithms(client.request_object_signing_alg)
    try:
        header, claims = client_keys.verified(platform, client, encoded, algorithms)
    except UnverifiedJwt:
        return Fault("invalid_request_object", "The request object can't be verified with the client's keys")
    if str(header.get("typ", "")).lower().removeprefix("application/") not in TYPES:
        return Fault("invalid_request_object", "The request object has another type")
    fault = _fault(platform.settings.issuer, client, claims, now)
    return Fault("invalid_request_object", f"The request object's {fault}") if fault else dict(claims)


def _fault(issuer: str, client: Client, claims: Mapping[str, Any], now: datetime) -> str | None:
    """The first thing wrong with verified claims. Who must sign must also say for whom and for how long."""
    strict = client.require_signed_request_object
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    checks = (
        (
            claims.get("iss", None if strict else client.client_id) != client.client_id,
            "iss is not the client",
        ),
        (claims.get("client_id", client.client_id) != client.client_id, "client_id is not the client"),
        ((strict or "aud" in claims) and issuer not in audiences, "aud is not this provider"),
        (bool(claims.keys() & _CARRIERS), "members can't be request objects themselves"),
        # It could else be shown as a client assertion (RFC 9101 §10.8).
        (claims.get("sub") == client.client_id, "sub is the client"),
        (any(name in claims and not is_time(claims[name]) for name in _TIMES), "times are no numbers"),
        (strict and not claims.keys() >= {"exp", "nbf"}, "exp or nbf is missing"),
    )
    return next((fault for wrong, fault in checks if wrong), None) or _untimely(claims, now, strict=strict)


def _untimely(claims: Mapping[str, Any], now: datetime, *, strict: bool) -> str | None:
    """MS 5.3.1: at most 60 minutes between ``nbf`` and now, and between now and ``exp``."""
    moment, longest = now.timestamp(), LONGEST.total_seconds()
    expires, begins = claims.get("exp", moment + 1), claims.get("nbf", moment)
    if expires <= moment:
        return "time is over"
    if max(begins, claims.get("iat", moment)) > moment + EARLY.total_seconds():
        return "time has not come"
    too_long = expires > moment + longest or begins < moment - longest
    return "exp or nbf is more than 60 minutes away" if strict and too_long else None


def _parameters(claims: Mapping[str, Any]) -> RepeatedParameters | Fault:
    """Claims as the parameters they stand for: texts, and what JSON can say better than a text."""
    inside, resources = RepeatedParameters(), _texts(claims.get("resource", []))
    for name in claims.keys() - _OF_THE_JWT - {"resource"}:
        text = _text(claims[name])
        if text is None or "\0" in text or "\0" in name:
            return Fault("invalid_request_object", "A member of the request object has the wrong type")
        if text:
            inside[name] = text
    if resources is None:
        return Fault("invalid_request_object", "resource in the request object has the wrong type")
    inside.resources = resources
    return inside


def _text(value: object) -> str | None:
    """``max_age`` may be a number, ``claims`` and ``authorization_details`` are JSON; null is left out."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | dict | list):
        return None
    return orjson.dumps(value).decode()


def _texts(value: object) -> tuple[str, ...] | None:
    values = value if isinstance(value, list) else [value]
    texts = tuple(item for item in values if isinstance(item, str) and item)
    return texts if len(texts) == len(values) else None


def _over(outside: RepeatedParameters, inside: RepeatedParameters) -> RepeatedParameters:
    """What is signed, over what is not."""
    both = RepeatedParameters({name: outside[name] for name in outside.keys() - _CARRIERS} | inside)
    both.repeated = outside.repeated
    both.resources = inside.resources or outside.resources
    return both


def _alone(
    client: Client, outside: RepeatedParameters, inside: RepeatedParameters
) -> RepeatedParameters | Fault:
    """What is signed and nothing else; under the profile nothing else may even be there."""
    beside = outside.keys() - _CARRIERS - AUTHENTICATION
    if client.high_security and (beside or outside.repeated or outside.resources):
        return Fault("invalid_request_object", "There are parameters outside the request object")
    return RepeatedParameters.of({**inside, "client_id": client.client_id}, inside.resources)
