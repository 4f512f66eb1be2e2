"""The life of an account: when it falls asleep, what keeps it from being deleted, when a deletion is done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

DELETION_PAUSE: Final = timedelta(days=7)  # in which the person may change their mind; the law allows 15
REMINDER_BEFORE: Final = timedelta(days=30)
LONGEST_REASON: Final = 200


class Status(StrEnum):
    """Whether an account may sign in, and what has to come before."""

    ACTIVE = "active"
    FROZEN = "frozen"
    DORMANT = "dormant"
    LEAVING = "leaving"
    DELETED = "deleted"


_REFUSALS: Final = {
    Status.ACTIVE: None,
    Status.DORMANT: "account_dormant",
    Status.LEAVING: "account_leaving",
}
REVIVABLE: Final = frozenset({"account_dormant", "account_leaving"})


def sign_in_refusal(status: str) -> str | None:
    """Why an account of which both factors were shown can't be signed in to at once; None if it can."""
    return _REFUSALS.get(Status(status), "account_frozen")


def must_show_code(status: str) -> bool:
    """Whether waking needs another code: a phone number lost in a year of silence may have a new holder."""
    return status == Status.DORMANT


@dataclass(frozen=True, slots=True)
class Ties:
    """What an account that wants to leave is still needed for."""

    last_administrator: bool = False
    handlers_in_force: int = 0
    applications_to_decide: int = 0


def obstacles(ties: Ties) -> tuple[str, ...]:
    """Codes of what has to be settled before the account can be deleted, in the order to settle it."""
    found = {
        "deletion_last_administrator": ties.last_administrator,
        "deletion_applications": ties.applications_to_decide > 0,
        "deletion_handlers": ties.handlers_in_force > 0,
    }
    return tuple(code for code, stands in found.items() if stands)


def deletion_at(requested_at: datetime) -> datetime:
    """When a deletion asked for then is done for good."""
    return requested_at + DELETION_PAUSE


@dataclass(frozen=True, slots=True)
class Silence:
    """Who signed in last before ``remind_before`` is reminded, and put to sleep when the reminder came before
    ``reminded_before`` and the sign-in before ``sleep_before``.
    """

    remind_before: datetime
    sleep_before: datetime
    reminded_before: datetime


def silence(now: datetime, dormant_days: int) -> Silence:
    """The limits for accounts that fall asleep after so many days, more than 30."""
    longest = timedelta(days=dormant_days)
    return Silence(now - (longest - REMINDER_BEFORE), now - longest, now - REMINDER_BEFORE)


def read_reason(text: str) -> str | None:
    """A reason for freezing, in one line; None when there is none or it is too long."""
    reason = " ".join(text.split())
    return reason if reason and len(reason) <= LONGEST_REASON else None
