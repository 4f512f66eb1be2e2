"""What this provider signs for its clients, and encrypts to them (RFC 7515, RFC 7516, RFC 7519 §5.2)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import orjson
from authlib.oauth2.rfc6749.errors import OAuth2Error
from joserfc import jwe, jws
from joserfc.errors import JoseError
from joserfc.jwk import Key

from idp.domain.clients import Client
from idp.oauth import signatures
from idp.oauth.client_keys import NoClientKeys, keys_of
from idp.services.platform import Platform

Encryption = tuple[str, str]
"""``alg`` and ``enc`` as a client registers them for one kind of answer."""

ECDH_CURVES: Final = frozenset({"P-256", "P-384", "P-521", "X25519"})
OPERATIONS: Final = {"ECDH-ES": "deriveKey", "RSA-OAEP-256": "encrypt"}


class NoEncryptionKey(OAuth2Error):
    """The client wants its answers encrypted, and has no key that can be done with."""

    error = "invalid_request"
    description = "The client's keys hold none that an answer can be encrypted to"


def sign(
    platform: Platform, algorithm: str, token_type: str, payload: Mapping[str, Any], now: datetime
) -> str:
    """A JWT with this ``typ``, by the key in charge of the algorithm."""
    key = platform.keyring.signing_key(algorithm, now)
    header = {"alg": algorithm, "kid": key.kid, "typ": token_type}
    return jws.serialize_compact(header, orjson.dumps(payload), key, registry=signatures.registry(algorithm))


def encrypt(platform: Platform, client: Client, text: str, alg: str, enc: str) -> str:
    """A signed JWT as a nested one that only the client can read. Raises NoEncryptionKey."""
    key = _encryption_key(platform, client, alg)
    header = {"alg": alg, "enc": enc, "cty": "JWT", **_named(key)}
    try:
        return jwe.encrypt_compact(header, text, key, registry=jwe.JWERegistry(algorithms=[alg, enc]))
    except (JoseError, ValueError) as error:
        raise NoEncryptionKey from error


def protect(
    platform: Platform,
    client: Client,
    payload: Mapping[str, Any],
    token_type: str,
    signing_algorithm: str,
    encryption: Encryption | None,
    now: datetime,
) -> str:
    """What one client is told: signed, then encrypted if that is registered. Raises NoEncryptionKey."""
    signed = sign(platform, signing_algorithm, token_type, payload, now)
    return signed if encryption is None else encrypt(platform, client, signed, *encryption)


def require_key(platform: Platform, client: Client, encryption: Encryption | None) -> None:
    """Raises NoEncryptionKey when what is to be encrypted so could not be."""
    if encryption is not None:
        _encryption_key(platform, client, encryption[0])


def encryption_of(alg: str | None, enc: str | None) -> Encryption | None:
    """What a client has registered for one kind of answer; None when it is not to be encrypted."""
    return None if alg is None or enc is None else (alg, enc)


def _encryption_key(platform: Platform, client: Client, alg: str) -> Key:
    """The first of the client's keys that is fit, one that is meant for nothing else before others.

    Clients put the newest in front (OIDC Core 10.2.1).
    """
    try:
        keys = keys_of(platform, client)
    except NoClientKeys as error:
        raise NoEncryptionKey from error
    fit = sorted((key for key in keys if _fits(key, alg)), key=lambda key: key.get("use") != "enc")
    if not fit:
        raise NoEncryptionKey
    return fit[0]


def _fits(key: Key, alg: str) -> bool:
    try:
        key.check_use("enc")
        key.check_alg(alg)
        key.check_key_op(OPERATIONS[alg])
    except JoseError:
        return False
    return key.get("crv") in ECDH_CURVES if alg == "ECDH-ES" else key.key_type == "RSA"


def _named(key: Key) -> dict[str, Any]:
    """The key's name, if the client gave it one: joserfc's own the client would not know."""
    given = key.original_value
    return {"kid": given["kid"]} if isinstance(given, dict) and "kid" in given else {}
