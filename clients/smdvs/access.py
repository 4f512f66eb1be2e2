"""The one door to reports, for pages and the API alike: token, claims, entitlement, liveness,
in that order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from clients.rp import entitlement
from clients.rp.entitlement import Reader, Reporter
from clients.rp.errors import Refusal
from clients.rp.liveness import REVOKED

if TYPE_CHECKING:
    from clients.smdvs.system import System

__all__ = ["REVOKED", "claims_from", "reader_from", "reporter_from", "reviewer_from"]

MATTER = "nev-accident-report"
SUBMIT_SCOPE = "accident_report:submit"
READ_SCOPE = "accident_report:read"
REGULATOR = "regulator"


@dataclass(frozen=True)
class Reviewer:
    """A regulator, by role, at this client."""

    sub: str
    client_id: str


def claims_from(
    system: System, token: str, now: datetime, key_thumbprint: str | None = None
) -> Mapping[str, Any] | Refusal:
    """The claims of an access token that is for us, by signature and clock alone."""
    return system.rp.gate.claims_from(token, now, key_thumbprint)


def reporter_from(
    system: System, token: str, claims: Mapping[str, Any], enterprise: str | None
) -> Reporter | Refusal:
    """Who submits, for which enterprise, confirmed by the provider at this moment."""
    return system.rp.gate.admit(
        token,
        claims,
        lambda known: entitlement.reporter_from(
            known, scope=SUBMIT_SCOPE, matter=MATTER, enterprise=enterprise
        ),
        fresh=True,
    )


def reader_from(system: System, token: str, claims: Mapping[str, Any]) -> Reader | Refusal:
    """Who reads, and whose reports, confirmed by the provider within the last second."""
    return system.rp.gate.admit(
        token,
        claims,
        lambda known: entitlement.reader_from(known, scope=READ_SCOPE, matter=MATTER, reads_all=REGULATOR),
        fresh=False,
    )


def reviewer_from(system: System, token: str, claims: Mapping[str, Any]) -> Reviewer | Refusal:
    """Who reviews, closes and voids as the regulator, confirmed by the provider at this moment.

    It takes the scope for submitting: a token that was given out for reading changes nothing.
    """
    holder = system.rp.gate.admit(
        token,
        claims,
        lambda known: entitlement.holder_from(known, scope=SUBMIT_SCOPE, role=REGULATOR),
        fresh=True,
    )
    return holder if isinstance(holder, Refusal) else Reviewer(holder.sub, holder.client_id)
