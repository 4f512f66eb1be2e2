"""The part that all signed tokens share: an allowed algorithm,
a known key of the provider, a good signature.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeGuard

from joserfc import jws, jwt
from joserfc.errors import JoseError

from clients.rp.discovery import Provider

ALGORITHMS = ("ES256", "RS256", "PS256")
LEEWAY_SECONDS = 5
MAX_TOKEN_BYTES = 16 * 1024


class InvalidJwt(Exception):
    """The token can't be trusted; ``reason`` is one of malformed, algorithm, key, signature."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class VerifiedJwt:
    """Header and claims of a token whose signature is the provider's. Its claims aren't checked yet."""

    header: dict[str, Any]
    claims: dict[str, Any]

    @property
    def typ(self) -> str:
        """The media type, lower case, without the ``application/`` prefix
        that RFC 7515 §4.1.9 lets one leave out.
        """
        return str(self.header.get("typ", "")).lower().removeprefix("application/")


def verify(provider: Provider, token: str, algorithms: tuple[str, ...] = ALGORITHMS) -> VerifiedJwt:
    """Check the signature; raises InvalidJwt, or ProviderUnavailable when there are no keys to check with."""
    header = _header(token)
    alg, kid = header.get("alg"), header.get("kid")
    if alg not in algorithms:
        raise InvalidJwt("algorithm")
    # We understand no extension; an empty list is no way around that (RFC 7515 §4.1.11).
    if "crit" in header:
        raise InvalidJwt("signature")
    key = provider.find_key(kid) if isinstance(kid, str) else None
    if key is None:
        raise InvalidJwt("key")
    try:
        decoded = jwt.decode(token, key, algorithms=[str(alg)], registry=_registry())
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise InvalidJwt("signature") from error
    return VerifiedJwt(dict(decoded.header), dict(decoded.claims))


def is_time(value: Any) -> TypeGuard[int | float]:
    """Whether it is a NumericDate (RFC 7519 §2); ``True`` is not a number here."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def audiences(claims: dict[str, Any]) -> tuple[str, ...]:
    """``aud`` as a tuple, whether it was a string or an array (RFC 7519 §4.1.3)."""
    aud = claims.get("aud")
    if isinstance(aud, str):
        return (aud,)
    return tuple(entry for entry in aud if isinstance(entry, str)) if isinstance(aud, list) else ()


def _header(token: str) -> dict[str, Any]:
    if len(token) > MAX_TOKEN_BYTES or token.count(".") != 2 or not token.isascii():
        raise InvalidJwt("malformed")
    try:
        return dict(jws.extract_compact(token.encode("ascii"), registry=_registry()).headers())
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise InvalidJwt("malformed") from error


def _registry() -> jws.JWSRegistry:
    # Header members that we don't know are none of our business, unless `crit` makes them so.
    return jws.JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)
