"""Checks of an access token that need nothing but the provider's public keys (RFC 9068 §4)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from clients.rp import jwt
from clients.rp.discovery import Provider
from clients.rp.errors import Refusal, refuse

_SIGNATURE_REFUSALS = {
    "malformed": refuse("token_malformed"),
    "algorithm": refuse("token_algorithm"),
    "key": refuse("token_key"),
    "signature": refuse("token_signature"),
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
        return refuse("token_type")
    return (
        _misaddressed(verified.claims, provider.issuer, audience)
        or _outside_its_time(verified.claims, now.timestamp())
        or _misbound(verified.claims, key_thumbprint)
        or verified.claims
    )


def _misaddressed(claims: dict[str, Any], issuer: str, audience: str) -> Refusal | None:
    if claims.get("iss") != issuer:
        return refuse("token_issuer")
    if audience not in jwt.audiences(claims):
        return refuse("token_audience")
    if not all(isinstance(claims.get(name), str) and claims[name] for name in ("sub", "client_id")):
        return refuse("token_claims")
    return None


def _outside_its_time(claims: dict[str, Any], now: float) -> Refusal | None:
    if not jwt.is_time(claims.get("exp")) or claims["exp"] <= now - jwt.LEEWAY_SECONDS:
        return refuse("token_expired")
    for name in ("nbf", "iat"):
        if name in claims and not (jwt.is_time(claims[name]) and claims[name] <= now + jwt.LEEWAY_SECONDS):
            return refuse("token_not_yet_valid")
    return None


def _misbound(claims: dict[str, Any], key_thumbprint: str | None) -> Refusal | None:
    confirmation = claims.get("cnf")
    bound_to = confirmation.get("jkt") if isinstance(confirmation, dict) else None
    if (confirmation is None and key_thumbprint is None) or (
        bound_to is not None and bound_to == key_thumbprint
    ):
        return None
    return refuse("token_binding")
