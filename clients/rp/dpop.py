"""DPoP proofs at a resource server: the caller holds the key that its access token is bound to (RFC 9449
§4.3, §7).
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey, import_key

from clients.rp.jwt import LEEWAY_SECONDS, is_time

ALGORITHMS = ("ES256", "PS256")
MAX_AGE = timedelta(minutes=2)
MAX_HEADER_BYTES = 2048
MAX_PROOF_BYTES = 8192


@dataclass(frozen=True)
class Proof:
    """A good proof. Its ``jti`` must still be claimed, once, until ``expires_at``."""

    key_thumbprint: str
    jti: str
    expires_at: datetime


def process_proof(proof: str, method: str, url: str, access_token: str, now: datetime) -> Proof | None:
    """The proof, if it was made for this very request with this very token; otherwise None."""
    try:
        key, claims = _opened(proof)
    except (JoseError, ValueError, TypeError, KeyError, RecursionError):
        return None
    ath = urlsafe_b64encode(hashlib.sha256(access_token.encode()).digest()).rstrip(b"=").decode()
    holds = (
        claims.get("htm") == method
        and _same_address(claims.get("htu"), url)
        and _recent(claims.get("iat"), now.timestamp())
        and isinstance(claims.get("jti"), str)
        and hmac.compare_digest(str(claims.get("ath")).encode(), ath.encode())
    )
    return Proof(key.thumbprint(), claims["jti"], now + 2 * MAX_AGE) if holds else None


def _opened(proof: str) -> tuple[ECKey | RSAKey, dict[str, Any]]:
    if len(proof) > MAX_PROOF_BYTES or not proof.isascii():
        raise ValueError("too long or not ASCII")
    registry = jws.JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)
    registry.max_header_length = MAX_HEADER_BYTES
    header = jws.extract_compact(proof.encode(), registry=registry).headers()
    key = import_key(header["jwk"])
    # An extension that we don't know must be understood, and an empty list of them is not allowed.
    if header.get("typ") != "dpop+jwt" or "crit" in header:
        raise ValueError("not a proof")
    if not isinstance(key, ECKey | RSAKey) or key.is_private:
        raise ValueError("not a key for proofs")
    return key, dict(jwt.decode(proof, key, algorithms=list(ALGORITHMS), registry=registry).claims)


def _same_address(htu: Any, url: str) -> bool:
    """Without query and fragment; scheme and host in any case (RFC 9449 §4.3, RFC 3986 §6.2.2)."""
    if not isinstance(htu, str):
        return False
    try:
        return _address(htu) == _address(url)
    except ValueError:
        return False


def _address(url: str) -> tuple[str | int | None, ...]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port, parts.path


def _recent(iat: Any, now: float) -> bool:
    return is_time(iat) and now - MAX_AGE.total_seconds() <= iat <= now + LEEWAY_SECONDS
