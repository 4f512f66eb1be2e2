"""The public keys of a client, registered or fetched from its ``jwks_uri``, and what it signed with them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import orjson
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet

from idp.domain.clients import Client
from idp.outbound import OutboundError
from idp.services.platform import Platform

JWKS_TTL: Final = timedelta(seconds=60)
REFETCH_PAUSE: Final = timedelta(seconds=10)
MAX_JWKS_BYTES: Final = 64 * 1024
MAX_JWT: Final = 32 * 1024
MAX_HEADER: Final = 4096
FAULTS: Final[tuple[type[Exception], ...]] = (JoseError, ValueError, TypeError, KeyError, RecursionError)


class KeysUnavailable(ValueError):
    """The client's ``jwks_uri`` doesn't answer with a JWK Set."""


class UnverifiedJwt(ValueError):
    """Not a JWT that this client signed with one of its keys and an allowed algorithm."""


def keys_of(platform: Platform, client: Client) -> KeySet:
    """The client's registered keys; those of a ``jwks_uri`` are at most a minute old.

    Raises KeysUnavailable.
    """
    if client.jwks is not None:
        return _imported(dict(client.jwks))
    if client.jwks_uri is None:
        raise KeysUnavailable("the client has no keys")
    stored = platform.ephemeral.get(_key(client.jwks_uri))
    return _imported(orjson.loads(stored)) if stored is not None else _fetched(platform, client.jwks_uri)


def verified(
    platform: Platform, client: Client, token: str, algorithms: tuple[str, ...]
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Header and claims of a JWT that the client signed; keys that the header brings along count for nothing.

    Raises UnverifiedJwt.
    """
    if len(token) > MAX_JWT:
        raise UnverifiedJwt("the JWT is too large")
    try:
        registry = jws.JWSRegistry(algorithms=list(algorithms), strict_check_header=False)
        registry.max_header_length, registry.max_payload_length = MAX_HEADER, MAX_JWT
        header = jws.extract_compact(token.encode("ascii"), registry=registry).headers()
        keys = _fitting(platform, client, header.get("kid"))
        decoded = jwt.decode(token, keys, algorithms=list(algorithms), registry=registry)
    except FAULTS as error:
        raise UnverifiedJwt("the JWT can't be verified with the client's keys") from error
    return decoded.header, decoded.claims


def _fitting(platform: Platform, client: Client, kid: object) -> KeySet:
    """The client's keys, fetched again when they have no such ``kid`` (OIDC Core 10.1.1), not too often."""
    keys = keys_of(platform, client)
    if client.jwks_uri is None or not isinstance(kid, str) or any(key.kid == kid for key in keys):
        return keys
    if not platform.ephemeral.claim(f"jwks_refetch:{client.jwks_uri}", REFETCH_PAUSE):
        return keys
    return _fetched(platform, client.jwks_uri)


def _imported(document: Any) -> KeySet:
    """A JWK Set; a key that our library can't read doesn't keep the others from being used (RFC 7517 §5)."""
    keys: list[Key] = []
    for jwk in document["keys"]:
        try:
            keys += KeySet.import_key_set({"keys": [jwk]}).keys
        except FAULTS:
            continue
    if not keys:
        raise KeysUnavailable("the JWK Set has no key that can be used")
    return KeySet(keys)


def _fetched(platform: Platform, uri: str) -> KeySet:
    try:
        answer = platform.outbound.get(uri, max_bytes=MAX_JWKS_BYTES)
    except OutboundError as error:
        raise KeysUnavailable("the client's jwks_uri can't be fetched") from error
    if answer.status != 200:
        raise KeysUnavailable("the client's jwks_uri can't be fetched")
    keys = _imported(orjson.loads(answer.body))
    platform.ephemeral.put(_key(uri), answer.body, JWKS_TTL)
    return keys


def _key(uri: str) -> str:
    return f"jwks:{uri}"
