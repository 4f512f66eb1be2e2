"""Proof Key for Code Exchange (RFC 7636), by S256 alone."""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64encode

_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def challenge_of(verifier: str) -> str:
    """S256 of a well-formed verifier (§4.2); of any other, a text that no challenge equals."""
    if not _VERIFIER.fullmatch(verifier):
        return ""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
