"""Real-name authentication: a submission checked against the registry at once, or decided by a reviewer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp import clock, sms
from idp.domain import real_name, submissions
from idp.domain.audit import AuditEvent, Origin
from idp.domain.errors import Refusal
from idp.domain.real_name import Status, Verification
from idp.domain.submissions import Subject
from idp.domain.throttling import REAL_NAME_OF_ACCOUNT
from idp.services import (
    applications,
    audit,
    held_scans,
    identities,
    outbox,
    scan_retention,
    throttling,
)
from idp.services.applications import Checked, Submission
from idp.services.held_scans import Received
from idp.services.platform import Platform
from idp.services.reviews import (
    ReviewView,
    ScanView,
    UploadView,
    count_pending,
    get_review,
    get_upload,
    latest,
    list_pending,
)
from idp.storage import enterprises as rows
from idp.storage import scans as scan_rows
from idp.storage.accounts import Account
from idp.storage.database import reading, transaction
from idp.storage.enterprises import RealNameApplication

__all__ = [
    "ReviewView",
    "ScanView",
    "Submission",
    "SubmissionOutcome",
    "UploadView",
    "count_pending",
    "decide",
    "get_review",
    "get_upload",
    "hold",
    "latest",
    "list_pending",
    "submit",
]


@dataclass(frozen=True, slots=True)
class SubmissionOutcome:
    """What became of it."""

    status: Literal["approved", "pending"]
    application_id: str


def submit(
    platform: Platform, account_id: str, submission: Submission, origin: Origin
) -> SubmissionOutcome | Refusal:
    """Authenticate the account by the registry, or queue the submission for a reviewer.

    The registry is asked outside the transaction; the account's state is checked before and inside it.
    Files that are fine are held for an hour when anything else isn't.
    """
    received = held_scans.receive(platform, account_id, submission.subject_type, submission.scans, origin)
    if isinstance(received, Refusal):
        return received
    outcome = _submit(platform, account_id, submission, received, origin)
    if isinstance(outcome, Refusal):
        held_scans.hold(platform, account_id, submission.subject_type, received.fresh)
    return outcome


def hold(platform: Platform, account_id: str, submission: Submission, origin: Origin) -> Refusal | None:
    """Only check and hold the files: the form isn't looked at yet, and will come again."""
    received = held_scans.receive(platform, account_id, submission.subject_type, submission.scans, origin)
    if isinstance(received, Refusal):
        return received
    held_scans.hold(platform, account_id, submission.subject_type, received.fresh)
    return Refusal(received.problems) if received.problems else None


def _submit(
    platform: Platform, account_id: str, submission: Submission, received: Received, origin: Origin
) -> SubmissionOutcome | Refusal:
    now = clock.now()
    checked = applications.check(platform, submission, received.files, now)
    if isinstance(checked, Refusal):
        return checked
    refusal = _refuse_early(platform, account_id, checked.subject)
    if refusal:
        return refusal
    fields = submissions.fields_of(checked.subject)
    matched = None if checked.manual else platform.registry.matches(checked.subject_type, fields)
    try:
        with transaction() as session:
            return _store(session, platform, account_id, checked, matched, origin, now)
    except IntegrityError:
        return _refuse_loser(platform, checked.subject)


def decide(
    platform: Platform, application_id: str, decision: str, reason: str | None, actor_id: str, origin: Origin
) -> Refusal | None:
    """An administrator's ``approve`` or ``reject`` (with a reason); approving has the effects of a match."""
    now = clock.now()
    try:
        with transaction() as session:
            return _decide(session, platform, application_id, decision, reason, actor_id, origin, now)
    except IntegrityError:
        return _refuse_late(platform, application_id)


def _refuse_early(platform: Platform, account_id: str, subject: Subject) -> Refusal | None:
    """What can be said before the registry is asked, which must not become a search engine for identities."""
    with reading() as session:
        account = session.get_one(Account, account_id)
        refusal = real_name.refuse_submission(_verification(account)) or identities.refuse_taken(
            session, platform.keyring.fields, subject
        )
    return refusal or throttling.admit(platform, REAL_NAME_OF_ACCOUNT, account_id)


def _refuse_loser(platform: Platform, subject: Subject) -> Refusal:
    """The reason for a unique constraint's objection: two were at it at once."""
    with reading() as session:
        taken = identities.refuse_taken(session, platform.keyring.fields, subject)
    return taken or Refusal.of("application_pending")


def _refuse_late(platform: Platform, application_id: str) -> Refusal:
    """The same for a reviewer: another account became this person or enterprise in the same moment."""
    with reading() as session:
        application = session.get_one(RealNameApplication, application_id)
    form = applications.form_of(platform.keyring.fields, application)
    return _refuse_loser(platform, submissions.subject_of(form))


def _store(
    session: Session,
    platform: Platform,
    account_id: str,
    checked: Checked,
    matched: bool | None,
    origin: Origin,
    now: datetime,
) -> SubmissionOutcome | Refusal:
    account = session.get_one(Account, account_id, with_for_update=True)
    after = real_name.submit(_verification(account), matched=matched, manual=checked.manual, now=now)
    detail = {"subject_type": checked.subject_type, "manual": checked.manual}
    event = AuditEvent.REAL_NAME_SUBMIT
    if isinstance(after, Refusal):
        audit.record(session, event, origin, account_id=account_id, result=after.code, detail=detail)
        return after
    cipher = platform.keyring.fields
    application = applications.application_row(cipher, account_id, checked, after, now)
    session.add(application)
    if not (after.status is Status.VERIFIED and _keeps_none(platform)):
        session.add_all(applications.upload_rows(cipher, application, checked.scans))
    scan_rows.drop_held(session, account_id)
    enterprise_id = _settle(session, platform, account, after, checked.subject, now)
    audit.record(
        session,
        event,
        origin,
        account_id=account_id,
        enterprise_id=enterprise_id,
        object_id=application.id,
        detail={**detail, "status": application.status},
    )
    status: Literal["approved", "pending"] = "approved" if after.status is Status.VERIFIED else "pending"
    return SubmissionOutcome(status, application.id)


def _keeps_none(platform: Platform) -> bool:
    """Whether scans end with the decision."""
    return platform.settings.scan_retention_days == 0


def _settle(
    session: Session,
    platform: Platform,
    account: Account,
    after: Verification,
    subject: Subject,
    now: datetime,
) -> str | None:
    """Write the account's new state; the id of its new enterprise, if it became one's account."""
    if after.status is Status.VERIFIED:
        return identities.give(session, platform.keyring.fields, account, subject, now)
    account.verification_status = after.status.value
    account.updated_at = now
    session.flush()
    return None


def _decide(
    session: Session,
    platform: Platform,
    application_id: str,
    decision: str,
    reason: str | None,
    actor_id: str,
    origin: Origin,
    now: datetime,
) -> Refusal | None:
    application = rows.lock_application(session, application_id)
    if application is None or not _may_decide(session, actor_id, application):
        return Refusal.of("not_found" if application is None else "not_permitted")
    account = session.get_one(Account, application.account_id, with_for_update=True)
    after = real_name.decide(_verification_of(application), decision, reason, now)
    if isinstance(after, Refusal):
        return after
    cipher = platform.keyring.fields
    subject = submissions.subject_of(applications.form_of(cipher, application))
    approved = after.status is Status.VERIFIED
    refusal = identities.refuse_taken(session, cipher, subject) if approved else None
    if refusal:
        return refusal
    application.status = applications.APPLICATION_STATUS[after.status]
    application.reason = after.reason
    application.decided_at = now
    application.decided_by = actor_id
    if _keeps_none(platform):
        scan_retention.delete_of_application(session, application.id, origin)
    enterprise_id = _settle(session, platform, account, after, subject, now)
    _tell(session, platform, account, after)
    audit.record(
        session,
        AuditEvent.REAL_NAME_APPROVE if approved else AuditEvent.REAL_NAME_REJECT,
        origin,
        account_id=actor_id,
        enterprise_id=enterprise_id,
        object_id=application.id,
        detail={"applicant": account.id},
    )
    return None


def _may_decide(session: Session, actor_id: str, application: RealNameApplication) -> bool:
    """An administrator, though not about himself."""
    actor = session.get(Account, actor_id)
    return bool(actor and actor.platform_role == "administrator" and actor.id != application.account_id)


def _tell(session: Session, platform: Platform, account: Account, after: Verification) -> None:
    phone = platform.keyring.fields.decrypt(account.phone_encrypted, "accounts.phone")
    purpose = "real_name_approved" if after.status is Status.VERIFIED else "real_name_rejected"
    outbox.enqueue_sms(session, platform, phone, purpose, sms.text(purpose, login_name=account.login_name))


def _verification(account: Account) -> Verification:
    return Verification(Status(account.verification_status), account.verified_at)


def _verification_of(application: RealNameApplication) -> Verification:
    pending = application.status == "pending"
    return Verification(Status.PENDING if pending else Status.VERIFIED, application.submitted_at)
