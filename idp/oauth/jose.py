"""JWTs that leave the provider: signed with its keys, encrypted to a client's where it is registered so."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from joserfc import jwe, jwt
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from idp.domain.clients import CONTENT_ENCRYPTION_METHODS, KEY_ENCRYPTION_ALGORITHMS, Client
from idp.oauth import client_keys
from idp.services.platform import Platform

MIN_RSA_BITS: Final = 2048
_REGISTRY: Final = jwe.JWERegistry(algorithms=[*KEY_ENCRYPTION_ALGORITHMS, *CONTENT_ENCRYPTION_METHODS])
Encryption = tuple[str, str]
"""``alg`` and ``enc`` of a JWE (RFC 7516 §4.1)."""


class NoClientKey(Exception):
    """The client is registered for encrypted answers, but has no key that could open one."""


def sign(
    platform: Platform, algorithm: str, token_type: str, payload: Mapping[str, Any], now: datetime
) -> str:
    """A JWT of this ``typ``, signed by the key in charge of the algorithm."""
    key = platform.keyring.signing_key(algorithm, now)
    header = {"alg": algorithm, "kid": key.kid, "typ": token_type}
    return jwt.encode(header, dict(payload), key, algorithms=[algorithm])


def encryption_of(client: Client, kind: str) -> Encryption | None:
    """How answers of this kind (``id_token``, ``userinfo``, ``authorization``, ``introspection``) leave."""
    algorithm = getattr(client, f"{kind}_encrypted_response_alg")
    return None if algorithm is None else (algorithm, getattr(client, f"{kind}_encrypted_response_enc"))


def protect(
    platform: Platform,
    client: Client,
    payload: Mapping[str, Any],
    token_type: str,
    algorithm: str,
    encryption: Encryption | None,
    now: datetime,
) -> str:
    """A signed JWT, nested in one encrypted to the client (RFC 7519 §11.2). Raises NoClientKey."""
    signed = sign(platform, algorithm, token_type, payload, now)
    return signed if encryption is None else _encrypted(platform, client, signed, *encryption)


def _encrypted(platform: Platform, client: Client, signed: str, algorithm: str, method: str) -> str:
    key = _key_for(platform, client, algorithm)
    header = {"alg": algorithm, "enc": method, "cty": "JWT", **({"kid": key.kid} if key.kid else {})}
    return jwe.encrypt_compact(header, signed.encode("ascii"), key, registry=_REGISTRY)


def _key_for(platform: Platform, client: Client, algorithm: str) -> ECKey | OKPKey | RSAKey:
    """The first of the client's keys that is meant for encrypting and fit for the algorithm."""
    try:
        keys = client_keys.keys_of(platform, client).keys
    except client_keys.FAULTS as error:
        raise NoClientKey from error
    for key in keys:
        if isinstance(key, ECKey | OKPKey | RSAKey) and _is_fit(key, algorithm):
            return key
    raise NoClientKey


def _is_fit(key: Key, algorithm: str) -> bool:
    jwk = key.as_dict(private=False)
    if jwk.get("use", "enc") != "enc" or jwk.get("alg", algorithm) != algorithm:
        return False
    if algorithm == "RSA-OAEP-256":
        return isinstance(key, RSAKey) and key.public_key.key_size >= MIN_RSA_BITS
    return isinstance(key, ECKey) or jwk.get("crv") == "X25519"
