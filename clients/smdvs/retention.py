"""How long what smdvs doesn't need for ever is kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from clients.smdvs import attachments, drafts
from clients.smdvs.storage import retention as rows
from clients.smdvs.storage.outbox import purge_messages
from clients.smdvs.system import System

BATCH = 500
# A repetition with the same Idempotency-Key gets the same answer for so long (the API's description says it).
IDEMPOTENCY_KEYS = timedelta(days=30)
# Longer than any reminder could be made again, so that none is sent twice.
MESSAGES = timedelta(days=60)

Purge = Callable[[Session, datetime, int], int]


def purge(system: System, now: datetime) -> int:
    """Delete one batch of each kind whose time is over; how much, so that the caller comes again for more."""
    own = sum(_batch(system, purge, now - age) for purge, age in _AGES)
    return own + drafts.purge(system, now) + attachments.purge(system, now)


def _batch(system: System, purge: Purge, before: datetime) -> int:
    with system.database.transaction() as session:
        return purge(session, before, BATCH)


_AGES: tuple[tuple[Purge, timedelta], ...] = (
    (rows.purge_submissions, IDEMPOTENCY_KEYS),
    (rows.purge_seen, timedelta()),
    (rows.purge_sessions, timedelta()),
    (purge_messages, MESSAGES),
)
