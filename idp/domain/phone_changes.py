"""Rules of a change of phone by review: what is applied for, what a decision makes of it, and when.

Somebody who holds the password and a stolen document could take an account over this way. So the old phone
is told at once, its holder can object until the decision, and where an enterprise's authority hangs on the
account an approval waits until there was a day to do so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from idp.domain.accounts import seconds_left
from idp.domain.errors import Refusal
from idp.domain.fields import Reader, find_name
from idp.domain.identifiers import canonical
from idp.domain.submissions import read_explanation

PENDING: Final = "pending"
APPROVED: Final = "approved"
REJECTED: Final = "rejected"
WITHDRAWN: Final = "withdrawn"

OBJECTION_TTL: Final = timedelta(hours=24)
LONGEST_REASON: Final = 500
LONGEST_NUMBER: Final = 30


@dataclass(frozen=True, slots=True)
class Application:
    """Who applies and why; name and number are the verified person's, or the legal representative's."""

    identifier: str
    real_name: str
    document_number: str
    explanation: str


def read_application(fields: Mapping[str, str]) -> Application | Refusal:
    """The form in canonical form, or every problem at its field."""
    form = Reader(fields)
    identifier = form.text("identifier", str, "required")
    real_name = form.text("real_name", find_name, "name_invalid")
    number = form.text("document_number", _find_number, "document_number_invalid")
    explanation = read_explanation(fields)
    if isinstance(explanation, Refusal):
        return Refusal((*form.problems, *explanation.problems))
    return form.result(Application(identifier, real_name, number, explanation))


def _find_number(typed: str) -> str | None:
    """Of any kind of document: whether it is the right one, the account knows."""
    number = canonical(typed)
    return number if number.isascii() and number.isalnum() and len(number) <= LONGEST_NUMBER else None


def approvable_at(applied_at: datetime, *, has_authority: bool) -> datetime:
    """From when on an application may be approved; rejecting it needs no wait."""
    return applied_at + OBJECTION_TTL if has_authority else applied_at


def decide(status: str, decision: str, reason: str, approvable: datetime, now: datetime) -> str | Refusal:
    """The state after a reviewer's ``approve``, or ``reject`` with a reason.

    ``application_decided``, ``decision_unknown``, ``objection_period`` (seconds); of the reason ``required``
    and ``too_long``.
    """
    if status != PENDING:
        return Refusal.of("application_decided")
    if decision == "approve":
        wait = seconds_left(approvable - now)
        return APPROVED if now >= approvable else Refusal.of("objection_period", seconds=wait)
    if decision == "reject":
        return _reject(reason.strip())
    return Refusal.of("decision_unknown", "decision")


def _reject(reason: str) -> str | Refusal:
    if not reason:
        return Refusal.of("required", "reason")
    if len(reason) > LONGEST_REASON:
        return Refusal.of("too_long", "reason", limit=LONGEST_REASON)
    return REJECTED
