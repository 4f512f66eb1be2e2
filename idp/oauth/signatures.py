"""Which signatures are made and accepted: what joserfc knows, narrowed to what this provider lives by."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import cache
from typing import Any, Final, TypeGuard

import orjson
from joserfc import jws
from joserfc.errors import BadSignatureError, InvalidKeyCurveError, JoseError
from joserfc.jwa import EdDSAAlgorithm, JWSAlgModel
from joserfc.jwk import Key

from idp.domain.clients import SIGNING_ALGORITHMS

MAX_HEADER: Final = 4096
"""base64url; joserfc's own 512 are too few for an RSA key or a certificate in the header."""


MAX_JWT: Final = 64 * 1024


class UnverifiedJwt(ValueError):
    """It is no JWT that the key in question has signed, by an algorithm that was asked for."""


class _EdDSA(EdDSAAlgorithm):
    """Edwards curves by the name that FAPI 2.0 (5.4.1) and every client know, with Ed25519 alone.

    joserfc warns of that name at every use, because RFC 9864 gives each curve one of its own. The doubt that
    it removes, which curve is meant, is none here.
    """

    security_warning = ""

    def check_key(self, key: Any) -> None:
        """Refuses Ed448, and the curves that can't sign."""
        super().check_key(key)
        if key.curve_name != "Ed25519":
            raise InvalidKeyCurveError("EdDSA is meant with Ed25519 here")


_ALGORITHMS: Final[dict[str, JWSAlgModel]] = {
    **{name: jws.JWSRegistry.algorithms[name] for name in SIGNING_ALGORITHMS},
    "EdDSA": _EdDSA(),
}


class _Signatures(jws.JWSRegistry):
    """Header parameters that nobody knows are ignored (RFC 7515 §4); critical ones never are."""

    max_header_length = MAX_HEADER

    def __init__(self, algorithms: tuple[str, ...]) -> None:
        super().__init__(algorithms=algorithms, strict_check_header=False)
        self.algorithms = _ALGORITHMS


@cache
def registry(*algorithms: str) -> jws.JWSRegistry:
    """The ``registry`` to give joserfc for these algorithms, at least one of ``SIGNING_ALGORITHMS``."""
    return _Signatures(algorithms)


def verified(
    token: str, algorithms: Collection[str], key_of: Callable[[Mapping[str, Any]], Key]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a JWT (RFC 7519 §7.2) that somebody outside has signed by one of ``algorithms``.

    ``key_of`` finds the key for a header that is well-formed and names no critical extension, since none is
    known here. Raises UnverifiedJwt; whom the claims speak of, and when, is for the caller to check.
    """
    if len(token) > MAX_JWT:
        raise UnverifiedJwt("The JWT is too large")
    known = registry(*algorithms)
    try:
        signed = jws.extract_compact(token.encode(), registry=known)
        header = dict(signed.headers())
        known.check_header(header)
        if "crit" in header or header["alg"] not in algorithms:
            raise UnverifiedJwt("The header asks for what is not allowed")
        if not jws.validate_compact(signed, key_of(header), registry=known):
            raise BadSignatureError
        claims = orjson.loads(signed.payload)
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise UnverifiedJwt("The signature can't be verified") from error
    if not isinstance(claims, dict):
        raise UnverifiedJwt("The claims are no object")
    return header, claims


def is_time(value: object) -> TypeGuard[int | float]:
    """Whether a claim is a NumericDate (RFC 7519 §2) of a time that this calendar has."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e11
