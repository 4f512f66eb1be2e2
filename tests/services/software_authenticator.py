"""A WebAuthn authenticator in software: keeps one passkey, answers as a browser would, and can cheat."""

from __future__ import annotations

import hashlib
import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

UP, UV, BE, BS, AT = 0x01, 0x04, 0x08, 0x10, 0x40


def encode(content: bytes) -> str:
    """base64url without padding."""
    return urlsafe_b64encode(content).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """The reverse."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class SoftwareAuthenticator:
    """One passkey for one site. ``flags`` and the rest may be changed to cheat."""

    origin: str
    flags: int = UP | UV
    counter: int = 0
    counts: bool = True
    cross_origin: bool = False
    rp_id: str | None = None
    user_handle: str | None = None
    credential_id: bytes = field(default_factory=lambda: os.urandom(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def create(self, options: dict[str, Any], **client_data: Any) -> str:
        """The answer to ``navigator.credentials.create()``, as the page sends it."""
        self.rp_id = self.rp_id or options["rp"]["id"]
        self.user_handle = options["user"]["id"]
        data = self._authenticator_data(AT) + self._attested()
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client_data("webauthn.create", options["challenge"], client_data)
        return self._credential({"clientDataJSON": encode(client), "attestationObject": encode(attestation)})

    def get(self, options: dict[str, Any], **client_data: Any) -> str:
        """The answer to ``navigator.credentials.get()``."""
        self.rp_id = self.rp_id or options["rpId"]
        self.counter += self.counts
        data = self._authenticator_data(0)
        client = self._client_data("webauthn.get", options["challenge"], client_data)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        response = {
            "clientDataJSON": encode(client),
            "authenticatorData": encode(data),
            "signature": encode(signature),
        }
        if self.user_handle is not None:
            response["userHandle"] = self.user_handle
        return self._credential(response)

    def _credential(self, response: dict[str, str]) -> str:
        shown = encode(self.credential_id)
        return json.dumps({"id": shown, "rawId": shown, "type": "public-key", "response": response})

    def _client_data(self, kind: str, challenge: str, changes: dict[str, Any]) -> bytes:
        said = {
            "type": kind,
            "challenge": challenge,
            "origin": self.origin,
            "crossOrigin": self.cross_origin,
            **changes,
        }
        return json.dumps(said).encode()

    def _authenticator_data(self, more_flags: int) -> bytes:
        rp_id_hash = hashlib.sha256((self.rp_id or "").encode()).digest()
        return rp_id_hash + bytes([self.flags | more_flags]) + self.counter.to_bytes(4, "big")

    def _attested(self) -> bytes:
        numbers = self.key.public_key().public_numbers()
        x, y = (number.to_bytes(32, "big") for number in (numbers.x, numbers.y))
        public_key = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        length = len(self.credential_id).to_bytes(2, "big")
        return bytes(16) + length + self.credential_id + public_key
