"""Invitations: an enterprise offers a person an authorisation; who it is, phone and name tell."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from idp.domain import handler_terms, identifiers
from idp.domain.errors import Refusal
from idp.domain.fields import Reader, find_name
from idp.domain.handler_terms import Terms

TTL: Final = timedelta(days=14)
# Those that wait at an enterprise; more would be no more than messages to strangers.
MOST_WAITING: Final = 50


class Status(StrEnum):
    """The state of an invitation."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation in canonical form."""

    phone: str
    real_name: str
    terms: Terms


def read(
    phone: str, real_name: str, matters: Iterable[str], valid_until: str | None, now: datetime
) -> Invitation | Refusal:
    """The invitation in canonical form, or every problem with its field."""
    form = Reader({"phone": phone, "real_name": real_name, "valid_until": valid_until or ""})
    number = form.text("phone", identifiers.find_mobile, "phone_invalid")
    name = form.text("real_name", find_name, "name_invalid")
    chosen = handler_terms.read_matters(form, matters)
    until = handler_terms.read_valid_until(form, now)
    return form.result(Invitation(number, name, Terms(chosen, until)))


def status_at(status: str, expires_at: datetime, now: datetime) -> Status:
    """The status that counts: one that waited too long has expired."""
    waited = status == Status.PENDING and expires_at <= now
    return Status.EXPIRED if waited else Status(status)


def refuse_offer(waiting: int, already: bool) -> Refusal | None:
    """Another invitation of an enterprise with so many that wait, one of them to the same phone maybe."""
    if already:
        return Refusal.of("invitation_pending", "phone")
    return Refusal.of("too_many_invitations", most=MOST_WAITING) if waiting >= MOST_WAITING else None
