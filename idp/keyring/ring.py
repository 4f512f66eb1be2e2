"""What a directory of keys means: an unchanging set that answers by the clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any, cast

from joserfc.jwk import KeySet

from idp.crypto import FieldCipher
from idp.domain.keys import KeyInfo, published_keys, schedule
from idp.keyring.files import KeyringError, Seen, SigningKey, StoredKey

Group = tuple[str, str]
"""Use and algorithm."""


class Ring:
    """The keys at one look at the directory. Answers depend on the moment asked for and nothing else.

    Raises ``KeyringError`` (``key_missing``, ``key_ambiguous``) for a set that one can't work with.
    """

    def __init__(
        self, directory: Path, seen: Seen, stored: tuple[StoredKey, ...], leads: Mapping[str, timedelta]
    ) -> None:
        self.seen = seen
        self.stored = stored
        self.groups = _grouped(stored)
        self._directory = directory
        self._leads = leads
        self._by_kid = {key.info.kid: key for key in stored}
        self._signing = {
            algorithm: schedule(infos, leads["sig"])
            for (use, algorithm), infos in self.groups.items()
            if use == "sig"
        }
        self.mac_key = self._only_secret("mac", "HS256")
        self._ciphers = self._scheduled_ciphers(self._only_secret("index", "HS256"))
        self._keysets: dict[tuple[str, ...], KeySet] = {}

    def signing_key(self, algorithm: str, now: datetime) -> SigningKey:
        """The key in charge of an algorithm."""
        for starts_at, info in self._signing.get(algorithm, ()):
            if starts_at <= now:
                return cast("SigningKey", self._by_kid[info.kid].key)
        raise KeyringError("key_missing", self._directory)

    def fields(self, now: datetime) -> FieldCipher:
        """The cipher whose key is in charge of fields."""
        return next(cipher for starts_at, cipher in self._ciphers if starts_at <= now)

    def public_jwks(self, now: datetime, token_ttl: timedelta) -> list[dict[str, Any]]:
        """The published keys as public JWKs."""
        return [self._by_kid[kid].public_jwk for kid in self._published(now, token_ttl)]

    @property
    def encryption_jwks(self) -> list[dict[str, Any]]:
        """The keys that others encrypt to as public JWKs, the newest in front; none is ever withdrawn."""
        infos = [info for (use, _), infos in self.groups.items() if use == "enc" for info in infos]
        return [self._by_kid[info.kid].public_jwk for info in sorted(infos, key=_age)]

    def decryption_key(self, kid: str) -> SigningKey | None:
        """The private key behind one of them."""
        stored = self._by_kid.get(kid)
        return cast("SigningKey", stored.key) if stored is not None and stored.use == "enc" else None

    def verification_keyset(self, now: datetime, token_ttl: timedelta) -> KeySet:
        """The published keys, imported; one object as long as the set is the same."""
        kids = self._published(now, token_ttl)
        if kids not in self._keysets:
            self._keysets = {kids: KeySet([self._by_kid[kid].public_key for kid in kids])}
        return self._keysets[kids]

    def _published(self, now: datetime, token_ttl: timedelta) -> tuple[str, ...]:
        groups = (infos for (use, _), infos in self.groups.items() if use == "sig")
        published = (published_keys(infos, now, self._leads["sig"], token_ttl) for infos in groups)
        return tuple(info.kid for infos in published for info in infos)

    def _scheduled_ciphers(self, index_key: bytes) -> tuple[tuple[datetime, FieldCipher], ...]:
        infos = self.groups.get(("field", "A256GCM"), ())
        if not infos:
            raise KeyringError("key_missing", self._directory)
        keys = {info.kid: self._secret(info) for info in infos}
        starts = schedule(infos, self._leads["field"])
        return tuple((starts_at, FieldCipher(keys, info.kid, index_key)) for starts_at, info in starts)

    def _only_secret(self, use: str, algorithm: str) -> bytes:
        infos = self.groups.get((use, algorithm), ())
        if len(infos) != 1:
            raise KeyringError("key_ambiguous" if infos else "key_missing", self._directory)
        return self._secret(infos[0])

    def _secret(self, info: KeyInfo) -> bytes:
        return cast("bytes", self._by_kid[info.kid].key)


def _age(info: KeyInfo) -> tuple[float, str]:
    return -info.born_at.timestamp(), info.kid


def _grouped(stored: tuple[StoredKey, ...]) -> dict[Group, tuple[KeyInfo, ...]]:
    """The keys by use and algorithm, each group by birth."""

    def group(key: StoredKey) -> Group:
        return key.use, key.info.algorithm

    ordered = sorted(stored, key=lambda key: (group(key), key.info.born_at, key.info.kid))
    return {name: tuple(key.info for key in keys) for name, keys in groupby(ordered, group)}
