"""更换手机号审核: what a reviewer sees of an application, and what the decision does."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp import clock
from idp.domain import accounts as account_rules
from idp.domain import phone_changes as rules
from idp.domain.audit import AuditEvent, Origin
from idp.domain.errors import Refusal
from idp.services import audit, handlers, phone_changes, revocation
from idp.services.phone_change_applications import FORM_CONTEXT, SCAN_CONTEXT
from idp.services.phone_changes import new_number_of
from idp.services.platform import Platform
from idp.storage import phone_changes as rows
from idp.storage.accounts import Account
from idp.storage.database import reading, transaction
from idp.storage.phone_changes import PhoneChange

PAGE_SIZE: Final = 20


@dataclass(frozen=True, slots=True)
class PhoneChangeSummary:
    """A line of the queue."""

    id: str
    login_name: str
    subject_type: str | None
    status: str
    applied_at: datetime


@dataclass(frozen=True, slots=True)
class PhoneChangeView:
    """An application for its reviewer. Phones are masked; name and number are what the account has proved,
    to be compared with the document. ``enterprises`` are those for which the account acts.
    """

    id: str
    login_name: str
    subject_type: str | None
    status: str
    reason: str | None
    applied_at: datetime
    approvable_at: datetime
    former_phone: str
    phone: str
    real_name: str
    document_number: str
    explanation: str
    enterprises: tuple[str, ...]
    is_administrator: bool
    scan_content_type: str | None  # None: the document has been deleted


@dataclass(frozen=True, slots=True)
class ScanView:
    """The document, decrypted."""

    content_type: str
    content: bytes


def list_pending(platform: Platform, page: int) -> list[PhoneChangeSummary]:
    """What waits for a reviewer, oldest first, PAGE_SIZE a page; pages count from 1."""
    del platform
    with reading() as session:
        found = rows.list_pending(session, (max(page, 1) - 1) * PAGE_SIZE, PAGE_SIZE)
    return [
        PhoneChangeSummary(row.id, account.login_name, account.subject_type, row.status, row.applied_at)
        for row, account in found
    ]


def count_pending(platform: Platform) -> int:
    """How many wait for a reviewer."""
    del platform
    with reading() as session:
        return rows.count_pending(session)


def get(platform: Platform, phone_change_id: str) -> PhoneChangeView | Refusal:
    """An application for its reviewer; ``not_found``."""
    with reading() as session:
        found = rows.find(session, phone_change_id)
    if found is None:
        return Refusal.of("not_found")
    row, account = found
    form = json.loads(platform.keyring.fields.decrypt(row.form_encrypted, FORM_CONTEXT))
    return PhoneChangeView(
        id=row.id,
        login_name=account.login_name,
        subject_type=account.subject_type,
        status=row.status,
        reason=row.reason,
        applied_at=row.applied_at,
        approvable_at=_approvable_at(platform, row, account),
        former_phone=account_rules.mask_phone(phone_changes.phone_of(platform, account)),
        phone=account_rules.mask_phone(new_number_of(platform, row)),
        real_name=form["real_name"],
        document_number=form["document_number"],
        explanation=form["explanation"],
        enterprises=_enterprises(platform, row),
        is_administrator=account.platform_role is not None,
        scan_content_type=row.scan_content_type if row.scan_size else None,
    )


def _enterprises(platform: Platform, row: PhoneChange) -> tuple[str, ...]:
    acting = handlers.acting_candidates(platform, row.account_id, clock.now())
    return tuple(candidate.enterprise_name for candidate in acting)


def _approvable_at(platform: Platform, row: PhoneChange, account: Account) -> datetime:
    """Without a wait where waits are lifted, and on a developer's machine."""
    settings = platform.settings
    authority = account.platform_role is not None or bool(_enterprises(platform, row))
    waits = settings.throttle and not settings.development and authority
    return rules.approvable_at(row.applied_at, has_authority=waits)


def get_scan(platform: Platform, phone_change_id: str, actor_id: str, origin: Origin) -> ScanView | Refusal:
    """The document, for an administrator; that it was seen stands in the audit trail. ``not_found``."""
    with transaction() as session:
        row = rows.find_scan(session, phone_change_id)
        if row is None or row.scan_encrypted is None or not _is_administrator(session, actor_id):
            return Refusal.of("not_found")
        audit.record(
            session,
            AuditEvent.UPLOAD_VIEW,
            origin,
            account_id=actor_id,
            object_id=row.id,
            detail={"applicant": row.account_id, "purpose": "phone_change"},
        )
    content = platform.keyring.fields.decrypt_bytes(row.scan_encrypted, SCAN_CONTEXT)
    return ScanView(row.scan_content_type, content)


def _is_administrator(session: Session, account_id: str) -> bool:
    account = session.get(Account, account_id)
    return account is not None and account.platform_role == "administrator"


def decide(
    platform: Platform, phone_change_id: str, decision: str, reason: str, actor_id: str, origin: Origin
) -> Refusal | None:
    """An administrator's ``approve`` or ``reject`` (with a reason), not of one's own application.

    ``not_found``, ``not_permitted``, ``phone_taken`` if another account has the number by now, and the codes
    of ``rules.decide``.
    """
    try:
        with transaction() as session:
            return _decide(session, platform, phone_change_id, decision, reason, actor_id, origin)
    except IntegrityError:
        return Refusal.of("phone_taken")


def _decide(
    session: Session,
    platform: Platform,
    phone_change_id: str,
    decision: str,
    reason: str,
    actor_id: str,
    origin: Origin,
) -> Refusal | None:
    row = rows.lock(session, phone_change_id)
    if row is None:
        return Refusal.of("not_found")
    if row.account_id == actor_id or not _is_administrator(session, actor_id):
        return Refusal.of("not_permitted")
    approvable = _approvable_at(platform, row, session.get_one(Account, row.account_id))
    after = rules.decide(row.status, decision, reason, approvable, clock.now())
    if isinstance(after, Refusal):
        return after
    row.status, row.decided_at, row.decided_by = after, clock.now(), actor_id
    row.reason = reason.strip() or None
    if after == rules.APPROVED:
        _approve(session, platform, row, origin)
    else:
        _reject(session, platform, row)
    _record(session, row, actor_id, origin)
    return None


def _approve(session: Session, platform: Platform, row: PhoneChange, origin: Origin) -> None:
    """All that rests on the lost phone ends with it, offline access too."""
    phone_changes.bind(session, platform, row.account_id, new_number_of(platform, row), origin)
    revocation.revoke_for_account(session, platform, row.account_id, "phone_changed", clock.now())


def _reject(session: Session, platform: Platform, row: PhoneChange) -> None:
    account = session.get_one(Account, row.account_id)
    number = new_number_of(platform, row)
    phone_changes.tell(session, platform, number, "phone_change_rejected", account)


def _record(session: Session, row: PhoneChange, actor_id: str, origin: Origin) -> None:
    approved = row.status == rules.APPROVED
    audit.record(
        session,
        AuditEvent.PHONE_CHANGE_APPROVE if approved else AuditEvent.PHONE_CHANGE_REJECT,
        origin,
        account_id=actor_id,
        object_id=row.id,
        detail={"applicant": row.account_id},
    )
