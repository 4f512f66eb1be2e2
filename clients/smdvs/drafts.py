"""Keeping what was typed: a draft is written over and over by its owner's windows, and is gone with its
submission, or thirty days after the last change.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.orm import Session

from clients.rp.sealed import SealBroken
from clients.smdvs import submissions
from clients.smdvs.deadline_words import occurred_at_of
from clients.smdvs.forms import Fields
from clients.smdvs.lifecycle import Act
from clients.smdvs.storage import attachments, reports
from clients.smdvs.storage import drafts as rows
from clients.smdvs.storage.drafts import DraftRow
from clients.smdvs.system import System
from clients.smdvs.tickets import Owner, Sheet

DRAFT_TTL = timedelta(days=30)
DRAFT_ID = re.compile(r"[A-Za-z0-9_-]{22}")
MAX_DRAFTS = 20
MAX_DRAFT_BYTES = 256 * 1024
PURGE_BATCH = 500


class NotKept(StrEnum):
    """Why a draft was not written."""

    NEWER = "newer"  # another window has written meanwhile
    GONE = "gone"  # submitted, deleted or expired
    NOT_YOURS = "not_yours"
    FULL = "full"  # MAX_DRAFTS are there
    TOO_LARGE = "too_large"


@dataclass(frozen=True)
class Kept:
    """The draft as it was written."""

    draft_id: str
    revision: int
    saved_at: datetime


@dataclass(frozen=True)
class Seen:
    """What a window knows of the draft it shows: the revision (0: none yet), and a name of its own."""

    revision: int
    window: str


@dataclass(frozen=True)
class Draft:
    """A draft opened. ``fields`` is None when it was sealed with a key that we no longer have."""

    row: DraftRow
    fields: Fields | None

    @property
    def sheet(self) -> Sheet:
        """What the form is for."""
        return Sheet(Act(self.row.kind), self.row.report_no)


def new_id() -> str:
    """128 random bits, the name of a draft and the idempotency key of its submission."""
    return secrets.token_urlsafe(16)


def keep(
    system: System, owner: Owner, draft_id: str, sheet: Sheet, fields: Fields, seen: Seen, now: datetime
) -> Kept | NotKept:
    """Write a draft, as a whole or not at all."""
    text = json.dumps(fields, ensure_ascii=False)
    if len(text.encode()) > MAX_DRAFT_BYTES:
        return NotKept.TOO_LARGE
    values = _values(system, owner, draft_id, sheet, fields, now) | {
        "fields_sealed": system.fields.seal(text, _context(draft_id)),
        "written_in": seen.window,
    }
    with system.database.transaction() as session:
        refusal = _unbegun(system, session, owner, draft_id, seen)
        if refusal is not None:
            return refusal
        revision = rows.put(session, values, seen.revision)
        if revision is not None:
            return Kept(draft_id, revision, now)
        row = rows.find(session, draft_id)
        return NotKept.NEWER if row is not None and _is_of(row, owner) else NotKept.NOT_YOURS


def find(system: System, owner: Owner, draft_id: str) -> Draft | None:
    """A draft of this person for this enterprise; for anybody else's the answer is the same as for none."""
    with system.database.reading() as session:
        row = rows.find(session, draft_id)
    return opened(system, row) if row is not None and _is_of(row, owner) else None


def enterprise_of(system: System, sub: str, draft_id: str) -> str | None:
    """For which enterprise this person has written that draft."""
    with system.database.reading() as session:
        row = rows.find(session, draft_id)
    return row.enterprise_credit_code if row is not None and row.sub == sub else None


def is_outdated(system: System, owner: Owner, draft_id: str, seen: Seen) -> bool:
    """Whether another window has written the draft since this one saw it."""
    with system.database.reading() as session:
        row = rows.find(session, draft_id)
    if row is None or not _is_of(row, owner):
        return False
    return row.revision != seen.revision and row.written_in != seen.window


def list_of(system: System, owner: Owner) -> Sequence[Draft]:
    """This person's drafts for this enterprise, the one written last first."""
    with system.database.reading() as session:
        found = rows.list_of(session, owner.sub, owner.enterprise_credit_code)
    return [opened(system, row) for row in found]


def count_of(system: System, owner: Owner) -> int:
    """How many drafts list_of has."""
    with system.database.reading() as session:
        return rows.count_of(session, owner.sub, owner.enterprise_credit_code)


def delete(system: System, owner: Owner, draft_id: str) -> bool:
    """Throw a draft away at its owner's word, with the files put in it; whether it was there."""
    with system.database.transaction() as session:
        row = rows.find(session, draft_id)
        if row is None or not _is_of(row, owner):
            return False
        attachments.remove_of_draft(session, draft_id, owner.sub)
        return rows.discard(session, draft_id, owner.sub)


def purge(system: System, now: datetime) -> int:
    """Delete the drafts whose time is over, some at a time so that nobody waits; how many there were."""
    purged = 0
    while True:
        with system.database.transaction() as session:
            batch = rows.purge(session, now, PURGE_BATCH)
        purged += batch
        if batch < PURGE_BATCH:
            return purged


def _unbegun(system: System, session: Session, owner: Owner, draft_id: str, seen: Seen) -> NotKept | None:
    """Why a draft that isn't there can't be begun."""
    rows.lock_owner(session, owner.sub)
    if rows.find(session, draft_id) is not None:
        return None
    known = submissions.key_hash(draft_id)
    submitted = reports.find_submission(session, system.client.client_id, owner.sub, known)
    if seen.revision > 0 or submitted is not None:
        return NotKept.GONE
    return NotKept.FULL if rows.count_of(session, owner.sub) >= MAX_DRAFTS else None


def _values(
    system: System, owner: Owner, draft_id: str, sheet: Sheet, fields: Fields, now: datetime
) -> dict[str, object]:
    base = fields.get("base_version", "")
    return {
        "id": draft_id,
        "sub": owner.sub,
        "enterprise_credit_code": owner.enterprise_credit_code,
        "kind": sheet.kind,
        "report_no": sheet.report_no,
        "base_version": int(base) if base.isascii() and base.isdecimal() and len(base) < 8 else None,
        "occurred_at": occurred_at_of(fields, now),
        "updated_at": now,
        "expires_at": now + DRAFT_TTL,
    }


def _is_of(row: DraftRow, owner: Owner) -> bool:
    return (row.sub, row.enterprise_credit_code) == (owner.sub, owner.enterprise_credit_code)


def opened(system: System, row: DraftRow) -> Draft:
    """A draft with what was typed, whosever it is."""
    try:
        return Draft(row, json.loads(system.fields.open(row.fields_sealed, _context(row.id))))
    except SealBroken:
        return Draft(row, None)


def _context(draft_id: str) -> str:
    return f"drafts.fields:{draft_id}"
