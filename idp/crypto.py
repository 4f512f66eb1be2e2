"""Random values, hashes, message authentication codes, password hashes, and the encryption of fields."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from threading import BoundedSemaphore

import argon2
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12
TAG_BYTES = 16
MINIMUM_KEY_BYTES = 32


class DecryptionError(Exception):
    """What was sealed can't be opened: unknown key, another context, or it was changed. Says no more."""


def random_id() -> str:
    """An opaque identifier: 128 random bits, 22 characters of base64url."""
    return secrets.token_urlsafe(16)


def random_token() -> str:
    """A bearer secret: 256 random bits, 43 characters of base64url."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """SHA-256, hexadecimal. Only for random tokens, which need no salt and no slow hash."""
    return hashlib.sha256(octets(token)).hexdigest()


def mac(key: bytes, purpose: str, message: bytes) -> bytes:
    """HMAC-SHA256, 32 bytes; ``purpose`` separates the uses of one key (its length is bound too)."""
    label = octets(purpose)
    return hmac.digest(key, len(label).to_bytes(4, "big") + label + message, "sha256")


def constant_time_equal(a: str | bytes, b: str | bytes) -> bool:
    """Whether both are the same octets, in a time that doesn't tell where they differ."""
    return hmac.compare_digest(octets(a), octets(b))


def octets(text: str | bytes) -> bytes:
    """UTF-8; a lone surrogate from a JSON escape is encoded too: hostile input is wrong, not a crash."""
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")


class PasswordHasher:
    """Argon2id (RFC 9106), t=2, m=19 MiB, p=1: OWASP's first choice for one core.

    At most ``max_parallel`` hashes run at a time, the rest wait: a flood of sign-ins then costs a bounded
    amount of memory. The hash itself runs outside the interpreter lock.
    """

    def __init__(self, max_parallel: int) -> None:
        self._argon2 = argon2.PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._places = BoundedSemaphore(max_parallel)
        self._prefix = f"$argon2id$v=19${self._cost()}$"
        self._nobody = self._hash_of_nobody()

    def hash(self, password: str) -> str:
        """The hash in PHC format, with its salt and parameters; about 100 ASCII characters."""
        with self._places:
            return self._argon2.hash(octets(password))

    def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the password fits. ``None`` (no such account) and a damaged hash cost the same."""
        try:
            return self._fits(password_hash or self._nobody, password)
        except argon2.exceptions.InvalidHashError:
            return self._fits(self._nobody, password)

    def needs_rehash(self, password_hash: str) -> bool:
        """Whether the hash was made with other parameters, so that the next right password renews it."""
        return not password_hash.startswith(self._prefix) and self._argon2.check_needs_rehash(password_hash)

    def _fits(self, password_hash: str, password: str) -> bool:
        try:
            with self._places:
                return self._argon2.verify(password_hash, octets(password))
        except argon2.exceptions.VerificationError:
            return False

    def _hash_of_nobody(self) -> str:
        """A well-formed hash with these parameters and a random tag; making it costs no hashing at start."""
        salt, tag = os.urandom(self._argon2.salt_len), os.urandom(self._argon2.hash_len)
        return f"{self._prefix}{_unpadded(salt)}${_unpadded(tag)}"

    def _cost(self) -> str:
        parameters = self._argon2
        return f"m={parameters.memory_cost},t={parameters.time_cost},p={parameters.parallelism}"


class FieldCipher:
    """AES-256-GCM for single fields, and a keyed blind index for equality search.

    ``keys`` maps key ids to 32-byte keys: all decrypt, ``current`` encrypts. A context is "table.column";
    it is bound as associated data, so that a value moved to another column doesn't open. Random 96-bit
    nonces: rotate long before 2^32 values under one key (NIST SP 800-38D §8.3).
    """

    def __init__(self, keys: Mapping[str, bytes], current: str, index_key: bytes) -> None:
        if len(index_key) < MINIMUM_KEY_BYTES or any(len(key) != MINIMUM_KEY_BYTES for key in keys.values()):
            raise ValueError("field keys have 32 bytes, the index key at least 32")
        self._ciphers = {kid: AESGCM(key) for kid, key in keys.items()}
        self._current = current
        self._current_cipher = self._ciphers[current]
        self._index_key = index_key

    def encrypt(self, text: str, context: str) -> str:
        """``kid.base64url(nonce || ciphertext || tag)``, different each time."""
        sealed = urlsafe_b64encode(self._seal(octets(text), context)).rstrip(b"=")
        return f"{self._current}.{sealed.decode('ascii')}"

    def decrypt(self, sealed: str, context: str) -> str:
        """What ``encrypt`` was given for this context; otherwise ``DecryptionError``."""
        kid, _, encoded = sealed.partition(".")
        try:
            box = urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
        except ValueError as error:
            raise DecryptionError from error
        return self._open(kid, box, context).decode("utf-8", "surrogatepass")

    def encrypt_bytes(self, content: bytes, context: str) -> bytes:
        """The same for an upload: ``kid "." nonce || ciphertext || tag``, without base64."""
        return self._current.encode("ascii") + b"." + self._seal(content, context)

    def decrypt_bytes(self, sealed: bytes, context: str) -> bytes:
        """What ``encrypt_bytes`` was given for this context; otherwise ``DecryptionError``."""
        kid, _, box = sealed.partition(b".")
        return self._open(kid.decode("latin-1"), box, context)

    def key_id(self, sealed: str) -> str:
        """The id of the key that sealed a text, to find what still rests on an old one."""
        return sealed.partition(".")[0]

    def index(self, value: str, context: str) -> str:
        """The blind index: 64 hexadecimal characters, equal for equal values of one context."""
        return mac(self._index_key, context, octets(value)).hex()

    def _seal(self, content: bytes, context: str) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._current_cipher.encrypt(nonce, content, octets(context))

    def _open(self, kid: str, box: bytes, context: str) -> bytes:
        cipher = self._ciphers.get(kid)
        if cipher is None or len(box) < NONCE_BYTES + TAG_BYTES:
            raise DecryptionError
        try:
            return cipher.decrypt(box[:NONCE_BYTES], box[NONCE_BYTES:], octets(context))
        except InvalidTag as error:
            raise DecryptionError from error


def _unpadded(content: bytes) -> str:
    return b64encode(content).rstrip(b"=").decode("ascii")
