"""What is deleted when nobody needs it any more. The audit trail is not among it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from idp.domain.known_devices import DEVICE_TTL
from idp.storage import (
    clients,
    handler_invitations,
    handler_reminders,
    known_devices,
    logins,
    outbox,
    signals,
)
from idp.storage.database import transaction

KEPT = timedelta(days=1)  # after the end, so that a late use can still be told from an unknown one
UNDELIVERED_KEPT = timedelta(days=30)  # longer than any holiday, so that an administrator gets to see it
EVENTS_KEPT = timedelta(days=7)  # for receivers that poll; as long as events are pushed
INVITATIONS_KEPT = timedelta(days=90)  # what came of one stands in the authorisation
REMINDERS_KEPT = timedelta(days=365)  # of the day that they are about: longer than any is looked for
BATCH = 500

Delete = Callable[[Session, datetime, int], int]


def purge(now: datetime) -> int:
    """Delete a batch each of messages, authorizations, logins, leave to register, all over, of
    devices not seen for a year, old invitations and reminders, and of events that nobody has fetched; how
    many.
    """
    done = (
        outbox.purge_delivered,
        logins.purge_authorizations,
        logins.purge_ended,
        clients.purge_initial_access_tokens,
    )
    gone = sum(_delete(delete, now - KEPT) for delete in done)
    gone += _delete(known_devices.purge, now - DEVICE_TTL)
    gone += _delete(handler_invitations.purge, now - INVITATIONS_KEPT)
    gone += _delete(handler_reminders.purge, now - REMINDERS_KEPT)
    gone += _delete(signals.purge_events, now - EVENTS_KEPT)
    return gone + _delete(outbox.purge_given_up, now - UNDELIVERED_KEPT)


def _delete(delete: Delete, before: datetime) -> int:
    """One short transaction for each: on SQLite everybody else's writes wait for it."""
    with transaction() as session:
        return delete(session, before, BATCH)
