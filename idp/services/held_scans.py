"""Files that were fine in a form that has to be sent again: nobody picks the same file twice.

They are held encrypted for an hour at most, one for each field and kind of person, for their owner alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.exc import IntegrityError

from idp import clock, crypto
from idp.crypto import FieldCipher
from idp.domain import throttling as limits
from idp.domain.audit import AuditEvent, Origin
from idp.domain.errors import Problem, Refusal
from idp.services import audit, scans, throttling
from idp.services.platform import Platform
from idp.services.scans import CheckedScan, Scan
from idp.storage import scans as rows
from idp.storage.database import reading, transaction
from idp.storage.scans import HeldScan

HELD_FOR: Final = timedelta(hours=1)
NAME_CONTEXT: Final = "held_scans.filename"
CONTENT_CONTEXT: Final = "held_scans.content"


@dataclass(frozen=True, slots=True)
class HeldView:
    """A held scan without its content; ``size`` in bytes."""

    id: str
    purpose: str
    filename: str
    content_type: str
    size: int


@dataclass(frozen=True, slots=True)
class Received:
    """The files of a form by field, checked or with their problem, what is held among them; and those that
    have just come and are fine.
    """

    files: Mapping[str, CheckedScan | Problem]
    fresh: tuple[CheckedScan, ...]

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with those that have come."""
        return tuple(file for file in self.files.values() if isinstance(file, Problem))


def receive(
    platform: Platform, account_id: str, subject_type: str, given: Sequence[Scan], origin: Origin
) -> Received | Refusal:
    """Check what came with a form, and take what is held for its other fields. ``upload_limit`` (seconds).

    May raise EphemeralUnavailable.
    """
    refusal = _refuse_too_many(platform, account_id, given, origin)
    if refusal:
        return refusal
    checked = {scan.purpose: scans.check(scan) for scan in given}
    held = _find_checked(platform, account_id, subject_type, set(checked))
    fresh = tuple(file for file in checked.values() if isinstance(file, CheckedScan))
    return Received(held | checked, fresh)


def _refuse_too_many(
    platform: Platform, account_id: str, given: Sequence[Scan], origin: Origin
) -> Refusal | None:
    size = sum(len(scan.content) for scan in given)
    counted = (
        (limits.UPLOADS_OF_ACCOUNT, account_id, len(given)),
        (limits.UPLOADS_OF_ADDRESS, origin.address, len(given)),
        (limits.UPLOADED_BYTES_OF_ACCOUNT, account_id, size),
        (limits.UPLOADED_BYTES_OF_ADDRESS, origin.address, size),
    )
    refusals = (throttling.admit(platform, limit, whom, amount=amount) for limit, whom, amount in counted)
    return next(filter(None, refusals), None) if given else None


def _find_checked(
    platform: Platform, account_id: str, subject_type: str, but: Collection[str]
) -> dict[str, CheckedScan | Problem]:
    """What is held for the other fields, as it was checked."""
    now, cipher = clock.now(), platform.keyring.fields
    with reading() as session:
        held = [h for h in rows.list_held(session, account_id, subject_type, now) if h.purpose not in but]
        contents = {h.purpose: rows.find_held_content(session, h.id) for h in held}
    return {
        h.purpose: CheckedScan(
            h.purpose,
            h.content_type,
            cipher.decrypt_bytes(content, CONTENT_CONTEXT),
            cipher.decrypt(h.filename_encrypted, NAME_CONTEXT),
        )
        for h in held
        if (content := contents[h.purpose]) is not None
    }


def hold(platform: Platform, account_id: str, subject_type: str, files: Sequence[CheckedScan]) -> None:
    """Keep these until the form comes again; when two forms come at once, one's files are kept."""
    if not files:
        return
    cipher, expires_at = platform.keyring.fields, clock.now() + HELD_FOR
    values = [_values(cipher, account_id, subject_type, file, expires_at) for file in files]
    try:
        with transaction() as session:
            for each in values:
                rows.hold(session, each)
    except IntegrityError:
        return


def _values(
    cipher: FieldCipher, account_id: str, subject_type: str, file: CheckedScan, expires_at: datetime
) -> dict[str, object]:
    return {
        "id": crypto.random_id(),
        "account_id": account_id,
        "subject_type": subject_type,
        "purpose": file.purpose,
        "filename_encrypted": cipher.encrypt(file.filename, NAME_CONTEXT),
        "content_type": file.content_type,
        "size": len(file.content),
        "content_encrypted": cipher.encrypt_bytes(file.content, CONTENT_CONTEXT),
        "expires_at": expires_at,
    }


def list_held(platform: Platform, account_id: str, subject_type: str) -> dict[str, HeldView]:
    """What is held for a form, by field."""
    with reading() as session:
        held = rows.list_held(session, account_id, subject_type, clock.now())
    return {each.purpose: _view(platform.keyring.fields, each) for each in held}


def get_held(platform: Platform, held_id: str, account_id: str, origin: Origin) -> CheckedScan | Refusal:
    """A held scan with its content, for its owner; that it was seen stands in the audit trail."""
    cipher = platform.keyring.fields
    with transaction() as session:
        held = rows.find_held(session, held_id, account_id, clock.now())
        if held is None:
            return Refusal.of("not_found")
        audit.record(
            session,
            AuditEvent.UPLOAD_VIEW,
            origin,
            account_id=account_id,
            object_id=held.id,
            detail={"applicant": account_id, "purpose": held.purpose, "held": True},
        )
    content = cipher.decrypt_bytes(held.content_encrypted, CONTENT_CONTEXT)
    return CheckedScan(held.purpose, held.content_type, content)


def _view(cipher: FieldCipher, held: HeldScan) -> HeldView:
    filename = cipher.decrypt(held.filename_encrypted, NAME_CONTEXT)
    return HeldView(held.id, held.purpose, filename, held.content_type, held.size)
