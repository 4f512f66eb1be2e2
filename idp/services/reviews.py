"""What reviewers and applicants see of real-name submissions; personal data only where it is needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from sqlalchemy.orm import Session

from idp.crypto import FieldCipher
from idp.domain import submissions
from idp.domain.audit import AuditEvent, Origin
from idp.domain.errors import Refusal
from idp.services import applications, audit
from idp.services.platform import Platform
from idp.storage import enterprises as rows
from idp.storage import scans as scan_rows
from idp.storage.accounts import Account
from idp.storage.database import reading, transaction
from idp.storage.enterprises import RealNameApplication, Upload

PAGE_SIZE: Final = 20


@dataclass(frozen=True, slots=True)
class ScanView:
    """A scan without its content; ``size`` in bytes, ``kept_until`` None while no decision has been made."""

    id: str
    purpose: str
    content_type: str
    size: int
    kept_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReviewView:
    """A submission. ``fields``, ``scans`` and ``warnings`` are filled for its reviewer only.

    ``status`` is pending, approved or rejected; ``subject_name`` the person's or the enterprise's name;
    ``fields`` the form in canonical form; ``warnings`` codes of what to look at twice.
    """

    id: str
    account_id: str
    login_name: str
    subject_type: str
    subject_name: str
    manual: bool
    status: str
    reason: str | None
    submitted_at: datetime
    decided_at: datetime | None
    fields: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    scans: tuple[ScanView, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UploadView:
    """A scan with its content, decrypted."""

    id: str
    purpose: str
    content_type: str
    content: bytes


def list_pending(platform: Platform, page: int) -> list[ReviewView]:
    """What waits for a reviewer, oldest first, PAGE_SIZE a page; pages count from 1."""
    with reading() as session:
        found = rows.list_pending_applications(
            session, offset=(max(page, 1) - 1) * PAGE_SIZE, limit=PAGE_SIZE
        )
    return [_summary(platform.keyring.fields, *row) for row in found]


def count_pending(platform: Platform) -> int:
    """How many wait for a reviewer."""
    with reading() as session:
        return rows.count_pending_applications(session)


def latest(platform: Platform, account_id: str) -> ReviewView | None:
    """The account's newest submission, for its applicant."""
    with reading() as session:
        found = rows.find_latest_application(session, account_id)
    return _summary(platform.keyring.fields, *found) if found else None


def get_review(platform: Platform, application_id: str) -> ReviewView | Refusal:
    """A submission with all its fields, for its reviewer; Refusal ``not_found``."""
    with reading() as session:
        found = rows.find_application(session, application_id)
        if found is None:
            return Refusal.of("not_found")
        uploads = rows.list_uploads(session, application_id)
    application, login_name = found
    fields = applications.form_of(platform.keyring.fields, application)
    return _view(
        application,
        login_name,
        fields,
        shown=fields,
        scans=tuple(ScanView(u.id, u.purpose, u.content_type, u.size) for u in uploads),
        warnings=submissions.warnings(submissions.subject_of(fields)),
    )


def get_upload(platform: Platform, upload_id: str, actor_id: str, origin: Origin) -> UploadView | Refusal:
    """A scan with its content, for an administrator; that it was seen stands in the audit trail."""
    with transaction() as session:
        upload = session.get(Upload, upload_id)
        if upload is None or not _is_administrator(session, actor_id):
            return Refusal.of("not_found")
        _record_view(session, upload, actor_id, origin)
    return _opened(platform, upload)


def get_own_upload(
    platform: Platform, upload_id: str, account_id: str, origin: Origin
) -> UploadView | Refusal:
    """The same for the account that sent it."""
    with transaction() as session:
        upload = session.get(Upload, upload_id)
        if upload is None or upload.account_id != account_id:
            return Refusal.of("not_found")
        _record_view(session, upload, account_id, origin)
    return _opened(platform, upload)


def list_own_uploads(platform: Platform, account_id: str) -> list[ScanView]:
    """What an account has sent and is still kept, the newest first."""
    kept_for = timedelta(days=platform.settings.scan_retention_days)
    with reading() as session:
        found = scan_rows.list_uploads_of_account(session, account_id)
    return [
        ScanView(u.id, u.purpose, u.content_type, u.size, a.decided_at + kept_for if a.decided_at else None)
        for u, a in found
    ]


def _record_view(session: Session, upload: Upload, actor_id: str, origin: Origin) -> None:
    audit.record(
        session,
        AuditEvent.UPLOAD_VIEW,
        origin,
        account_id=actor_id,
        object_id=upload.id,
        detail={"applicant": upload.account_id, "purpose": upload.purpose},
    )


def _opened(platform: Platform, upload: Upload) -> UploadView:
    content = platform.keyring.fields.decrypt_bytes(upload.content_encrypted, applications.CONTENT_CONTEXT)
    return UploadView(upload.id, upload.purpose, upload.content_type, content)


def _is_administrator(session: Session, account_id: str) -> bool:
    account = session.get(Account, account_id)
    return account is not None and account.platform_role == "administrator"


def _summary(cipher: FieldCipher, application: RealNameApplication, login_name: str) -> ReviewView:
    return _view(application, login_name, applications.form_of(cipher, application))


def _view(
    application: RealNameApplication,
    login_name: str,
    fields: Mapping[str, str],
    *,
    shown: Mapping[str, str] = MappingProxyType({}),
    scans: tuple[ScanView, ...] = (),
    warnings: tuple[str, ...] = (),
) -> ReviewView:
    return ReviewView(
        id=application.id,
        account_id=application.account_id,
        login_name=login_name,
        subject_type=application.subject_type,
        subject_name=fields.get("enterprise_name") or fields["real_name"],
        manual=application.manual,
        status=application.status,
        reason=application.reason,
        submitted_at=application.submitted_at,
        decided_at=application.decided_at,
        fields=shown,
        scans=scans,
        warnings=warnings,
    )
