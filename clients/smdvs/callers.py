"""Who calls the JSON API: an access token as Bearer (RFC 6750) or with a DPoP proof (RFC 9449)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import abort, request

from clients.rp import clock, dpop
from clients.rp.entitlement import Reader, Reporter
from clients.rp.errors import Refusal
from clients.smdvs import access, problems
from clients.smdvs.cookies import system
from clients.smdvs.storage import seen


@dataclass(frozen=True)
class Caller:
    """The access token of a request, and its claims by signature and clock."""

    token: str
    claims: Mapping[str, Any]


def caller(now: datetime) -> Caller:
    """The token, checked as far as its signature goes; answers with the problem otherwise."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() not in ("bearer", "dpop") or not token.strip():
        abort(problems.unauthenticated())
    token = token.strip()
    proof = _proof(token, now) if scheme.lower() == "dpop" else None
    claims = access.claims_from(system(), token, now, proof.key_thumbprint if proof else None)
    if isinstance(claims, Refusal):
        abort(problems.refused(claims))
    # Last, so that nobody without a good token makes us remember anything.
    if proof is not None and not _first_use(proof, now):
        abort(problems.bad_proof())
    return Caller(token, claims)


def reader() -> Reader:
    """Who reads; answers with the problem otherwise."""
    known = caller(clock.now())
    found = access.reader_from(system(), known.token, known.claims)
    if isinstance(found, Refusal):
        abort(problems.refused(found))
    return found


def reporter(known: Caller, enterprise: str | None = None, pointer: str | None = None) -> Reporter:
    """Who submits; ``enterprise`` is the one that the body names, at ``pointer``. Answers with the
    problem otherwise.
    """
    found = access.reporter_from(system(), known.token, known.claims, enterprise)
    if isinstance(found, Refusal):
        abort(problems.refused(found, pointer))
    return found


def _proof(token: str, now: datetime) -> dpop.Proof:
    proofs = request.headers.getlist("DPoP")
    # The address that people use, not the one that a proxy made of it.
    url = system().settings.public_url + request.path
    proof = dpop.process_proof(proofs[0], request.method, url, token, now) if len(proofs) == 1 else None
    return proof or abort(problems.bad_proof())


def _first_use(proof: dpop.Proof, now: datetime) -> bool:
    identifier = hashlib.sha256(f"{proof.key_thumbprint}\0{proof.jti}".encode()).hexdigest()
    with system().database.transaction(durable=False) as session:
        return seen.claim(session, "dpop", identifier, now, proof.expires_at)
