"""The end of scans: some days after a decision, with the account, or when a form was never sent again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from idp.domain.audit import AuditEvent, Origin
from idp.services import audit
from idp.services.platform import Platform
from idp.storage import handler_escalations, phone_changes
from idp.storage import scans as rows
from idp.storage.database import transaction

BATCH: Final = 20  # up to 20 MB each: on SQLite everybody else's writes wait meanwhile


def purge(platform: Platform, now: datetime, origin: Origin) -> int:
    """Delete a batch of what is due; how many. For the worker."""
    decided_before = now - timedelta(days=platform.settings.scan_retention_days)
    with transaction() as session:
        taken = rows.take_decided_uploads(session, decided_before, BATCH)
        _record(session, taken, origin, "retention")
    with transaction() as session:
        evidence = handler_escalations.take_decided_evidence(session, decided_before, BATCH)
        _record(session, _named("evidence_scan", evidence), origin, "retention")
    with transaction() as session:
        of_phones = phone_changes.take_decided_scans(session, decided_before, BATCH)
        _record(session, _named("document_scan", of_phones), origin, "retention")
    with transaction() as session:
        held = rows.purge_held(session, now, BATCH)
    return len(taken) + len(evidence) + len(of_phones) + held


def delete_of_application(session: Session, application_id: str, origin: Origin) -> int:
    """Delete a submission's scans in the caller's transaction: where they aren't kept after a decision."""
    taken = rows.take_uploads_of_application(session, application_id)
    _record(session, taken, origin, "retention")
    return len(taken)


def delete_of_account(session: Session, account_id: str, origin: Origin) -> int:
    """Delete every scan of an account in the caller's transaction: when the account is deleted; how many."""
    taken = rows.take_uploads_of_account(session, account_id)
    taken += _named("evidence_scan", handler_escalations.take_evidence_of_account(session, account_id))
    _record(session, taken, origin, "account_deleted")
    return len(taken)


def _named(purpose: str, taken: list[tuple[str, str]]) -> list[tuple[str, str, str]]:
    return [(scan_id, account_id, purpose) for scan_id, account_id in taken]


def _record(session: Session, taken: list[tuple[str, str, str]], origin: Origin, reason: str) -> None:
    for upload_id, account_id, purpose in taken:
        audit.record(
            session,
            AuditEvent.UPLOAD_DELETE,
            origin,
            account_id=account_id,
            object_id=upload_id,
            detail={"purpose": purpose, "reason": reason},
        )
