"""DPoP (RFC 9449): who sends a request holds the key that its tokens are, or will be, bound to."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from authlib.oauth2.rfc6749.errors import OAuth2Error
from werkzeug.datastructures import Headers

from idp import crypto
from idp.oauth import public_keys, signatures
from idp.oauth.public_keys import PublicKey
from idp.oauth.signatures import UnverifiedJwt
from idp.services.platform import Platform

ALGORITHMS: Final = ("ES256", "PS256", "EdDSA")
MAX_PROOF: Final = 8192
MAX_JTI: Final = 256
PAST: Final = timedelta(minutes=2)
AHEAD: Final = timedelta(seconds=30)
NONCE_TTL: Final = timedelta(minutes=2)


class InvalidDpopProof(OAuth2Error):
    """A proof that is none (RFC 9449 §5)."""

    error = "invalid_dpop_proof"
    status_code = 400


class UseDpopNonce(OAuth2Error):
    """A proof without a nonce that this provider gave lately (RFC 9449 §8); the answer carries one."""

    error = "use_dpop_nonce"
    status_code = 400


def find_key(
    platform: Platform,
    headers: Headers | Mapping[str, str],
    method: str,
    path: str,
    now: datetime,
    access_token: str | None = None,
) -> str | None:
    """The JWK SHA-256 thumbprint (RFC 7638) of the key that the request's proof was made with; None without.

    ``path`` is that of the endpoint; ``access_token`` the token that the proof must name (§4.3, §7).
    Raises InvalidDpopProof or UseDpopNonce.
    """
    proof = headers.get("DPoP")
    if proof is None:
        return None
    header, claims, thumbprint = _opened(proof)
    fault = _fault(claims, method, [origin + path for origin in platform.settings.origins], access_token, now)
    if header.get("typ") != "dpop+jwt":
        fault = "typ is not dpop+jwt"
    if fault is not None:
        raise InvalidDpopProof(f"The DPoP proof's {fault}")
    if platform.settings.dpop_nonce and not _is_nonce(platform, claims.get("nonce"), now):
        raise UseDpopNonce("The DPoP proof needs the nonce of the header DPoP-Nonce")
    if not platform.ephemeral.claim(f"dpop:{path}:{thumbprint}:{claims['jti']}", PAST + AHEAD):
        raise InvalidDpopProof("The DPoP proof's jti has been used")
    return thumbprint


def _opened(proof: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    """Header and claims, signed by the public key in the header, and the thumbprint of that key."""
    if len(proof) > MAX_PROOF:
        raise InvalidDpopProof("The DPoP proof is too large")
    try:
        header, claims = signatures.verified(proof, ALGORITHMS, _key_of)
    except UnverifiedJwt as error:
        raise InvalidDpopProof("The DPoP proof can't be verified with the key in its header") from error
    return header, claims, _key_of(header).thumbprint()


def _key_of(header: Mapping[str, Any]) -> PublicKey:
    key = public_keys.find_key(header.get("jwk"))
    if key is None:
        raise UnverifiedJwt("The header has no public key that is strong enough")
    return key


def _fault(
    claims: Mapping[str, Any], method: str, urls: list[str], access_token: str | None, now: datetime
) -> str | None:
    """What is wrong with verified claims (RFC 9449 §4.3), or None."""
    jti, issued = claims.get("jti"), claims.get("iat")
    checks = (
        (not (isinstance(jti, str) and 0 < len(jti) <= MAX_JTI), "jti is missing or too long"),
        (claims.get("htm") != method, "htm is another method"),
        (not any(_same_address(claims.get("htu"), url) for url in urls), "htu is another address"),
        (not _is_recent(issued, now.timestamp()), "iat is missing or not of this moment"),
        (access_token is not None and not _names(claims.get("ath"), access_token), "ath is another token"),
    )
    return next((fault for wrong, fault in checks if wrong), None)


def _same_address(htu: object, url: str) -> bool:
    """Equal but for query, fragment, letter case and default port (RFC 9449 §4.3, RFC 3986 §6.2)."""
    if htu == url:
        return True
    if not isinstance(htu, str):
        return False
    try:
        return _normalized(htu) == _normalized(url)
    except ValueError:
        return False


def _normalized(url: str) -> tuple[str, str | None, int | None, str]:
    parts = urlsplit(url)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, parts.hostname, port, parts.path


def _is_recent(issued: object, moment: float) -> bool:
    return signatures.is_time(issued) and (
        moment - PAST.total_seconds() <= issued <= moment + AHEAD.total_seconds()
    )


def _names(ath: object, access_token: str) -> bool:
    expected = urlsafe_b64encode(hashlib.sha256(access_token.encode()).digest()).rstrip(b"=").decode()
    return isinstance(ath, str) and crypto.constant_time_equal(ath, expected)


# --- nonces
# ---------------------------------------------------------------------------------------------------------


def nonce(platform: Platform, now: datetime) -> str:
    """The nonce of this moment (RFC 9449 §8): made of the clock and a MAC, so nothing is stored."""
    return _nonce_of(platform, int(now.timestamp() // NONCE_TTL.total_seconds()))


def _nonce_of(platform: Platform, period: int) -> str:
    return crypto.mac(platform.keyring.mac_key, "dpop_nonce", str(period).encode()).hex()[:32]


def _is_nonce(platform: Platform, presented: object, now: datetime) -> bool:
    """Of this period or the one before."""
    if not isinstance(presented, str):
        return False
    period = int(now.timestamp() // NONCE_TTL.total_seconds())
    return any(
        crypto.constant_time_equal(presented, _nonce_of(platform, number)) for number in (period, period - 1)
    )
