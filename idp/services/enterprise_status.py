"""An enterprise closed, opened again, or with another legal representative: what its handlers may do stops.

Suspended authorisations come back one by one, when the enterprise's account confirms them (handler_reviews).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from idp import clock, sms
from idp.crypto import FieldCipher
from idp.domain import enterprises as rules
from idp.domain import handlers
from idp.domain.audit import AuditEvent, Origin
from idp.domain.errors import Refusal
from idp.services import audit, authentication, handler_steps, revocation
from idp.services import handler_notices as notices
from idp.services.handler_steps import SYSTEM, Actor
from idp.services.platform import Platform
from idp.storage import enterprises as rows
from idp.storage import handlers as handler_rows
from idp.storage.accounts import Account
from idp.storage.database import reading, transaction
from idp.storage.enterprises import Enterprise
from idp.storage.handlers import Told

ASKED_EVERY: Final = timedelta(days=1)
ASKED_AT_ONCE: Final = 20


def close(platform: Platform, credit_code: str, origin: Origin, actor: Actor = SYSTEM) -> Refusal | None:
    """Shut an enterprise out: everything granted for it ends, its handlers are suspended, both are told.

    Doing it twice changes nothing. ``not_found``.
    """
    with transaction() as session:
        enterprise = _lock(session, credit_code)
        if enterprise is None:
            return Refusal.of("not_found")
        if enterprise.status == rules.ACTIVE:
            _close(session, platform, enterprise, origin, actor)
        return None


def reopen(platform: Platform, credit_code: str, origin: Origin, actor: Actor = SYSTEM) -> Refusal | None:
    """Let an enterprise act again; its handlers stay suspended until it confirms them. ``not_found``."""
    with transaction() as session:
        enterprise = _lock(session, credit_code)
        if enterprise is None or enterprise.status == rows.VACANT:  # that one waits for an account
            return Refusal.of("not_found")
        if enterprise.status != rules.ACTIVE:
            enterprise.status, enterprise.updated_at = rules.ACTIVE, clock.now()
            _record(session, AuditEvent.ENTERPRISE_REOPEN, origin, actor, enterprise)
            _tell_owner(session, platform, enterprise, "handlers_to_confirm")
        return None


def representative_changed(
    platform: Platform, credit_code: str, origin: Origin, actor: Actor = SYSTEM
) -> Refusal | None:
    """Another person stands for the enterprise: its account has to sign in anew and confirm its handlers,
    who are suspended until then. ``not_found``.
    """
    with transaction() as session:
        enterprise = _lock(session, credit_code)
        if enterprise is None:
            return Refusal.of("not_found")
        change_hands(session, platform, enterprise, "representative_changed", origin, actor)
        return None


def change_hands(
    session: Session, platform: Platform, enterprise: Enterprise, reason: str, origin: Origin, actor: Actor
) -> None:
    """The same for a locked enterprise; ``reason`` is one of handler_reasons.SUSPENSIONS."""
    owner, now = enterprise.legal_account_id, clock.now()
    authentication.end_other_logins(session, platform, owner, None, origin, reason)
    revocation.revoke_for_account(session, platform, owner, reason, now)
    suspended = suspend_all(session, platform, enterprise, reason, origin, actor)
    _record(session, AuditEvent.ENTERPRISE_REPRESENTATIVE, origin, actor, enterprise, reason=reason)
    if suspended:
        _tell_owner(session, platform, enterprise, "handlers_to_confirm")


def suspend_all(
    session: Session, platform: Platform, enterprise: Enterprise, reason: str, origin: Origin, actor: Actor
) -> int:
    """Suspend every authorisation of a locked enterprise that is in force; how many."""
    told = handler_rows.lock_approved(session, enterprise.id)
    return sum(suspend(session, platform, one, reason, origin, actor, clock.now()) for one in told)


def suspend(
    session: Session, platform: Platform, told: Told, reason: str, origin: Origin, actor: Actor, now: datetime
) -> bool:
    """Suspend one, locked, and end what rests on it; the person is told. Whether it was in force."""
    after = handlers.suspend(handler_steps.standing_of(told[0]), reason, now)
    if isinstance(after, Refusal):
        return False
    handler_steps.write(told[0], after)
    handler_steps.record(session, AuditEvent.HANDLER_SUSPEND, origin, actor, told[0], reason_code=reason)
    revocation.revoke_for_handler(session, platform, told[0].id, "handler_suspended", now)
    notices.tell_applicant(session, platform, "handler_suspended", told)
    return True


# --- the registers, asked again


def check(platform: Platform, credit_code: str, origin: Origin) -> str | Refusal | None:
    """Ask the registers about an enterprise and do what follows; what they say. ``not_found``."""
    with reading() as session:
        enterprise = rows.find_enterprise(session, credit_code)
    if enterprise is None:
        return Refusal.of("not_found")
    return _check(platform, enterprise, origin, clock.now())


def check_due(platform: Platform, origin: Origin) -> int:
    """Ask the registers about enterprises that were not asked about for a day; how many. For the worker."""
    now = clock.now()
    with reading() as session:
        due = rows.list_to_ask_about(session, now - ASKED_EVERY, ASKED_AT_ONCE)
    for enterprise in due:
        _check(platform, enterprise, origin, now)
    return len(due)


def _check(platform: Platform, seen: Enterprise, origin: Origin, now: datetime) -> str | None:
    """The registers are asked outside the transaction; of two workers that ask, one finds it done."""
    answer = platform.registry.standing(facts_of(platform.keyring.fields, seen))
    with transaction() as session:
        enterprise = handler_rows.lock_enterprise(session, seen.id)
        if enterprise is None or enterprise.legal_account_id != seen.legal_account_id:
            return None  # another account has taken its place meanwhile
        consequence = rules.consequence(enterprise.registry_answer, answer)
        enterprise.registry_asked_at = now
        enterprise.registry_answer = answer or enterprise.registry_answer
        if enterprise.status == rules.ACTIVE and consequence == rules.CLOSED:
            _close(session, platform, enterprise, origin, SYSTEM)
        elif enterprise.status == rules.ACTIVE and consequence == rules.CHANGED:
            change_hands(session, platform, enterprise, "registry_changed", origin, SYSTEM)
    return answer


def facts_of(cipher: FieldCipher, enterprise: Enterprise) -> dict[str, str]:
    """What the registers are asked about an enterprise."""

    def opened(column: str) -> str:
        return cipher.decrypt(getattr(enterprise, f"{column}_encrypted"), f"enterprises.{column}")

    return {
        "enterprise_credit_code": enterprise.enterprise_credit_code,
        "enterprise_name": enterprise.enterprise_name,
        "representative_name": opened("representative_name"),
        "representative_document_type": enterprise.representative_document_type,
        "representative_document_number": opened("representative_document_number"),
    }


# --- what they have in common


def _lock(session: Session, credit_code: str) -> Enterprise | None:
    """The enterprise; one without an account (vacant) is nobody's to close or to open."""
    found = rows.find_enterprise(session, credit_code)
    enterprise = handler_rows.lock_enterprise(session, found.id) if found else None
    return enterprise if enterprise and enterprise.status != rows.VACANT else None


def _close(
    session: Session, platform: Platform, enterprise: Enterprise, origin: Origin, actor: Actor
) -> None:
    enterprise.status, enterprise.updated_at = rules.CLOSED, clock.now()
    suspend_all(session, platform, enterprise, "enterprise_closed", origin, actor)
    revocation.revoke_for_enterprise(session, platform, enterprise.id, "enterprise_closed", clock.now())
    _record(session, AuditEvent.ENTERPRISE_CLOSE, origin, actor, enterprise)
    _tell_owner(session, platform, enterprise, "enterprise_closed")


def _tell_owner(session: Session, platform: Platform, enterprise: Enterprise, purpose: str) -> None:
    owner = session.get_one(Account, enterprise.legal_account_id)
    text = sms.text(purpose, enterprise_name=enterprise.enterprise_name)
    notices.tell(session, platform, owner, purpose, text)


def _record(
    session: Session,
    event: AuditEvent,
    origin: Origin,
    actor: Actor,
    enterprise: Enterprise,
    *,
    reason: str | None = None,
) -> None:
    audit.record(
        session,
        event,
        origin,
        account_id=actor.account_id,
        enterprise_id=enterprise.id,
        object_id=enterprise.id,
        detail={"reason": reason} if reason else None,
    )
