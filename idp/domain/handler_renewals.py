"""Renewals: when an authorisation's end is near, what a renewal may ask, and what it makes of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from idp.domain.errors import Refusal
from idp.domain.handler_terms import Terms
from idp.domain.handlers import Standing, Status, status_at

# Reminders go out that long before the end: time to ask, and a last word.
REMINDERS: Final = {"ends_in_30": timedelta(days=30), "ends_in_7": timedelta(days=7)}
SOON: Final = max(REMINDERS.values())


def ends_soon(standing: Standing, now: datetime) -> bool:
    """Whether what is in force ends within 30 days."""
    until = standing.valid_until
    return status_at(standing, now) is Status.APPROVED and until is not None and until - now <= SOON


def refuse(current: Standing, terms: Terms, now: datetime) -> Refusal | None:
    """Why a renewal can't be asked for: only what is in force and has an end is prolonged."""
    if status_at(current, now) is not Status.APPROVED:
        return Refusal.of("handler_not_approved")
    if current.valid_until is None or (terms.valid_until and terms.valid_until <= current.valid_until):
        return Refusal.of("renewal_not_longer", "valid_until")
    return None


def renew(current: Standing, terms: Terms, now: datetime) -> Standing | Refusal:
    """The authorisation on the renewal's terms, in place: nothing that rests on it is interrupted."""
    if status_at(current, now) is not Status.APPROVED:
        return Refusal.of("handler_not_approved")
    if terms.valid_until is not None and terms.valid_until <= now:
        return Refusal.of("valid_until_past", "valid_until")
    return replace(current, matters=terms.matters, valid_until=terms.valid_until)


def reminder_due(standing: Standing, kind: str, now: datetime) -> bool:
    """Whether one in force gets this reminder: not a second one for the last week, and none for what was
    given for a shorter time than it is before.
    """
    if status_at(standing, now) is not Status.APPROVED or not standing.valid_until or not standing.valid_from:
        return False
    left, before = standing.valid_until - now, REMINDERS[kind]
    nearer = [span for span in REMINDERS.values() if span < before]
    return max(nearer, default=timedelta()) < left <= before <= standing.valid_until - standing.valid_from
