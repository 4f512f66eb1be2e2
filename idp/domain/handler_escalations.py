"""The approver of last resort: a reviewer of the platform decides where an enterprise's account can't."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from idp.domain.errors import Refusal
from idp.domain.fields import Reader
from idp.domain.handlers import Standing, Status, status_at

GROUNDS: Final = (
    "account_frozen",
    "account_deleted",
    "phone_lost",
    "representative_unavailable",
    "other",
)
# The enterprise itself has not agreed: until it looks at the next review at the latest.
LONGEST_VALIDITY: Final = timedelta(days=180)
LONGEST_EXPLANATION: Final = 1000
LONGEST_REASON: Final = 500
_OPEN_TO_IT: Final = frozenset({Status.PENDING, Status.SUSPENDED})


@dataclass(frozen=True, slots=True)
class Grounds:
    """Why the enterprise's account can't act, and what happened."""

    ground: str
    explanation: str


def read(ground: str, explanation: str) -> Grounds | Refusal:
    """What the applicant says, or every problem with its field."""
    form = Reader({"ground": ground, "explanation": explanation})
    chosen = form.choice("ground", GROUNDS)
    told = form.text("explanation", _find_explanation, "explanation_invalid")
    return form.result(Grounds(chosen, told))


def refuse(current: Standing, now: datetime) -> Refusal | None:
    """Only what waits for the enterprise, an application or a suspended authorisation, is decided so."""
    if status_at(current, now) in _OPEN_TO_IT:
        return None
    return Refusal.of("escalation_not_possible")


def read_decision(decision: str, reason: str) -> str | Refusal:
    """The reviewer's reason for ``approve`` or ``reject``: neither goes without."""
    note = reason.strip()
    if decision not in {"approve", "reject"}:
        return Refusal.of("decision_unknown", "decision")
    if not note:
        return Refusal.of("required", "reason")
    return Refusal.of("too_long", "reason", limit=LONGEST_REASON) if len(note) > LONGEST_REASON else note


def until(asked: datetime | None, now: datetime) -> datetime:
    """The end of what a reviewer gives: as asked, but not far."""
    latest = now + LONGEST_VALIDITY
    return min(asked, latest) if asked else latest


def _find_explanation(typed: str) -> str | None:
    return typed if 2 <= len(typed) <= LONGEST_EXPLANATION else None
