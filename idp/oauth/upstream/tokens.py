"""What the other platform signs: the ID token, and userinfo that only we can read (Core 3.1.3.7, 5.3.2)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from authlib.oidc.core import CodeIDToken
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import Key

from idp.crypto import constant_time_equal
from idp.domain.clients import ASSERTION_ALGORITHMS, CONTENT_ENCRYPTION_METHODS
from idp.domain.upstream import CLOCK_SKEW
from idp.oauth import client_keys
from idp.oauth.signatures import UnverifiedJwt, is_time
from idp.oauth.upstream.provider import Provider, UpstreamAnswerInvalid
from idp.services.platform import Platform

LONGEST_SUBJECT: Final = 255  # OIDC Core 2
LONGEST_ACR: Final = 200
_JWE: Final = jwe.JWERegistry(algorithms=["ECDH-ES", *CONTENT_ENCRYPTION_METHODS])
_FAULTS: Final = (JoseError, ValueError, TypeError, KeyError, AttributeError)
"""What claims of the wrong shape make the libraries raise."""


def id_token_claims(
    platform: Platform, provider: Provider, id_token: str, access_token: str, nonce: str, now: datetime
) -> Mapping[str, Any]:
    """The claims of an ID token of this sign-in. Raises UpstreamAnswerInvalid.

    Signed by a published key of an allowed algorithm, from this issuer, for us and nobody else, in time, with
    our nonce; ``at_hash`` belongs to the access token where it is there.
    """
    header, claims = _verified(platform, provider, id_token)
    try:
        _id_token(provider, header, claims, access_token, nonce).validate(
            int(now.timestamp()), int(CLOCK_SKEW.total_seconds())
        )
    except _FAULTS as error:
        raise UpstreamAnswerInvalid("id_token") from error
    fault = _fault(provider, header, claims, now)
    if fault is not None:
        raise UpstreamAnswerInvalid(fault)
    return claims


def _id_token(
    provider: Provider, header: dict[str, Any], claims: dict[str, Any], access_token: str, nonce: str
) -> CodeIDToken:
    options = {
        "iss": {"essential": True, "value": provider.issuer},
        "sub": {"essential": True},
        "nonce": {"essential": True, "value": nonce},
        "auth_time": {"essential": True},
    }
    parameters = {"client_id": provider.client_id, "nonce": nonce, "access_token": access_token}
    return CodeIDToken(claims, header, options, parameters)


def _fault(
    provider: Provider, header: Mapping[str, Any], claims: Mapping[str, Any], now: datetime
) -> str | None:
    """What Authlib takes no offence at."""
    subject, acr = claims["sub"], claims.get("acr")
    latest = now.timestamp() + CLOCK_SKEW.total_seconds()
    times = [claims[name] for name in ("iat", "exp", "auth_time")]
    checks = (
        # An access token has a type of its own; this keeps one from being taken for the other.
        (_media_type(header) not in {"", "jwt"}, "id_token_typ"),
        (claims["aud"] not in (provider.client_id, [provider.client_id]), "id_token_aud"),
        (not (isinstance(subject, str) and 0 < len(subject) <= LONGEST_SUBJECT), "id_token_sub"),
        (not all(map(is_time, times)), "id_token_times"),
        (acr is not None and not (isinstance(acr, str) and len(acr) <= LONGEST_ACR), "id_token_acr"),
    )
    for wrong, fault in checks:
        if wrong:
            return fault
    return "id_token_early" if max(claims["iat"], claims["auth_time"]) > latest else None


def userinfo_claims(platform: Platform, provider: Provider, answer: str, subject: str) -> Mapping[str, Any]:
    """The claims of a signed and encrypted userinfo answer about this subject. Raises UpstreamAnswerInvalid.

    What nobody else could have read, and nobody else have written: a plain answer, or one that is only
    signed or only encrypted, is none. An identity document travels in no other way (claims.md, rule 5).
    """
    header, claims = _verified(platform, provider, _opened(platform, answer))
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    told = claims.get("sub")
    checks = (
        (_media_type(header) not in {"", "jwt"}, "userinfo_typ"),
        (claims.get("iss") != provider.issuer, "userinfo_iss"),
        (provider.client_id not in audiences, "userinfo_aud"),
        (not isinstance(told, str) or not constant_time_equal(told, subject), "userinfo_sub"),
    )
    for wrong, fault in checks:
        if wrong:
            raise UpstreamAnswerInvalid(fault)
    return claims


def _verified(platform: Platform, provider: Provider, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        return client_keys.verified_at(platform, provider.jwks_uri, token, ASSERTION_ALGORITHMS)
    except UnverifiedJwt as error:
        raise UpstreamAnswerInvalid("signature") from error


def _opened(platform: Platform, nested: str) -> str:
    """The JWT within (RFC 7519 §5.2), encrypted to one of our published keys."""

    def key_of(recipient: Any) -> Key:
        kid = recipient.headers().get("kid")
        key = platform.keyring.decryption_key(kid) if isinstance(kid, str) else None
        if key is None:
            raise ValueError("no key of ours")
        return key

    try:
        opened = jwe.decrypt_compact(nested, key_of, registry=_JWE)
        return (opened.plaintext or b"").decode("ascii")
    except _FAULTS as error:
        raise UpstreamAnswerInvalid("userinfo_encryption") from error


def _media_type(header: Mapping[str, Any]) -> str:
    return str(header.get("typ", "")).lower().removeprefix("application/")
