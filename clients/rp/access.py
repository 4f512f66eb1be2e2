"""Checks of an access token that need nothing but the provider's public keys (RFC 9068 §4)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from clients.rp import jwt
from clients.rp.discovery import Provider
from clients.rp.errors import Refusal, invalid_token

_SIGNATURE_REFUSALS = {
    "malformed": invalid_token("token_malformed", "The access token is not a signed JWT"),
    "algorithm": invalid_token(
        "token_algorithm", "The access token is signed with an algorithm that is not accepted"
    ),
    "key": invalid_token("token_key", "The access token is signed with an unknown key"),
    "signature": invalid_token("token_signature", "The signature of the access token is wrong"),
}


def claims_from(
    provider: Provider, token: str, audience: str, now: datetime, key_thumbprint: str | None = None
) -> Mapping[str, Any] | Refusal:
    """The claims of a token that this provider made for this audience and that is in force by the clock.

    ``key_thumbprint`` is the RFC 7638 thumbprint of the key whose possession the caller has
    proved (RFC 9449), if any.
    Raises ProviderUnavailable when the keys can't be had.
    """
    try:
        verified = jwt.verify(provider, token)
    except jwt.InvalidJwt as error:
        return _SIGNATURE_REFUSALS[error.reason]
    if verified.typ != "at+jwt":
        return invalid_token("token_type", "The token is not an access token (typ at+jwt)")
    return (
        _misaddressed(verified.claims, provider.issuer, audience)
        or _outside_its_time(verified.claims, now.timestamp())
        or _misbound(verified.claims, key_thumbprint)
        or verified.claims
    )


def _misaddressed(claims: dict[str, Any], issuer: str, audience: str) -> Refusal | None:
    if claims.get("iss") != issuer:
        return invalid_token("token_issuer", "The access token is from another issuer")
    if audience not in jwt.audiences(claims):
        return invalid_token("token_audience", "The access token is not meant for this resource")
    if not all(isinstance(claims.get(name), str) and claims[name] for name in ("sub", "client_id")):
        return invalid_token("token_claims", "The access token lacks sub or client_id")
    return None


def _outside_its_time(claims: dict[str, Any], now: float) -> Refusal | None:
    if not jwt.is_time(claims.get("exp")) or claims["exp"] <= now - jwt.LEEWAY_SECONDS:
        return invalid_token("token_expired", "The access token has expired")
    for name in ("nbf", "iat"):
        if name in claims and not (jwt.is_time(claims[name]) and claims[name] <= now + jwt.LEEWAY_SECONDS):
            return invalid_token("token_not_yet_valid", "The access token is not valid yet")
    return None


def _misbound(claims: dict[str, Any], key_thumbprint: str | None) -> Refusal | None:
    confirmation = claims.get("cnf")
    bound_to = confirmation.get("jkt") if isinstance(confirmation, dict) else None
    if (confirmation is None and key_thumbprint is None) or (
        bound_to is not None and bound_to == key_thumbprint
    ):
        return None
    return invalid_token(
        "token_binding", "The access token is bound to a key whose possession was not proved"
    )
