"""Public keys that come from outside: whichever way, imported by the same rules, and once."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import orjson
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from idp.domain.client_metadata import SECRET_MEMBERS

PublicKey = ECKey | OKPKey | RSAKey
LEAST_RSA_BITS: Final = 2048
MAX_KEPT_KEYS: Final = 1000
LARGEST_KEPT_KEY: Final = 4096
_KINDS: Final[Mapping[str, type[PublicKey]]] = {"EC": ECKey, "OKP": OKPKey, "RSA": RSAKey}


def find_key(jwk: object) -> PublicKey | None:
    """The public key that a JWK (RFC 7517) describes; None for a secret, short or unreadable one, and for
    anything else.
    """
    if not isinstance(jwk, dict) or SECRET_MEMBERS & jwk.keys() or _is_short(jwk):
        return None
    try:
        members = orjson.dumps(jwk, option=orjson.OPT_SORT_KEYS)
        return _kept(members) if len(members) <= LARGEST_KEPT_KEY else _imported(members)
    except (JoseError, ValueError, TypeError, KeyError):
        return None


def _imported(members: bytes) -> PublicKey:
    jwk = orjson.loads(members)
    return _KINDS[jwk["kty"]].import_key(jwk)


_kept: Final = lru_cache(maxsize=MAX_KEPT_KEYS)(_imported)
"""A client uses the same key again and again: it is imported once, and verifies each signature anew."""


def _is_short(jwk: Mapping[str, Any]) -> bool:
    """Whether an RSA modulus is shorter than FAPI 2.0 (5.4.1) and RFC 7518 §3.3 allow."""
    try:
        modulus = urlsafe_b64decode(f"{jwk.get('n', '')}==")
    except ValueError:
        return True
    return jwk.get("kty") == "RSA" and int.from_bytes(modulus).bit_length() < LEAST_RSA_BITS
