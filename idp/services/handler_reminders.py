"""Reminders of the worker: an authorisation ends soon. Each goes out once, however many workers run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp import sms
from idp.domain import dates, handler_renewals
from idp.services import handler_notices as notices
from idp.services import handler_steps
from idp.services.platform import Platform
from idp.storage import handler_reminders as reminders
from idp.storage import handlers as rows
from idp.storage.accounts import Account
from idp.storage.database import reading, transaction
from idp.storage.handlers import Told

BATCH: Final = 100


def remind_of_ends(platform: Platform, now: datetime) -> int:
    """Tell handlers, and each enterprise once a day of ends, 30 and 7 days before; how many there were."""
    return sum(_remind(platform, kind, span, now) for kind, span in handler_renewals.REMINDERS.items())


def _remind(platform: Platform, kind: str, span: timedelta, now: datetime) -> int:
    with reading() as session:
        due = reminders.list_ending(session, kind, now, now + span, BATCH)
    return once_each(due, lambda session, one: _remind_one(session, platform, one, kind, now))


def once_each(due: Sequence[str], tell: Callable[[Session, str], None]) -> int:
    """Tell of each of these authorisations in a transaction of its own; how many there were.

    A unique row says that it was told: of several workers one does it.
    """
    for authorization_id in due:
        with suppress(IntegrityError), transaction() as session:
            tell(session, authorization_id)
    return len(due)


def _remind_one(
    session: Session, platform: Platform, authorization_id: str, kind: str, now: datetime
) -> None:
    told = rows.find(session, authorization_id)
    if told is None or told[0].valid_until is None:
        return
    reminders.add(session, told[0].id, kind, told[0].valid_until, now)
    if handler_renewals.reminder_due(handler_steps.standing_of(told[0]), kind, now):
        _tell(session, platform, told, kind, told[0].valid_until, now)


def _tell(
    session: Session, platform: Platform, told: Told, kind: str, valid_until: datetime, now: datetime
) -> None:
    _, person, enterprise = told
    values = {
        "enterprise_name": enterprise.enterprise_name,
        "day": dates.china_date(valid_until).isoformat(),
    }
    notices.tell(session, platform, person, "handler_ends_soon", sms.text("handler_ends_soon", **values))
    if reminders.add_if_new(session, enterprise.id, kind, valid_until, now):
        owner = session.get_one(Account, enterprise.legal_account_id)
        notices.tell(session, platform, owner, "handlers_end_soon", sms.text("handlers_end_soon", **values))
