"""What leaves our hands or rests on disk: AES-256-GCM, bound to what they are for."""

from __future__ import annotations

import hashlib
import hmac
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12


class SealBroken(Exception):
    """Not sealed by us, not for this context, or changed since."""


class Sealer:
    """Seals with the ``current`` of several 256-bit keys, opens with whichever the seal names."""

    def __init__(self, keys: Mapping[str, bytes], current: str, digest_key: bytes) -> None:
        self._ciphers = {kid: AESGCM(key) for kid, key in keys.items()}
        self._digest_key = digest_key
        self._current = current

    def seal(self, text: str, context: str) -> str:
        """``kid.nonce+ciphertext``; the context is authenticated, so a seal can't be moved elsewhere."""
        nonce = os.urandom(_NONCE_BYTES)
        ciphertext = self._ciphers[self._current].encrypt(nonce, text.encode(), context.encode())
        return f"{self._current}.{urlsafe_b64encode(nonce + ciphertext).decode()}"

    def open(self, sealed: str, context: str) -> str:
        """The text; raises SealBroken."""
        kid, _, body = sealed.partition(".")
        try:
            raw = urlsafe_b64decode(body.encode("ascii"))
            plain = self._ciphers[kid].decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], context.encode())
            return plain.decode()
        except (KeyError, ValueError, InvalidTag) as error:
            raise SealBroken(context) from error

    def seal_bytes(self, content: bytes, context: str) -> bytes:
        """The same for what isn't text: the key's name and a NUL, nonce, ciphertext."""
        nonce = os.urandom(_NONCE_BYTES)
        ciphertext = self._ciphers[self._current].encrypt(nonce, content, context.encode())
        return self._current.encode("ascii") + b"\0" + nonce + ciphertext

    def open_bytes(self, sealed: bytes, context: str) -> bytes:
        """The content; raises SealBroken."""
        kid, _, raw = sealed.partition(b"\0")
        try:
            cipher = self._ciphers[kid.decode("ascii")]
            return cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], context.encode())
        except (KeyError, ValueError, InvalidTag) as error:
            raise SealBroken(context) from error

    def digest(self, text: str, context: str) -> str:
        """A keyed fingerprint (HMAC-SHA256, hex): equal texts are seen to be equal,
        and nobody can guess them.
        """
        return hmac.new(self._digest_key, f"{context}\0{text}".encode(), hashlib.sha256).hexdigest()


def derive(secret: bytes, purpose: str) -> bytes:
    """A 256-bit key for one purpose from a secret (HMAC-SHA256 as a KDF over a full-entropy input)."""
    return hmac.new(secret, b"clients.rp/" + purpose.encode(), hashlib.sha256).digest()
