"""Real-name authentication (实名认证): its states as a pure machine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from idp.domain.errors import Refusal

SUBJECT_TYPES: Final = ("natural_person", "legal_person")
LONGEST_REASON: Final = 500
REQUIRED_SCANS: Final = {
    "natural_person": ("document_scan",),
    "legal_person": ("document_scan", "licence_scan"),
}


class Status(StrEnum):
    """How far an account has proved whom it stands for."""

    UNVERIFIED = "unverified"
    PENDING = "pending"
    VERIFIED = "verified"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Verification:
    """Where an account stands, and since when; ``reason`` is the reviewer's, of a rejection."""

    status: Status = Status.UNVERIFIED
    changed_at: datetime | None = None
    reason: str | None = None


def submit(
    current: Verification, *, matched: bool | None, manual: bool, now: datetime
) -> Verification | Refusal:
    """What a submission leads to.

    ``matched`` is the registry's answer: True authenticates at once, False is refused (and may be submitted
    for review instead), None (it can't tell) goes to a reviewer. ``manual`` always goes to a reviewer.
    """
    refusal = refuse_submission(current)
    if refusal:
        return refusal
    if manual or matched is None:
        return Verification(Status.PENDING, now)
    return Verification(Status.VERIFIED, now) if matched else Refusal.of("registry_mismatch")


def refuse_submission(current: Verification) -> Refusal | None:
    """Why this account may not submit now, whatever it would submit; None if it may."""
    match current.status:
        case Status.VERIFIED:
            return Refusal.of("already_verified")
        case Status.PENDING:
            return Refusal.of("application_pending")
        case _:
            return None


def decide(current: Verification, decision: str, reason: str | None, now: datetime) -> Verification | Refusal:
    """What a reviewer's ``decision`` (``approve``, or ``reject`` with a reason) makes of a submission."""
    if current.status is not Status.PENDING:
        return Refusal.of("application_decided")
    if decision == "approve":
        return replace(current, status=Status.VERIFIED, changed_at=now)
    if decision == "reject":
        return _reject((reason or "").strip(), now)
    return Refusal.of("decision_unknown", "decision")


def _reject(reason: str, now: datetime) -> Verification | Refusal:
    if not reason:
        return Refusal.of("required", "reason")
    if len(reason) > LONGEST_REASON:
        return Refusal.of("too_long", "reason", limit=LONGEST_REASON)
    return Verification(Status.REJECTED, now, reason)
