"""平台代审: a person asks the platform, with evidence, because the enterprise's account can't decide.

A reviewer decides with a reason, never about himself. The enterprise's account and its other handlers are
told, so that nobody becomes a handler behind their backs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp import clock, crypto, sms
from idp.domain import accounts as account_rules
from idp.domain import dates, throttling
from idp.domain import handler_escalations as rules
from idp.domain.audit import AuditEvent, Origin
from idp.domain.errors import Problem, Refusal
from idp.domain.handler_escalations import Grounds
from idp.domain.handlers import Status
from idp.services import audit, handler_decisions, handler_reviews, handler_steps, scans
from idp.services import handler_notices as notices
from idp.services.handler_decisions import Decision
from idp.services.handler_steps import Actor
from idp.services.platform import Platform
from idp.services.scans import CheckedScan, Scan
from idp.services.throttling import admit
from idp.storage import handler_escalations as rows
from idp.storage import handlers as handler_rows
from idp.storage.accounts import Account
from idp.storage.database import transaction
from idp.storage.handler_escalations import HandlerEscalation, HandlerEvidence
from idp.storage.handlers import Told

EXPLANATION: Final = "handler_escalations.explanation"
CONTENT: Final = "handler_evidence.content"
PURPOSE: Final = "evidence_scan"


@dataclass(frozen=True, slots=True)
class EscalationForm:
    """What a person sends."""

    ground: str
    explanation: str
    scan: Scan


def submit(
    platform: Platform, account_id: str, authorization_id: str, form: EscalationForm, origin: Origin
) -> str | Refusal:
    """Ask the platform; the enterprise's account is told. The escalation's id."""
    refusal = _too_much(platform, account_id, len(form.scan.content))
    if refusal:
        return refusal
    grounds, scan = rules.read(form.ground, form.explanation), scans.check(form.scan)
    problems = list(grounds.problems) if isinstance(grounds, Refusal) else []
    problems += [scan] if isinstance(scan, Problem) else []
    if isinstance(grounds, Refusal) or isinstance(scan, Problem):
        return Refusal(tuple(problems))
    try:
        with transaction() as session:
            return _submit(session, platform, account_id, authorization_id, grounds, scan, origin)
    except IntegrityError:  # the partial unique index: one waits already
        return Refusal.of("escalation_pending")


def _too_much(platform: Platform, account_id: str, octets: int) -> Refusal | None:
    return admit(platform, throttling.UPLOADS_OF_ACCOUNT, account_id) or admit(
        platform, throttling.UPLOADED_BYTES_OF_ACCOUNT, account_id, amount=octets
    )


def _submit(
    session: Session,
    platform: Platform,
    account_id: str,
    authorization_id: str,
    grounds: Grounds,
    scan: CheckedScan,
    origin: Origin,
) -> str | Refusal:
    now = clock.now()
    told = handler_rows.lock(session, authorization_id)
    if told is None or told[0].account_id != account_id:
        return Refusal.of("not_found")
    refusal = rules.refuse(handler_steps.standing_of(told[0]), now)
    if refusal or told[2].status != "active":
        return refusal or Refusal.of("enterprise_closed")
    cipher = platform.keyring.fields
    escalation = HandlerEscalation(
        id=crypto.random_id(),
        handler_authorization_id=authorization_id,
        account_id=account_id,
        ground=grounds.ground,
        explanation_encrypted=cipher.encrypt(grounds.explanation, EXPLANATION),
        status="pending",
        submitted_at=now,
    )
    session.add(escalation)
    session.flush()
    session.add(
        HandlerEvidence(
            id=crypto.random_id(),
            escalation_id=escalation.id,
            content_type=scan.content_type,
            size=len(scan.content),
            content_encrypted=cipher.encrypt_bytes(scan.content, CONTENT),
            created_at=now,
        )
    )
    actor = Actor("handler", account_id)
    handler_steps.record(session, AuditEvent.HANDLER_ESCALATE, origin, actor, told[0])
    notices.tell_enterprise(session, platform, "handler_escalated", told[1], told[2])
    return escalation.id


def withdraw(platform: Platform, account_id: str, authorization_id: str, origin: Origin) -> Refusal | None:
    """The person doesn't ask any more."""
    del platform
    now = clock.now()
    with transaction() as session:
        told = handler_rows.lock(session, authorization_id)
        escalation = rows.find_pending(session, authorization_id)
        if told is None or told[0].account_id != account_id or escalation is None:
            return Refusal.of("escalation_not_pending")
        escalation.status, escalation.decided_at = "withdrawn", now
        actor = Actor("handler", account_id)
        handler_steps.record(session, AuditEvent.HANDLER_ESCALATION_WITHDRAW, origin, actor, told[0])
    return None


def decide(
    platform: Platform, actor_id: str, escalation_id: str, decision: str, reason: str, origin: Origin
) -> Refusal | None:
    """An administrator's ``approve`` or ``reject``, with a reason; not about himself, nor his enterprise.

    Approved, an application is in force and a suspended authorisation goes on, for half a year at most.
    """
    note = rules.read_decision(decision, reason)
    if isinstance(note, Refusal):
        return note
    now = clock.now()
    with transaction() as session:
        escalation, told = _lock(session, escalation_id)
        if escalation is None or told is None:
            return Refusal.of("not_found")
        if not _may_decide(session, actor_id, told):
            return Refusal.of("not_permitted")
        if escalation.status != "pending":
            return Refusal.of("escalation_not_pending")
        refusal = _decide(session, platform, escalation, told, decision, note, actor_id, origin, now)
        if refusal:
            session.rollback()
    return refusal


def _lock(session: Session, escalation_id: str) -> tuple[HandlerEscalation | None, Told | None]:
    """Enterprise, account, authorisation, escalation: in the order that everybody keeps."""
    seen = rows.find(session, escalation_id)
    if seen is None:
        return None, None
    handler_rows.lock_sides(session, seen.handler_authorization_id)
    told = handler_rows.lock(session, seen.handler_authorization_id)
    return rows.lock(session, escalation_id), told


def _may_decide(session: Session, actor_id: str, told: Told) -> bool:
    actor = session.get(Account, actor_id)
    authorization, _, enterprise = told
    own = {authorization.account_id, enterprise.legal_account_id}
    return actor is not None and actor.platform_role == "administrator" and actor.id not in own


def _decide(
    session: Session,
    platform: Platform,
    escalation: HandlerEscalation,
    told: Told,
    decision: str,
    note: str,
    actor_id: str,
    origin: Origin,
    now: datetime,
) -> Refusal | None:
    approved, actor = decision == "approve", Actor("platform", actor_id)
    escalation.status = "approved" if approved else "rejected"
    escalation.decided_at, escalation.decided_by, escalation.reason = now, actor_id, note
    event = AuditEvent.HANDLER_ESCALATION_APPROVE if approved else AuditEvent.HANDLER_ESCALATION_REJECT
    handler_steps.record(session, event, origin, actor, told[0], reason=note)
    if not approved:
        notices.tell_applicant(session, platform, "handler_escalation_rejected", told)
        return None
    refusal = _approve(session, platform, told, actor, origin, now)
    if refusal is None:
        _tell_others(session, platform, told, now)
    return refusal


def _approve(
    session: Session, platform: Platform, told: Told, actor: Actor, origin: Origin, now: datetime
) -> Refusal | None:
    authorization, _, enterprise = told
    standing = handler_steps.standing_of(authorization)
    refusal = rules.refuse(standing, now)
    if refusal or enterprise.status != "active":
        return refusal or Refusal.of("enterprise_closed")
    until = rules.until(standing.valid_until, now)
    authorization.route = "last_resort"
    if standing.status is Status.SUSPENDED:
        handler_steps.write(authorization, replace(standing, valid_until=until))
        return handler_reviews.confirm_one(session, platform, told, actor, origin, now)
    typed = Decision("approve", valid_until=dates.china_date(until).isoformat())
    result = handler_decisions.settle(session, platform, told, typed, actor, origin, now)
    return result if isinstance(result, Refusal) else None


def _tell_others(session: Session, platform: Platform, told: Told, now: datetime) -> None:
    """The enterprise's account and its other handlers hear of it, with the person's name half hidden."""
    authorization, applicant, enterprise = told
    sealed = applicant.real_name_encrypted
    name = platform.keyring.fields.decrypt(sealed, "accounts.real_name") if sealed else applicant.login_name
    text = sms.text(
        "handler_last_resort",
        applicant_name=account_rules.mask_name(name),
        enterprise_name=enterprise.enterprise_name,
    )
    others = rows.list_other_handlers(session, authorization, now)
    for account_id in (enterprise.legal_account_id, *others):
        account = session.get_one(Account, account_id)
        notices.tell(session, platform, account, "handler_last_resort", text)


# --- the scans


def get_evidence(
    platform: Platform, evidence_id: str, viewer_id: str, origin: Origin
) -> tuple[str, bytes] | Refusal:
    """Type and content of a scan, for whoever sent it and for administrators; that it was seen is audited."""
    with transaction() as session:
        found = rows.find_evidence(session, evidence_id)
        viewer = session.get(Account, viewer_id)
        if found is None or viewer is None:
            return Refusal.of("not_found")
        evidence, owner_id = found
        if viewer_id != owner_id and viewer.platform_role != "administrator":
            return Refusal.of("not_found")
        audit.record(
            session,
            AuditEvent.UPLOAD_VIEW,
            origin,
            account_id=viewer_id,
            object_id=evidence_id,
            detail={"applicant": owner_id, "purpose": PURPOSE},
        )
    content = platform.keyring.fields.decrypt_bytes(evidence.content_encrypted, CONTENT)
    return evidence.content_type, content
