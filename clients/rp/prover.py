"""Proofs that we hold the key our tokens are bound to (RFC 9449 §4), with the nonces that servers give us."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from urllib.parse import urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey

ALGORITHM = "ES256"
HEADER = "DPoP"
NONCE_HEADER = "dpop-nonce"


class Prover:
    """Makes DPoP proofs with one ES256 key. Safe to share between threads."""

    def __init__(self, key: ECKey) -> None:
        self._key = key
        self._public = key.as_dict(private=False)
        self._lock = threading.Lock()
        self._nonces: dict[str, str] = {}
        self.thumbprint = key.thumbprint()

    def header(self, method: str, url: str, access_token: str | None = None) -> dict[str, str]:
        """The header for one request: a new proof each time, for this token if it shows one (§4.2)."""
        nonce = self._nonces.get(_origin(url))
        claims = {
            "jti": secrets.token_urlsafe(16),
            "htm": method,
            "htu": url.partition("?")[0].partition("#")[0],
            "iat": int(time.time()),
            **({"ath": _hash(access_token)} if access_token else {}),
            **({"nonce": nonce} if nonce else {}),
        }
        header = {"typ": "dpop+jwt", "alg": ALGORITHM, "jwk": self._public}
        return {HEADER: jwt.encode(header, claims, self._key, algorithms=[ALGORITHM])}

    def learn(self, url: str, headers: Mapping[str, str]) -> bool:
        """Keep the nonce that an answer brings for its server (§8.2); whether it is a new one."""
        nonce, origin = headers.get(NONCE_HEADER), _origin(url)
        if nonce is None:
            return False
        with self._lock:
            new = self._nonces.get(origin) != nonce
            self._nonces[origin] = nonce
        return new


def _hash(access_token: str) -> str:
    return urlsafe_b64encode(hashlib.sha256(access_token.encode()).digest()).rstrip(b"=").decode()


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
