"""Handler authorisations: applied for by a person, decided and revoked by the enterprise."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp import clock, crypto
from idp.domain import handler_limits
from idp.domain import handlers as rules
from idp.domain.audit import AuditEvent, Origin
from idp.domain.errors import Refusal
from idp.domain.handlers import Applicant, Request, Status, Target
from idp.domain.interaction import Acting
from idp.domain.throttling import HANDLER_APPLICATIONS_OF_ACCOUNT
from idp.services import handler_decisions, handler_steps, throttling
from idp.services import handler_notices as notices
from idp.services.handler_decisions import Decision
from idp.services.handler_steps import Actor
from idp.services.handler_views import HandlerView, list_of_account, list_of_enterprise, view
from idp.services.platform import Platform
from idp.storage import enterprises, handler_escalations
from idp.storage import handlers as rows
from idp.storage.database import single_statements, transaction
from idp.storage.handlers import HandlerAuthorization

__all__ = [
    "HandlerApplicationForm",
    "HandlerView",
    "acting_candidates",
    "apply",
    "decide",
    "list_of_account",
    "list_of_enterprise",
    "withdraw",
]

_OPEN_APPLICATION: Final = "handler_application_pending"


@dataclass(frozen=True, slots=True)
class HandlerApplicationForm:
    """An application as typed; ``valid_until`` a day (YYYY-MM-DD) or None."""

    enterprise_name: str
    enterprise_credit_code: str
    matters: tuple[str, ...]
    valid_until: str | None


def apply(
    platform: Platform, account_id: str, form: HandlerApplicationForm, origin: Origin
) -> HandlerView | Refusal:
    """Ask an enterprise for its authorisation; its legal-person account is told by SMS."""
    now = clock.now()
    request = rules.read(
        form.enterprise_name, form.enterprise_credit_code, form.matters, form.valid_until, now
    )
    if isinstance(request, Refusal):
        return request
    refusal = throttling.admit(platform, HANDLER_APPLICATIONS_OF_ACCOUNT, account_id)
    if refusal:
        return refusal
    try:
        with transaction() as session:
            return _apply(session, platform, account_id, request, origin, now)
    except IntegrityError:  # two at once: the partial unique index lets one pass
        return Refusal.of(_OPEN_APPLICATION)


def withdraw(
    platform: Platform, account_id: str, authorization_id: str, origin: Origin
) -> HandlerView | Refusal:
    """The applicant takes a pending application back; the enterprise is told by SMS."""
    now = clock.now()
    with transaction() as session:
        found = rows.lock(session, authorization_id)
        if found is None or found[0].account_id != account_id:
            return Refusal.of("not_found")
        after = rules.withdraw(handler_steps.standing_of(found[0]), now)
        if isinstance(after, Refusal):
            return after
        authorization, applicant, enterprise = found
        handler_steps.write(authorization, after)
        handler_escalations.end_pending(session, authorization.id, now)
        actor = Actor("handler", account_id)
        handler_steps.record(session, AuditEvent.HANDLER_WITHDRAW, origin, actor, authorization)
        notices.tell_enterprise(session, platform, "handler_withdrawn", applicant, enterprise)
        return view(platform, found, now)


def decide(
    platform: Platform,
    actor_account_id: str,
    authorization_id: str,
    decision: str,
    origin: Origin,
    reason: str | None = None,
) -> HandlerView | Refusal:
    """A decision on the terms that were asked for; see handler_decisions."""
    typed = Decision(decision, reason)
    return handler_decisions.decide(platform, actor_account_id, authorization_id, typed, origin)


def acting_candidates(platform: Platform, account_id: str, now: datetime) -> list[Acting]:
    """The enterprises that an account may act for at ``now``, by name: one statement."""
    with single_statements() as driver:
        found = rows.list_acting(driver, account_id, now)
    return [
        Acting(
            enterprise_id=row["enterprise_id"],
            enterprise_credit_code=row["enterprise_credit_code"],
            enterprise_name=row["enterprise_name"],
            account_type="handler" if row["handler_authorization_id"] else "legal_person",
            handler_authorization_id=row["handler_authorization_id"],
            matters=tuple(row["matters"] or ()),
            valid_until=row["valid_until"],
        )
        for row in found
    ]


def _apply(
    session: Session, platform: Platform, account_id: str, request: Request, origin: Origin, now: datetime
) -> HandlerView | Refusal:
    applicant = rows.lock_account(session, account_id)
    if applicant is None:
        return Refusal.of("not_found")
    enterprise = enterprises.find_enterprise(session, request.enterprise_credit_code)
    current = rows.lock_open(session, account_id, enterprise.id) if enterprise else None
    after = rules.apply(
        Applicant(applicant.subject_type, applicant.verification_status),
        Target(enterprise.enterprise_name, enterprise.status) if enterprise else None,
        request,
        handler_steps.standing_of(current) if current else None,
        now,
    )
    if isinstance(after, Refusal) or enterprise is None:
        return after if isinstance(after, Refusal) else Refusal.of("enterprise_mismatch")
    refusal = handler_limits.refuse_application(rows.count_pending(session, account_id, now))
    if refusal:
        return refusal
    if current:  # expired by the clock; a new one takes its place
        handler_steps.write(current, replace(handler_steps.standing_of(current), status=Status.EXPIRED))
        handler_steps.record(session, AuditEvent.HANDLER_EXPIRE, origin, handler_steps.SYSTEM, current)
        session.flush()
    authorization = _new(account_id, enterprise.id, request, now)
    handler_steps.write(authorization, after)
    session.add(authorization)
    actor = Actor("handler", account_id)
    handler_steps.record(session, AuditEvent.HANDLER_APPLY, origin, actor, authorization)
    notices.tell_enterprise(session, platform, "handler_applied", applicant, enterprise)
    return view(platform, (authorization, applicant, enterprise), now)


def _new(account_id: str, enterprise_id: str, request: Request, now: datetime) -> HandlerAuthorization:
    return HandlerAuthorization(
        id=crypto.random_id(),
        account_id=account_id,
        enterprise_id=enterprise_id,
        matters=list(request.matters),
        applied_at=now,
    )
