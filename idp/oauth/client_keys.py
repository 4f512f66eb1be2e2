"""The keys of clients, registered or fetched, and what is verified with them (RFC 7515, RFC 7517)."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from functools import lru_cache
from typing import Any, Final

import orjson
from joserfc import jws
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwa import JWSAlgModel
from joserfc.jwk import ECKey, Key, KeySet, OKPKey, RSAKey
from joserfc.jws import CompactSignature

from idp.domain.clients import Client
from idp.oauth.signatures import signatures
from idp.outbound import OutboundError
from idp.services.platform import Platform

JWKS_TTL: Final = timedelta(seconds=60)
JWKS_PAUSE: Final = timedelta(seconds=5)
"""The least time between two fetches of one address, however many unknown keys are named meanwhile."""
MAX_JWKS_BYTES: Final = 64 * 1024
MAX_JWT: Final = 64 * 1024
LEAST_RSA_BITS: Final = 2048
MAX_KEPT_KEYS: Final = 500
LARGEST_KEPT_KEY: Final = 4096
PUBLIC_KEYS: Final[Mapping[str, type[ECKey | OKPKey | RSAKey]]] = {"EC": ECKey, "OKP": OKPKey, "RSA": RSAKey}
SECRET_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class UnverifiedJwt(ValueError):
    """It is no JWT that the client has signed, by an algorithm that was asked for."""


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
    try:
        signed = _extracted(token, algorithms)
        header = dict(signed.headers())
        key = _key_of(platform, client, header)
        if not jws.validate_compact(signed, key, registry=signatures(*algorithms)):
            raise BadSignatureError
        claims = orjson.loads(signed.payload)
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise UnverifiedJwt("The signature can't be verified with the client's keys") from error
    if not isinstance(claims, dict):
        raise UnverifiedJwt("The claims are no object")
    return header, claims


def _extracted(token: str, algorithms: Collection[str]) -> CompactSignature:
    """A JWS with a well-formed header, not yet verified. No extension is known that could be critical."""
    if len(token) > MAX_JWT:
        raise UnverifiedJwt("The JWT is too large")
    registry = signatures(*algorithms)
    extracted = jws.extract_compact(token.encode(), registry=registry)
    header = extracted.headers()
    registry.check_header(header)
    if "crit" in header or header["alg"] not in algorithms:
        raise UnverifiedJwt("The header asks for what is not allowed")
    return extracted


def _key_of(platform: Platform, client: Client, header: Mapping[str, Any]) -> Key:
    keys = _fitting(keys_of(platform, client), header)
    if not keys and client.jwks is None and platform.ephemeral.claim(_pause(client), JWKS_PAUSE):
        keys = _fitting(_fetched(platform, client.jwks_uri or "", again=True), header)
    if len(keys) != 1:
        raise UnverifiedJwt("The client has no such key, or several that might be meant")
    return keys[0]


def _fitting(keys: Iterable[Key], header: Mapping[str, Any]) -> list[Key]:
    """The keys that may have made this signature; several with the same ``kid`` differ in type or use."""
    algorithm = signatures(header["alg"]).get_alg(header["alg"])
    return [key for key in keys if header.get("kid", key.kid) == key.kid and _can_verify(algorithm, key)]


def _can_verify(algorithm: JWSAlgModel, key: Key) -> bool:
    try:
        algorithm.check_key(key)
        key.check_key_op("verify")
    except JoseError:
        return False
    return True


def _pause(client: Client) -> str:
    return f"jwks-pause:{client.jwks_uri}"


def _fetched(platform: Platform, uri: str, *, again: bool = False) -> KeySet:
    """A fetch that failed is remembered too, for the pause: an address that is slow can't hold up more."""
    stored = None if again else platform.ephemeral.get(f"jwks:{uri}")
    if stored is None:
        stored = _asked(platform, uri)
        platform.ephemeral.put(f"jwks:{uri}", stored, JWKS_TTL if stored else JWKS_PAUSE)
        platform.ephemeral.claim(f"jwks-pause:{uri}", JWKS_PAUSE)
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
    keys = (
        [key for member in members if (key := _key(member)) is not None] if isinstance(members, list) else []
    )
    if not keys:
        raise NoClientKeys("The client has no key that can be used")
    return KeySet(keys)


def _key(jwk: Any) -> Key | None:
    """A public key, or None for anything else that a JWK Set may hold."""
    if not isinstance(jwk, dict) or SECRET_MEMBERS & jwk.keys() or _is_short(jwk):
        return None
    try:
        members = orjson.dumps(jwk, option=orjson.OPT_SORT_KEYS)
        return _kept(members) if len(members) <= LARGEST_KEPT_KEY else _import(members)
    except (JoseError, ValueError, TypeError, KeyError):
        return None


def _import(members: bytes) -> Key:
    """The key of the JWK with these members."""
    jwk = orjson.loads(members)
    return PUBLIC_KEYS[jwk["kty"]].import_key(jwk)


_kept: Final = lru_cache(maxsize=MAX_KEPT_KEYS)(_import)
"""A client uses the same key again and again: it is imported once."""


def _is_short(jwk: Mapping[str, Any]) -> bool:
    """Whether an RSA modulus is shorter than FAPI 2.0 (5.4.1) and RFC 7518 §3.3 allow."""
    try:
        modulus = urlsafe_b64decode(f"{jwk.get('n', '')}==")
    except ValueError:
        return True
    return jwk.get("kty") == "RSA" and int.from_bytes(modulus).bit_length() < LEAST_RSA_BITS
