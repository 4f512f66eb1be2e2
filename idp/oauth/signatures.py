"""Which signatures are made and accepted: what joserfc knows, narrowed to what this provider lives by."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from joserfc import jws
from joserfc.errors import InvalidKeyCurveError
from joserfc.jwa import EdDSAAlgorithm, JWSAlgModel

from idp.domain.clients import SIGNING_ALGORITHMS

MAX_HEADER: Final = 4096
"""base64url; joserfc's own 512 are too few for an RSA key or a certificate in the header."""


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
def signatures(*algorithms: str) -> jws.JWSRegistry:
    """The ``registry`` to give joserfc for these algorithms, at least one of ``SIGNING_ALGORITHMS``."""
    return _Signatures(algorithms)
