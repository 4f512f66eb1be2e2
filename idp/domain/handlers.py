"""Handler authorisations (经办人授权): their states as a pure machine, and what an application must say.

pending → approved | refused | withdrawn; approved → revoked | suspended; suspended → approved | revoked.
``expired`` is what the clock makes of whatever is open.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from idp.domain import handler_terms, identifiers
from idp.domain.errors import Refusal
from idp.domain.fields import Reader, find_enterprise_name
from idp.domain.handler_reasons import Reason
from idp.domain.handler_terms import Terms


class Status(StrEnum):
    """The state of an authorisation."""

    PENDING = "pending"
    APPROVED = "approved"
    SUSPENDED = "suspended"
    REFUSED = "refused"
    REVOKED = "revoked"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


HELD: Final = frozenset({Status.APPROVED, Status.SUSPENDED})
OPEN: Final = HELD | {Status.PENDING}
_STANDS_IN_THE_WAY: Final = {
    Status.PENDING: "handler_application_pending",
    Status.APPROVED: "already_handler",
    Status.SUSPENDED: "handler_suspended",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """What the machine knows of one authorisation; ``valid_until`` None means until it is revoked."""

    status: Status
    valid_until: datetime | None = None
    valid_from: datetime | None = None
    decided_at: datetime | None = None
    revoked_at: datetime | None = None
    suspended_at: datetime | None = None
    reviewed_at: datetime | None = None
    reason: str | None = None
    reason_code: str | None = None
    matters: tuple[str, ...] = ()

    @property
    def terms(self) -> Terms:
        """What it covers, and until when."""
        return Terms(self.matters, self.valid_until)


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
    """The application in canonical form, or every problem with its field; for the terms see handler_terms."""
    form = Reader(
        {
            "enterprise_name": enterprise_name,
            "enterprise_credit_code": enterprise_credit_code,
            "valid_until": valid_until or "",
        }
    )
    name = form.text("enterprise_name", find_enterprise_name, "enterprise_name_invalid")
    code = form.text("enterprise_credit_code", identifiers.find_credit_code, "uscc_invalid")
    chosen = handler_terms.read_matters(form, matters)
    until = handler_terms.read_valid_until(form, now)
    return form.result(Request(name, code, chosen, until))


def refuse_person(applicant: Applicant) -> Refusal | None:
    """Only a verified natural person can be a handler."""
    if applicant.verification_status != "verified":
        return Refusal.of("verification_required")
    if applicant.subject_type != "natural_person":
        return Refusal.of("natural_person_required")
    return None


def apply(
    applicant: Applicant, target: Target | None, request: Request, current: Standing | None, now: datetime
) -> Standing | Refusal:
    """A new authorisation, pending. ``current`` is the open one of the same person and enterprise, if any."""
    refusal = refuse_person(applicant)
    if refusal:
        return refusal
    if target is None or target.status != "active" or target.enterprise_name != request.enterprise_name:
        return Refusal.of("enterprise_mismatch", "enterprise_credit_code")
    in_the_way = _STANDS_IN_THE_WAY.get(status_at(current, now)) if current else None
    if in_the_way:
        return Refusal.of(in_the_way)
    return Standing(Status.PENDING, valid_until=request.valid_until, matters=request.matters)


def withdraw(current: Standing, now: datetime) -> Standing | Refusal:
    """The applicant takes a pending application back."""
    if status_at(current, now) is not Status.PENDING:
        return Refusal.of("handler_not_pending")
    return replace(current, status=Status.WITHDRAWN, decided_at=now)


_STARTS_FROM: Final = {
    "approve": frozenset({Status.PENDING}),
    "refuse": frozenset({Status.PENDING}),
    "revoke": HELD,
}


def decide(
    current: Standing, decision: str, reason: Reason | None, now: datetime, terms: Terms | None = None
) -> Standing | Refusal:
    """The enterprise's ``approve`` (on its own ``terms``, or as asked), ``refuse`` or ``revoke``."""
    required = _STARTS_FROM.get(decision)
    if required is None:
        return Refusal.of("decision_unknown", "decision")
    if status_at(current, now) not in required:
        return Refusal.of("handler_not_approved" if decision == "revoke" else "handler_not_pending")
    return _decided(current, decision, reason or Reason(""), now, terms or current.terms)


def change(current: Standing, terms: Terms, now: datetime) -> Standing | Refusal:
    """Other matters or another end of one in force or suspended."""
    if status_at(current, now) not in HELD:
        return Refusal.of("handler_not_approved")
    if terms == current.terms:
        return Refusal.of("handler_unchanged")
    return replace(current, matters=terms.matters, valid_until=terms.valid_until)


def suspend(current: Standing, reason_code: str, now: datetime) -> Standing | Refusal:
    """What is in force stops until the enterprise confirms it."""
    if status_at(current, now) is not Status.APPROVED:
        return Refusal.of("handler_not_approved")
    return replace(current, status=Status.SUSPENDED, suspended_at=now, reason_code=reason_code, reason=None)


def confirm(current: Standing, now: datetime) -> Standing | Refusal:
    """The enterprise has looked at it: it goes on, also if it was suspended."""
    if status_at(current, now) not in HELD:
        return Refusal.of("handler_not_approved")
    return replace(
        current, status=Status.APPROVED, reviewed_at=now, suspended_at=None, reason_code=None, reason=None
    )


def status_at(standing: Standing, now: datetime) -> Status:
    """The status that counts: an open authorisation whose validity is over has expired."""
    if standing.status in OPEN and standing.valid_until and standing.valid_until <= now:
        return Status.EXPIRED
    return standing.status


def _decided(current: Standing, decision: str, reason: Reason, now: datetime, terms: Terms) -> Standing:
    told = replace(current, reason=reason.text, reason_code=reason.code or None)
    match decision:
        case "approve":
            return replace(
                told,
                status=Status.APPROVED,
                valid_from=now,
                decided_at=now,
                matters=terms.matters,
                valid_until=terms.valid_until,
            )
        case "refuse":
            return replace(told, status=Status.REFUSED, decided_at=now)
        case _:
            return replace(told, status=Status.REVOKED, revoked_at=now)
