"""The keys of clients, registered or fetched, and what is verified with them (RFC 7515, RFC 7517)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any, Final

import orjson
from joserfc.errors import JoseError
from joserfc.jwa import JWSAlgModel
from joserfc.jwk import Key, KeySet

from idp.domain.clients import Client
from idp.oauth import signatures
from idp.oauth.public_keys import find_key
from idp.oauth.signatures import UnverifiedJwt
from idp.outbound import OutboundError
from idp.services.platform import Platform

JWKS_TTL: Final = timedelta(seconds=60)
JWKS_PAUSE: Final = timedelta(seconds=5)
"""The least time between two fetches of one address, however many unknown keys are named meanwhile."""
MAX_JWKS_BYTES: Final = 64 * 1024


class NoClientKeys(ValueError):
    """The client's keys can't be had: its ``jwks_uri`` fails, or holds none that can be used."""


def keys_of(platform: Platform, client: Client) -> KeySet:
    """The client's public keys; those of a ``jwks_uri`` are at most a minute old. Raises NoClientKeys.

    What is no key, secret, or too short is left out, so that one odd key spoils none of the others
    (RFC 7517 §5).
    """
    if client.jwks is not None:
        return _imported(client.jwks)
    return _fetched(platform, client.jwks_uri or "")


def verified(
    platform: Platform, client: Client, token: str, algorithms: Collection[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a JWT that a key of this client signed by one of ``algorithms``.

    The key is the client's own, named by ``kid`` or the only one that fits; keys and addresses of keys in
    the header are never looked at. A ``kid`` that nobody knows makes a ``jwks_uri`` be read again. Raises
    UnverifiedJwt; whom the claims speak of, and when, is for the caller to check.
    """
    return signatures.verified(token, algorithms, partial(_key_of, platform, client))


def verified_at(
    platform: Platform, jwks_uri: str, token: str, algorithms: Collection[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The same for whoever publishes keys at this address: another provider."""
    return signatures.verified(token, algorithms, partial(_key_at, platform, jwks_uri))


def _key_of(platform: Platform, client: Client, header: Mapping[str, Any]) -> Key:
    if client.jwks is None:
        return _key_at(platform, client.jwks_uri or "", header)
    return _only(_fitting(keys_of(platform, client), header))


def _key_at(platform: Platform, uri: str, header: Mapping[str, Any]) -> Key:
    keys = _fitting(_fetched(platform, uri), header)
    if not keys and platform.ephemeral.claim(_pause(uri), JWKS_PAUSE):
        keys = _fitting(_fetched(platform, uri, again=True), header)
    return _only(keys)


def _only(keys: list[Key]) -> Key:
    if len(keys) != 1:
        raise UnverifiedJwt("The client has no such key, or several that might be meant")
    return keys[0]


def _fitting(keys: Iterable[Key], header: Mapping[str, Any]) -> list[Key]:
    """The keys that may have made this signature; several with the same ``kid`` differ in type or use."""
    algorithm = signatures.registry(header["alg"]).get_alg(header["alg"])
    return [key for key in keys if header.get("kid", key.kid) == key.kid and _can_verify(algorithm, key)]


def _can_verify(algorithm: JWSAlgModel, key: Key) -> bool:
    try:
        algorithm.check_key(key)
        key.check_key_op("verify")
    except JoseError:
        return False
    return True


def _pause(uri: str) -> str:
    return f"jwks-pause:{uri}"


def _fetched(platform: Platform, uri: str, *, again: bool = False) -> KeySet:
    """A fetch that failed is remembered too, for the pause: an address that is slow can't hold up more."""
    stored = None if again else platform.ephemeral.get(f"jwks:{uri}")
    if stored is None:
        stored = _asked(platform, uri)
        platform.ephemeral.put(f"jwks:{uri}", stored, JWKS_TTL if stored else JWKS_PAUSE)
        platform.ephemeral.claim(_pause(uri), JWKS_PAUSE)
    try:
        return _imported(orjson.loads(stored))
    except orjson.JSONDecodeError as error:
        raise NoClientKeys("The client's jwks_uri can't be fetched") from error


def _asked(platform: Platform, uri: str) -> bytes:
    """What the address answers; nothing when it fails."""
    try:
        answer = platform.outbound.get(uri, max_bytes=MAX_JWKS_BYTES)
    except OutboundError:
        return b""
    return answer.body if answer.status == 200 else b""


def _imported(jwks: Any) -> KeySet:
    members = jwks.get("keys") if isinstance(jwks, Mapping) else None
    found = map(find_key, members) if isinstance(members, list) else ()
    keys: list[Key] = [key for key in found if key is not None]
    if not keys:
        raise NoClientKeys("The client has no key that can be used")
    return KeySet(keys)
