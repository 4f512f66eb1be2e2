"""The platform's keys: to sign tokens, to encrypt fields, for the blind index, for authentication codes.

Every process reads them from one directory (``files``), follows changes within a second, and works out from
births and clock which key signs (``idp.domain.keys``). Only this package writes there.
"""

from __future__ import annotations

import logging
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any

from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

from idp import clock
from idp.crypto import FieldCipher, random_id
from idp.domain.clients import SIGNING_ALGORITHMS
from idp.domain.keys import KeyState, state_of
from idp.keyring import files
from idp.keyring.files import Entry, KeyringError, Seen, SigningKey, StoredKey
from idp.keyring.ring import Ring

__all__ = ["CLIENT_ALGORITHM", "READING", "Keyring", "KeyringError", "ListedKey", "SigningKey"]

log = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 1.0
LEAD_TTL = timedelta(minutes=10)
FIELD_LEAD_TTL = timedelta(seconds=5)
"""A new field key encrypts only when every worker has had time to read it."""
TOKEN_TTL = timedelta(hours=24)
"""The longest that what we sign must verify: an ID token returns as ``id_token_hint`` when a login ends."""

WANTED = (
    *(("sig", algorithm) for algorithm in SIGNING_ALGORITHMS),
    ("field", "A256GCM"),
    ("index", "HS256"),
    ("mac", "HS256"),
)
READING = (("enc", "ECDH-ES"),)
"""What is needed besides where others encrypt to this platform: it is their client."""
CLIENT_ALGORITHM = "ES256"
"""By which it proves itself to them (``private_key_jwt``)."""
ROTATABLE = {**dict.fromkeys(SIGNING_ALGORITHMS, "sig"), "A256GCM": "field", "ECDH-ES": "enc"}


@dataclass(frozen=True, slots=True)
class ListedKey:
    """A key as an operator sees it."""

    kid: str
    use: str
    algorithm: str
    born_at: datetime
    state: KeyState


class Keyring:
    """The keys in one directory; safe for threads, and for several processes on one directory."""

    def __init__(
        self,
        directory: Path,
        passphrase: str | None = None,
        *,
        lead_ttl: timedelta = LEAD_TTL,
        field_lead_ttl: timedelta = FIELD_LEAD_TTL,
        token_ttl: timedelta = TOKEN_TTL,
    ) -> None:
        self._directory = directory
        self._passphrase = passphrase
        self._leads = {**dict.fromkeys(("sig", "enc", "index", "mac"), lead_ttl), "field": field_lead_ttl}
        self._token_ttl = token_ttl
        self._ring: Ring | None = None
        self._looking = Lock()
        self._look_again_at = 0.0
        self._refused: Seen | None = None

    @classmethod
    def open(cls, directory: Path | str, passphrase: str | None = None) -> Keyring:
        """A keyring on a directory; the first use, or ``ensure``, reads it and raises ``KeyringError``."""
        files.check_passphrase(passphrase, Path(directory))
        return cls(Path(directory), passphrase)

    def ensure(self, now: datetime, also: Iterable[tuple[str, str]] = ()) -> None:
        """Create what is missing, encrypt what isn't though there is a passphrase, and read everything.

        ``also`` are uses and algorithms that only some installations need. Several processes may do this at
        once: one set comes of it.
        """
        files.prepare_directory(self._directory)
        with files.locked(self._directory):
            seen = files.look(self._directory)
            stored = self._stored(seen)
            for key in filter(self._lies_open, stored):
                files.write(self._directory, key.jwk, self._passphrase)
            present = {(key.use, key.info.algorithm) for key in stored}
            for use, algorithm in (*WANTED, *also):
                if (use, algorithm) not in present:
                    files.write(self._directory, new_jwk(use, algorithm, now), self._passphrase)
        with self._looking:
            self._read(files.look(self._directory), dict(zip(seen, stored, strict=True)))

    def signing_key(self, alg: str, now: datetime) -> SigningKey:
        """The key that signs with ``alg`` now; one without a key is ``KeyringError("key_missing")``."""
        return self._current().signing_key(alg, now)

    def public_jwks(self, now: datetime) -> dict[str, list[dict[str, Any]]]:
        """The JWK Set to publish now (RFC 7517 §5): ``kid``, ``use``, ``alg`` and the public members only."""
        return {"keys": [dict(key) for key in self._current().public_jwks(now, self._token_ttl)]}

    def client_jwks(self, now: datetime) -> dict[str, list[dict[str, Any]]]:
        """What those need to know to whom this platform is a client: the keys by which it signs for itself,
        and those to encrypt to, the newest in front (OIDC Core 10.2.1).
        """
        ring = self._current()
        signing = [key for key in ring.public_jwks(now, self._token_ttl) if key["alg"] == CLIENT_ALGORITHM]
        return {"keys": [dict(key) for key in (*signing, *ring.encryption_jwks)]}

    def decryption_key(self, kid: str) -> SigningKey | None:
        """The private half of a key that others encrypt to; former ones too."""
        return self._current().decryption_key(kid)

    def verification_keyset(self, now: datetime) -> KeySet:
        """The published keys, imported, to verify what we have signed ourselves."""
        return self._current().verification_keyset(now, self._token_ttl)

    @property
    def fields(self) -> FieldCipher:
        """The cipher of fields and uploads: every field key decrypts, the newest settled one encrypts."""
        return self._current().fields(clock.now())

    @property
    def mac_key(self) -> bytes:
        """The key of ``crypto.mac``, 32 bytes."""
        return self._current().mac_key

    def list_keys(self, now: datetime) -> list[ListedKey]:
        """Every key with its state now, by use, algorithm and birth."""
        ring = self._current()
        listed = []
        for (use, _), infos in sorted(ring.groups.items()):
            for info in infos:
                state = state_of(info, infos, now, self._leads[use], self._token_ttl)
                listed.append(ListedKey(info.kid, use, info.algorithm, info.born_at, state))
        return listed

    def rotate(self, alg: str, now: datetime) -> str:
        """Add a key for ``alg`` (one that signs, ``ECDH-ES`` that others encrypt to, ``A256GCM`` for fields);
        returns its kid.

        It is published at once and signs after the lead. The index and MAC keys have no successor: what
        they made is stored, and would no longer be found.
        """
        if alg not in ROTATABLE:
            raise KeyringError("key_not_rotatable", self._directory)
        jwk = new_jwk(ROTATABLE[alg], alg, now)
        with files.locked(self._directory):
            files.write(self._directory, jwk, self._passphrase)
        self.reload()
        return str(jwk["kid"])

    def retire(self, kid: str) -> None:
        """Remove a signing key now, for one that leaked or has expired: what it signed no longer verifies.

        The last of its algorithm stays (``key_last``: rotate first), and so do keys that stored values need.
        """
        with files.locked(self._directory):
            key = self._find(kid)
            if key.use != "sig":
                raise KeyringError("key_not_rotatable", key.path)
            if len(self._current().groups[key.use, key.info.algorithm]) == 1:
                raise KeyringError("key_last", key.path)
            key.path.unlink()
            files.sync(self._directory)
        self.reload()

    def reload(self) -> None:
        """Read the directory now, whatever the time of the last look; raises ``KeyringError``."""
        with self._looking:
            self._read(files.look(self._directory))

    def _find(self, kid: str) -> StoredKey:
        self.reload()
        for key in self._current().stored:
            if key.info.kid == kid:
                return key
        raise KeyringError("key_unknown", self._directory)

    def _current(self) -> Ring:
        if self._ring is not None and time.monotonic() < self._look_again_at:
            return self._ring
        return self._looked()

    def _looked(self) -> Ring:
        """The first look waits and may fail; later ones are one thread's work, a fault leaves the old keys"""
        ring = self._ring
        if ring is None:
            with self._looking:
                return self._ring or self._read(files.look(self._directory))
        if self._looking.acquire(blocking=False):
            try:
                return self._follow(ring)
            finally:
                self._looking.release()
        return ring

    def _follow(self, ring: Ring) -> Ring:
        self._look_again_at = time.monotonic() + LOOK_EVERY_SECONDS
        try:
            seen = files.look(self._directory)
            if seen not in (ring.seen, self._refused):
                self._refused = seen
                return self._read(seen)
        except KeyringError as error:
            # The text says all; the trace would only lead here.
            log.error("keys not read again, the known ones stay in use: %s", error)  # noqa: TRY400
        return ring

    def _read(self, seen: Seen, opened: Mapping[Entry, StoredKey] | None = None) -> Ring:
        files.check_directory(self._directory)
        stored = self._stored(seen, opened)
        for key in filter(self._lies_open, stored):
            raise KeyringError("key_not_encrypted", key.path)
        self._ring = ring = Ring(self._directory, seen, stored, self._leads)
        self._refused = None
        self._look_again_at = time.monotonic() + LOOK_EVERY_SECONDS
        return ring

    def _stored(self, seen: Seen, opened: Mapping[Entry, StoredKey] | None = None) -> tuple[StoredKey, ...]:
        """The keys seen; a file that hasn't changed isn't opened again: decrypting and importing cost."""
        ring = self._ring
        known = {} if ring is None else dict(zip(ring.seen, ring.stored, strict=True))
        known.update(opened or {})
        return tuple(known.get(entry) or self._opened(entry[0]) for entry in seen)

    def _opened(self, name: str) -> StoredKey:
        return files.read(self._directory / name, self._passphrase)

    def _lies_open(self, key: StoredKey) -> bool:
        return self._passphrase is not None and not key.encrypted


def new_jwk(use: str, algorithm: str, now: datetime) -> dict[str, Any]:
    """A new private key as a JWK, its birth in ``iat`` (whole seconds)."""
    members = {"use": use, "alg": algorithm, "kid": random_id(), "iat": int(now.timestamp())}
    if algorithm in {"ES256", "ECDH-ES"}:
        return {**ECKey.generate_key("P-256").as_dict(private=True), **members}
    if algorithm == "EdDSA":
        return {**OKPKey.generate_key("Ed25519").as_dict(private=True), **members}
    if algorithm in {"RS256", "PS256"}:
        return {**RSAKey.generate_key(files.RSA_BITS).as_dict(private=True), **members}
    return {"kty": "oct", "k": _base64url(secrets.token_bytes(32)), **members}


def _base64url(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode("ascii")
