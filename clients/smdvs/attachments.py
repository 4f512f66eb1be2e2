"""Files of a report: taken in by its owner before it is sent, claimed by the report, given out whole or not
at all, gone after thirty days when no report has claimed them (docs/adr/0024).
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from clients.rp.entitlement import Reader, Reporter
from clients.rp.sealed import SealBroken
from clients.smdvs import file_names, file_types
from clients.smdvs.attachment_kinds import (
    MAX_A_REPORT,
    MAX_BYTES,
    MEGABYTE,
    AttachmentKind,
    allowed_types,
    fault,
)
from clients.smdvs.documents import Fault
from clients.smdvs.file_types import Unfit
from clients.smdvs.storage import attachments as rows
from clients.smdvs.storage import reports
from clients.smdvs.storage.attachments import Attachment
from clients.smdvs.system import System
from clients.smdvs.tickets import Owner

UNCLAIMED_TTL = timedelta(days=30)
CHUNK_BYTES = MEGABYTE
MAX_UNCLAIMED = 90
PURGE_BATCH = 20
UNREADABLE_NAME = "（文件名无法读取）"


@dataclass(frozen=True)
class Upload:
    """A file as it was sent: what it is called, its whole content."""

    filename: str
    content: bytes


@dataclass(frozen=True)
class Kept:
    """A file that is stored."""

    id: str
    kind: AttachmentKind
    filename: str
    content_type: str
    size: int
    sha256: str

    @property
    def entry(self) -> dict[str, Any]:
        """What a report's document says of it."""
        return {
            "id": self.id,
            "kind": self.kind,
            "filename": self.filename,
            "content_type": self.content_type,
            "size": self.size,
            "sha256": self.sha256,
        }


class Damaged(Exception):
    """What is stored isn't what was taken in."""


def keep_upload(
    system: System,
    owner: Owner,
    draft_id: str | None,
    upload: Upload,
    kind: str,
    now: datetime,
    key: str | None = None,
) -> Kept | Fault:
    """Take a file in, whole or not at all; ``draft_id`` is the form that it is put in. With a ``key`` the
    same file is taken in once.
    """
    try:
        kept = _checked(upload, kind, _new_id(system, owner, key))
    except Unfit as unfit:
        return fault(unfit.code)
    row = _row(system, owner, draft_id, kept, now)
    try:
        with system.database.transaction() as session:
            rows.lock_owner(session, owner.sub)
            known = rows.find(session, kept.id)
            if known is not None:
                return kept if _opened(system, known) == kept else fault("idempotency_key_reused")
            if _is_full_up(session, owner, draft_id):
                return fault("attachment_too_many")
            rows.add(session, row, _sealed(system, row, upload.content))
    except OperationalError as error:
        if rows.is_full(error):
            return fault("attachment_no_space")
        raise
    return kept


def of_draft(system: System, owner: Owner, draft_id: str, now: datetime) -> list[Kept]:
    """What this person has put in that form."""
    with system.database.reading() as session:
        found = rows.list_of_draft(session, draft_id, owner.sub, owner.enterprise_credit_code, now)
    return [_opened(system, row) for row in found]


def of_report(system: System, report_id: int) -> list[Kept]:
    """The files of a report; whoever calls has made sure that it may be read."""
    with system.database.reading() as session:
        found = rows.list_of_report(session, report_id)
    return [_opened(system, row) for row in found]


def find_own(system: System, owner: Owner, attachment_id: str, now: datetime) -> Kept | None:
    """A person's own file that is in no report yet."""
    with system.database.reading() as session:
        row = rows.find_unclaimed(session, attachment_id, owner.sub, owner.enterprise_credit_code, now)
    return None if row is None else _opened(system, row)


def find_in_report(system: System, reader: Reader, report_no: str, attachment_id: str) -> Kept | None:
    """A file of a report that this person may read; any other is answered like none."""
    with system.database.reading() as session:
        report = reports.find_report(session, report_no, reader.enterprise_credit_code)
        row = None if report is None else rows.find_of_report(session, attachment_id, report.id)
    return None if row is None else _opened(system, row)


def content(system: System, kept: Kept) -> Iterator[bytes]:
    """The content, piece by piece. Raises Damaged before the last piece unless all of it is what was taken
    in, and at the first one that isn't sealed as that piece of that file.
    """
    count = _count_of(kept.size)
    digest, held = hashlib.sha256(), b""
    for number in range(count):
        piece = _piece(system, kept.id, number, count)
        digest.update(piece)
        if held:
            yield held
        held = piece
    if digest.hexdigest() != kept.sha256:
        raise Damaged(kept.id)
    yield held


def remove(system: System, owner: Owner, attachment_id: str, now: datetime) -> bool:
    """Throw away a file that is in no report, at its owner's word; whether it was there."""
    with system.database.transaction() as session:
        own = (owner.sub, owner.enterprise_credit_code, now)
        row = rows.find_unclaimed(session, attachment_id, *own)
        return row is not None and rows.remove(session, [row.id]) == 1


def claim(
    system: System,
    session: Session,
    attachment_ids: Iterable[str],
    reporter: Reporter,
    report_id: int,
    now: datetime,
) -> list[dict[str, Any]] | Fault:
    """Take files of this person into a report, within the caller's transaction.

    Returns the entries of all that the report has then, earlier ones first. After a Fault the caller rolls
    back: nothing may be half claimed.
    """
    wanted = list(dict.fromkeys(attachment_ids))
    if wanted and rows.count_of_report(session, report_id) + len(wanted) > MAX_A_REPORT:
        return fault("attachment_too_many")
    own = (reporter.sub, reporter.enterprise_credit_code, report_id, now)
    # In one order for everybody, so that two who want the same files can't wait for each other.
    if not all(rows.claim(session, attachment_id, *own) for attachment_id in sorted(wanted)):
        return fault("attachment_gone")
    return [_opened(system, row).entry for row in rows.list_of_report(session, report_id)]


def purge(system: System, now: datetime) -> int:
    """Delete files that no report has claimed in time, some at a time; how many there were."""
    purged = 0
    while True:
        with system.database.transaction() as session:
            expired = rows.list_expired(session, now, PURGE_BATCH)
            purged += rows.remove(session, expired)
        if len(expired) < PURGE_BATCH:
            return purged


def _new_id(system: System, owner: Owner, key: str | None) -> str:
    """A name that nobody can guess; the same for the same key of the same person."""
    if key is None:
        return secrets.token_urlsafe(16)
    named = f"{owner.sub}\0{owner.enterprise_credit_code}\0{key}"
    return system.fields.digest(named, "attachments.key")[:32]


def _checked(upload: Upload, kind: str, attachment_id: str) -> Kept:
    """What is to be stored; raises Unfit."""
    if kind not in set(AttachmentKind):
        raise Unfit("attachment_kind_missing")
    if len(upload.content) > MAX_BYTES:
        raise Unfit("attachment_too_large")
    filename = file_names.clean(upload.filename)
    content_type = file_types.type_of(upload.content, filename)
    if content_type not in allowed_types(AttachmentKind(kind)):
        raise Unfit("attachment_type_not_allowed")
    if not file_names.suits(filename, content_type):
        raise Unfit("attachment_name_mismatch")
    return Kept(
        attachment_id,
        AttachmentKind(kind),
        filename,
        content_type,
        len(upload.content),
        hashlib.sha256(upload.content).hexdigest(),
    )


def _row(system: System, owner: Owner, draft_id: str | None, kept: Kept, now: datetime) -> Attachment:
    return Attachment(
        id=kept.id,
        draft_id=draft_id,
        enterprise_credit_code=owner.enterprise_credit_code,
        sub=owner.sub,
        kind=kept.kind,
        filename_sealed=system.fields.seal(kept.filename, _name_context(kept.id)),
        content_type=kept.content_type,
        size=kept.size,
        sha256=kept.sha256,
        chunks=_count_of(kept.size),
        created_at=now,
        expires_at=now + UNCLAIMED_TTL,
    )


def _is_full_up(session: Session, owner: Owner, draft_id: str | None) -> bool:
    if rows.count_unclaimed(session, owner.sub) >= MAX_UNCLAIMED:
        return True
    return draft_id is not None and rows.count_unclaimed(session, owner.sub, draft_id) >= MAX_A_REPORT


def _sealed(system: System, row: Attachment, whole: bytes) -> Iterator[bytes]:
    for number in range(row.chunks):
        piece = whole[number * CHUNK_BYTES : (number + 1) * CHUNK_BYTES]
        yield system.fields.seal_bytes(piece, _context(row.id, number, row.chunks))


def _piece(system: System, attachment_id: str, number: int, count: int) -> bytes:
    with system.database.reading() as session:
        sealed = rows.chunk(session, attachment_id, number)
    try:
        return system.fields.open_bytes(sealed or b"", _context(attachment_id, number, count))
    except SealBroken as error:
        raise Damaged(attachment_id) from error


def _opened(system: System, row: Attachment) -> Kept:
    try:
        filename = system.fields.open(row.filename_sealed, _name_context(row.id))
    except SealBroken:
        filename = UNREADABLE_NAME
    kind = AttachmentKind(row.kind)
    return Kept(row.id, kind, filename, row.content_type, row.size, row.sha256)


def _count_of(size: int) -> int:
    return -(-size // CHUNK_BYTES)


def _context(attachment_id: str, number: int, count: int) -> str:
    return f"attachments:{attachment_id}:{number}/{count}"


def _name_context(attachment_id: str) -> str:
    return f"attachments.filename:{attachment_id}"
