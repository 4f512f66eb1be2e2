"""Reminders on their way: written once each, sent afterwards.

At least once: if a worker dies after the gateway took a message and before that is marked, it is sent again
with the same reference when the lease runs out. Never by two workers at once: an attempt is far shorter than
its lease. What is no longer true when its turn comes isn't sent.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from itertools import chain

from sqlalchemy.orm import Session

from clients.rp import clock
from clients.rp.sealed import SealBroken
from clients.smdvs import deadline_words, drafts, reminders, sms
from clients.smdvs.contents import open_personal
from clients.smdvs.deadlines import Due, Measure
from clients.smdvs.lifecycle import CONTENT, Act
from clients.smdvs.reminders import (
    AHEAD,
    DRAFT_SPAN,
    STALE,
    WAITS_FOR_DETAILED,
    DraftFacts,
    Reminder,
    ReportFacts,
)
from clients.smdvs.sms import Gateway, SmsError
from clients.smdvs.storage import outbox as rows
from clients.smdvs.storage import reminders as subjects
from clients.smdvs.storage.drafts import DraftRow
from clients.smdvs.storage.drafts import find as find_draft
from clients.smdvs.storage.outbox import Leased
from clients.smdvs.storage.reports import ReportRow, find_report
from clients.smdvs.system import System
from clients.smdvs.vocabulary import Status

BATCH = 200
LEASE = timedelta(minutes=2)  # an attempt takes ten seconds or so
FIRST_RETRY = timedelta(seconds=30)
LONGEST_RETRY = timedelta(hours=1)
# Nobody's telephone rings all day, whatever was typed into forms.
MOST_A_DAY = 20
PHONE = re.compile(r"1[0-9]{10}")

logger = logging.getLogger(__name__)


PhoneOf = Callable[[Session], str]


@dataclass(frozen=True)
class _Addressed:
    """A reminder, and how to find out whom to send it to."""

    reminder: Reminder
    phone_of: PhoneOf


class Outcome(StrEnum):
    """What became of an attempt."""

    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"


@dataclass(frozen=True)
class Waiting:
    """A message of the development outbox."""

    phone: str
    text: str
    created_at: datetime
    sent_at: datetime | None
    last_error: str | None


def enqueue_due(system: System, now: datetime) -> int:
    """Write the reminders that are due and not written yet; how many. Any number of workers may do it."""
    batches = chain(_report_batches(system, now), _draft_batches(system, now))
    return sum(_enqueue(system, batch, now) for batch in batches)


def deliver_next(system: System, gateway: Gateway) -> Outcome | None:
    """One attempt with the message due longest; None when there is none."""
    now = clock.now()
    with system.database.reading() as session:
        if not rows.has_due(session, now):
            return None
    with system.database.transaction() as session:
        message = rows.lease_due(session, now, now + LEASE)
    return None if message is None else _attempt(system, gateway, message, now)


def list_recent(system: System, limit: int = 100) -> list[Waiting]:
    """The newest messages, in clear: for development alone."""
    with system.database.reading() as session:
        found = rows.list_recent(session, limit)
    return [
        Waiting(
            system.fields.open(row.recipient_sealed, _context(row.dedupe_key)),
            sms.text(row.kind, json.loads(row.parameters)),
            row.created_at,
            row.sent_at,
            row.last_error,
        )
        for row in found
    ]


def facts_of(row: ReportRow) -> ReportFacts | None:
    """What reminders need of a stored report; none of one that the first release took in without."""
    if row.detailed_due_at is None or row.updated_at is None:
        return None
    return ReportFacts(
        row.report_no,
        Status(row.status),
        row.version,
        row.occurred_at,
        row.received_at,
        row.updated_at,
        row.detailed_due_at,
        row.detailed_received_at,
    )


def _report_batches(system: System, now: datetime) -> Iterator[list[_Addressed]]:
    """Reports with the reminder that they are due for and that isn't written."""
    span, after = (now - STALE, now + AHEAD), 0
    while True:
        with system.database.reading() as session:
            page = subjects.list_open(
                session, after, WAITS_FOR_DETAILED, span, Status.RETURNED, now - STALE, BATCH
            )
            due = [(_of_report(row, now), partial(_phone_of_report, system, row)) for row in page]
            yield _unwritten(session, due)
        if len(page) < BATCH:
            return
        after = page[-1].id


def _draft_batches(system: System, now: datetime) -> Iterator[list[_Addressed]]:
    """The same for drafts of initial reports."""
    span, after = (now - DRAFT_SPAN, now), ""
    while True:
        with system.database.reading() as session:
            page = subjects.list_drafts(session, after, Act.INITIAL, span, BATCH)
            due = [(_of_draft(system, row, now), partial(_phone_of_draft, system, row)) for row in page]
            yield _unwritten(session, due)
        if len(page) < BATCH:
            return
        after = page[-1].id


def _unwritten(session: Session, found: Iterable[tuple[Reminder | None, PhoneOf]]) -> list[_Addressed]:
    due = [(reminder, phone_of) for reminder, phone_of in found if reminder is not None]
    known = rows.known_keys(session, [reminder.dedupe_key for reminder, _ in due]) if due else set()
    return [_Addressed(reminder, phone_of) for reminder, phone_of in due if reminder.dedupe_key not in known]


def _of_report(row: ReportRow, now: datetime) -> Reminder | None:
    facts = facts_of(row)
    return None if facts is None else reminders.of_report(facts, now)


def _of_draft(system: System, row: DraftRow, now: datetime) -> Reminder | None:
    fields = drafts.opened(system, row).fields
    measure = Measure(system.settings.deadline_policy, Due.INITIAL)
    hint = deadline_words.hint(fields, measure, now) if fields is not None else None
    return None if hint is None else reminders.of_draft(DraftFacts(row.id, hint.deadlines), now)


def _enqueue(system: System, batch: Sequence[_Addressed], now: datetime) -> int:
    if not batch:
        return 0
    with system.database.transaction() as session:
        return sum(_write(system, session, each.reminder, each.phone_of(session), now) for each in batch)


def _phone_of_report(system: System, row: ReportRow, session: Session) -> str:
    """The reporter's, by the newest content; empty when it can't be read."""
    newest = subjects.newest_people(session, row.id, CONTENT)
    try:
        personal = open_personal(system.fields, newest.personal_sealed, row.report_no, newest.version)
    except SealBroken:  # sealed with a key that we no longer have: it must not hold up everybody else's
        return ""
    phone: str = personal["reporter_phone"]
    return phone


def _phone_of_draft(system: System, row: DraftRow, _session: Session) -> str:
    """As far as it is filled in; empty when it is no phone."""
    typed = (drafts.opened(system, row).fields or {}).get("reporter_phone", "").strip()
    return typed if PHONE.fullmatch(typed) else ""


def _write(system: System, session: Session, reminder: Reminder, phone: str, now: datetime) -> bool:
    if not phone:
        return False
    recipient = system.fields.digest(phone, "outbox.recipient")
    if rows.count_for(session, recipient, now - timedelta(days=1)) >= MOST_A_DAY:
        logger.warning("a phone has had %d messages in a day: %s waits", MOST_A_DAY, reminder.kind)
        return False
    values = {
        "dedupe_key": reminder.dedupe_key,
        "kind": reminder.kind,
        "parameters": json.dumps(dict(reminder.parameters), ensure_ascii=False),
        "recipient_sealed": system.fields.seal(phone, _context(reminder.dedupe_key)),
        "recipient_index": recipient,
        "created_at": now,
    }
    return rows.insert_message(session, values)


def _attempt(system: System, gateway: Gateway, message: Leased, now: datetime) -> Outcome:
    """Send it as it stands now, if it still stands."""
    reminder = _standing(system, message, now)
    if reminder is None:
        return _drop(system, message, "no_longer_due")
    try:
        phone = system.fields.open(message.recipient_sealed, _context(message.dedupe_key))
    except SealBroken:
        return _drop(system, message, "unreadable")
    try:
        gateway.send(phone, sms.text(reminder.kind, reminder.parameters), _reference(message))
    except SmsError as error:
        return _retry(system, message, str(error))
    with system.database.transaction() as session:
        rows.mark_sent(session, message, clock.now())
    logger.info("message %d sent: %s, attempt %d", message.id, message.kind, message.attempts)
    return Outcome.SENT


def _standing(system: System, message: Leased, now: datetime) -> Reminder | None:
    """The reminder that the message is, made anew; None when its subject has moved on."""
    reminder = _current(system, message, now)
    return reminder if reminder is not None and reminder.dedupe_key == message.dedupe_key else None


def _current(system: System, message: Leased, now: datetime) -> Reminder | None:
    """The reminder that its subject is due for now."""
    what, name = message.dedupe_key.split(":")[:2]
    with system.database.reading() as session:
        if what == "draft":
            draft = find_draft(session, name)
            return None if draft is None else _of_draft(system, draft, now)
        row = find_report(session, name, None)
    return None if row is None else _of_report(row, now)


def _drop(system: System, message: Leased, why: str) -> Outcome:
    with system.database.transaction() as session:
        rows.mark_given_up(session, message, clock.now(), why)
    logger.info("message %d given up: %s, %s", message.id, message.kind, why)
    return Outcome.DROPPED


def _retry(system: System, message: Leased, error: str) -> Outcome:
    again = clock.now() + retry_after(message.attempts, secrets.SystemRandom().random())
    with system.database.transaction() as session:
        rows.mark_failed(session, message, again, error)
    logger.warning("message %d not sent: %s, attempt %d", message.id, error, message.attempts)
    return Outcome.FAILED


def retry_after(attempts: int, chance: float) -> timedelta:
    """Half a minute, a minute, two … at most an hour, times 0.5 to 1 by ``chance`` (0 to 1)."""
    longest: timedelta = min(FIRST_RETRY * 2 ** min(attempts - 1, 20), LONGEST_RETRY)
    return longest * (0.5 + chance / 2)


def _reference(message: Leased) -> str:
    """The same for every attempt with the same reminder, and never used for another."""
    return hashlib.sha256(message.dedupe_key.encode()).hexdigest()[:32]


def _context(dedupe_key: str) -> str:
    return f"outbox.recipient:{dedupe_key}"
