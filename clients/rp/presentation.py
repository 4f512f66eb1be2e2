"""How a program shows its access token: ``Authorization: Bearer`` (RFC 6750 §2.1), or ``DPoP`` with a proof
of the key that the token is bound to (RFC 9449 §7.1).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from clients.rp import dpop
from clients.rp.dpop import Proof
from clients.rp.errors import Refusal, refuse
from clients.rp.gate import Gate

FirstUse = Callable[[str, datetime, datetime], bool]
"""Whether the identifier (a hash) is claimed for the first time; it is remembered until the later time."""


@dataclass(frozen=True)
class Shown:
    """What a request shows: its ``Authorization`` header, its ``DPoP`` headers, its method and its address as
    the caller knows it, without the query.
    """

    authorization: str
    proofs: Sequence[str]
    method: str
    url: str


@dataclass(frozen=True)
class Caller:
    """The access token of a request, and its claims by signature and clock alone."""

    token: str
    claims: Mapping[str, Any]


def caller_from(gate: Gate, shown: Shown, now: datetime, first_use: FirstUse) -> Caller | Refusal:
    """Who calls: ``credentials_missing``, ``proof_invalid`` or a reason of ``access`` otherwise.

    Raises ProviderUnavailable.
    """
    scheme, _, token = shown.authorization.partition(" ")
    token = token.strip()
    if scheme.lower() not in ("bearer", "dpop") or not token:
        return refuse("credentials_missing")
    proof = _proof(shown, token, now) if scheme.lower() == "dpop" else None
    if isinstance(proof, Refusal):
        return proof
    claims = gate.claims_from(token, now, proof.key_thumbprint if proof else None)
    if isinstance(claims, Refusal):
        return claims
    # Last, so that nobody without a good token makes us remember anything.
    if proof is not None and not first_use(_identifier(proof), now, proof.expires_at):
        return refuse("proof_invalid")
    return Caller(token, claims)


def _proof(shown: Shown, token: str, now: datetime) -> Proof | Refusal:
    if len(shown.proofs) != 1:
        return refuse("proof_invalid")
    return dpop.process_proof(shown.proofs[0], shown.method, shown.url, token, now) or refuse("proof_invalid")


def _identifier(proof: Proof) -> str:
    return hashlib.sha256(f"{proof.key_thumbprint}\0{proof.jti}".encode()).hexdigest()
