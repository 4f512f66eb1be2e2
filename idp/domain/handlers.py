"""Handler authorisations (经办人授权): their states as a pure machine, and what an application must say.

pending → approved | refused | withdrawn; approved → revoked. ``expired`` is what the clock makes of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from idp.domain import dates, identifiers
from idp.domain.errors import Refusal
from idp.domain.fields import Reader, find_enterprise_name

MATTERS: Final = frozenset({"nev-accident-report"})
LONGEST_VALIDITY_YEARS: Final = 3
LONGEST_REASON: Final = 500


class Status(StrEnum):
    """The state of an authorisation."""

    PENDING = "pending"
    APPROVED = "approved"
    REFUSED = "refused"
    REVOKED = "revoked"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


OPEN: Final = frozenset({Status.PENDING, Status.APPROVED})


@dataclass(frozen=True, slots=True)
class Standing:
    """What the machine knows of one authorisation; ``valid_until`` None means until it is revoked."""

    status: Status
    valid_until: datetime | None = None
    valid_from: datetime | None = None
    decided_at: datetime | None = None
    revoked_at: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Applicant:
    """What decides whether an account may apply."""

    subject_type: str | None
    verification_status: str


@dataclass(frozen=True, slots=True)
class Target:
    """The registered enterprise that an application names by its credit code."""

    enterprise_name: str
    status: str


@dataclass(frozen=True, slots=True)
class Request:
    """An application in canonical form."""

    enterprise_name: str
    enterprise_credit_code: str
    matters: tuple[str, ...]
    valid_until: datetime | None


def read(
    enterprise_name: str,
    enterprise_credit_code: str,
    matters: Iterable[str],
    valid_until: str | None,
    now: datetime,
) -> Request | Refusal:
    """The application in canonical form, or every problem with its field.

    ``valid_until`` is a day (YYYY-MM-DD), today to three years from now; the authorisation ends with that day
    in China. None or empty: it has no end of its own.
    """
    form = Reader(
        {
            "enterprise_name": enterprise_name,
            "enterprise_credit_code": enterprise_credit_code,
            "valid_until": valid_until or "",
        }
    )
    name = form.text("enterprise_name", find_enterprise_name, "enterprise_name_invalid")
    code = form.text("enterprise_credit_code", identifiers.find_credit_code, "uscc_invalid")
    chosen = _matters(form, matters)
    until = _valid_until(form, now)
    return form.result(Request(name, code, chosen, until))


def apply(
    applicant: Applicant, target: Target | None, request: Request, current: Standing | None, now: datetime
) -> Standing | Refusal:
    """A new authorisation, pending. ``current`` is the latest of the same person and enterprise, if any."""
    if applicant.verification_status != "verified":
        return Refusal.of("verification_required")
    if applicant.subject_type != "natural_person":
        return Refusal.of("natural_person_required")
    if target is None or target.status != "active" or target.enterprise_name != request.enterprise_name:
        return Refusal.of("enterprise_mismatch", "enterprise_credit_code")
    if current and status_at(current, now) in OPEN:
        approved = current.status is Status.APPROVED
        return Refusal.of("already_handler" if approved else "handler_application_pending")
    return Standing(Status.PENDING, valid_until=request.valid_until)


def withdraw(current: Standing, now: datetime) -> Standing | Refusal:
    """The applicant takes a pending application back."""
    if status_at(current, now) is not Status.PENDING:
        return Refusal.of("handler_not_pending")
    return replace(current, status=Status.WITHDRAWN, decided_at=now)


def decide(current: Standing, decision: str, reason: str | None, now: datetime) -> Standing | Refusal:
    """The enterprise's ``approve``, ``refuse`` (of a pending one) or ``revoke`` (of an approved one)."""
    note = (reason or "").strip() or None
    if note and len(note) > LONGEST_REASON:
        return Refusal.of("too_long", "reason", limit=LONGEST_REASON)
    required = {"approve": Status.PENDING, "refuse": Status.PENDING, "revoke": Status.APPROVED}.get(decision)
    if required is None:
        return Refusal.of("decision_unknown", "decision")
    if status_at(current, now) is not required:
        return Refusal.of(f"handler_not_{required}")
    return _decided(current, decision, note, now)


def status_at(standing: Standing, now: datetime) -> Status:
    """The status that counts: an open authorisation whose validity is over has expired."""
    if standing.status in OPEN and standing.valid_until and standing.valid_until <= now:
        return Status.EXPIRED
    return standing.status


def _decided(current: Standing, decision: str, reason: str | None, now: datetime) -> Standing:
    match decision:
        case "approve":
            return replace(current, status=Status.APPROVED, valid_from=now, decided_at=now, reason=reason)
        case "refuse":
            return replace(current, status=Status.REFUSED, decided_at=now, reason=reason)
        case _:
            return replace(current, status=Status.REVOKED, revoked_at=now, reason=reason)


def _matters(form: Reader, matters: Iterable[str]) -> tuple[str, ...]:
    chosen = tuple(sorted({matter.strip() for matter in matters} - {""}))
    if not chosen:
        form.refuse("required", "matters")
    elif not MATTERS.issuperset(chosen):
        form.refuse("matter_unknown", "matters")
    return chosen


def _valid_until(form: Reader, now: datetime) -> datetime | None:
    if not form.typed("valid_until"):
        return None
    day = form.day("valid_until")
    today = dates.china_date(now)
    if day and day < today:
        form.refuse("valid_until_past", "valid_until")
    elif day and day > dates.years_later(today, LONGEST_VALIDITY_YEARS):
        form.refuse("valid_until_too_far", "valid_until", years=LONGEST_VALIDITY_YEARS)
    return dates.end_of_day(day) if day else None
