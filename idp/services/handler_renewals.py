"""Renewals of handler authorisations: asked for by the person, decided by the enterprise, without a gap."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp import clock, crypto
from idp.domain import handler_reasons, handler_renewals, handler_terms
from idp.domain.audit import AuditEvent, Origin
from idp.domain.errors import Refusal
from idp.domain.handler_terms import Terms
from idp.services import handler_decisions, handler_steps
from idp.services import handler_notices as notices
from idp.services.handler_decisions import Decision
from idp.services.handler_steps import Actor
from idp.services.handler_views import HandlerView, view
from idp.services.platform import Platform
from idp.storage import handler_renewals as renewals
from idp.storage import handlers as rows
from idp.storage.database import reading, transaction
from idp.storage.handler_renewals import HandlerRenewal
from idp.storage.handlers import Told


@dataclass(frozen=True, slots=True)
class RenewalView:
    """A renewal that waits for the enterprise."""

    matters: tuple[str, ...]
    valid_until: datetime | None
    applied_at: datetime


def list_pending(authorization_ids: list[str]) -> dict[str, RenewalView]:
    """The renewals that wait, by authorisation."""
    if not authorization_ids:
        return {}
    with reading() as session:
        found = renewals.list_pending(session, authorization_ids)
    return {
        key: RenewalView(tuple(renewal.matters), renewal.valid_until, renewal.applied_at)
        for key, renewal in found.items()
    }


def apply(
    platform: Platform,
    account_id: str,
    authorization_id: str,
    matters: tuple[str, ...] | None,
    valid_until: str | None,
    origin: Origin,
) -> HandlerView | Refusal:
    """The person asks for longer; what is in force stays until the enterprise, told by SMS, has decided."""
    now = clock.now()
    try:
        with transaction() as session:
            found = _lock_own(session, account_id, authorization_id)
            if isinstance(found, Refusal):
                return found
            current = handler_steps.standing_of(found[0])
            terms = handler_terms.read(matters, valid_until, now, current.terms)
            refusal = terms if isinstance(terms, Refusal) else handler_renewals.refuse(current, terms, now)
            if isinstance(terms, Refusal) or refusal:
                return refusal or Refusal.of("not_found")
            return _ask(session, platform, found, terms, origin, now)
    except IntegrityError:  # the partial unique index: one waits already
        return Refusal.of("renewal_pending")


def _ask(
    session: Session, platform: Platform, found: Told, terms: Terms, origin: Origin, now: datetime
) -> HandlerView | Refusal:
    authorization, applicant, enterprise = found
    if enterprise.status != "active":
        return Refusal.of("enterprise_closed")
    renewal = HandlerRenewal(
        id=crypto.random_id(),
        handler_authorization_id=authorization.id,
        matters=list(terms.matters),
        valid_until=terms.valid_until,
        status="pending",
        applied_at=now,
    )
    session.add(renewal)
    _record(session, AuditEvent.HANDLER_RENEWAL_APPLY, origin, Actor("handler", applicant.id), found, terms)
    notices.tell_enterprise(session, platform, "handler_renewal_applied", applicant, enterprise)
    return view(platform, found, now)


def withdraw(
    platform: Platform, account_id: str, authorization_id: str, origin: Origin
) -> HandlerView | Refusal:
    """The person takes a renewal back that waits."""
    now = clock.now()
    with transaction() as session:
        found = _lock_own(session, account_id, authorization_id)
        renewal = renewals.find_pending(session, authorization_id)
        if isinstance(found, Refusal) or renewal is None:
            return found if isinstance(found, Refusal) else Refusal.of("renewal_not_pending")
        renewal.status, renewal.decided_at = "withdrawn", now
        actor = Actor("handler", account_id)
        _record(session, AuditEvent.HANDLER_RENEWAL_WITHDRAW, origin, actor, found, _terms(renewal))
        return view(platform, found, now)


def decide(
    platform: Platform, actor_account_id: str, authorization_id: str, typed: Decision, origin: Origin
) -> HandlerView | Refusal:
    """The enterprise says ``approve`` or ``refuse`` to the renewal that waits; the person is told by SMS."""
    now = clock.now()
    with transaction() as session:
        found = handler_decisions.lock_own(session, actor_account_id, authorization_id)
        if isinstance(found, Refusal):
            return found
        renewal = renewals.find_pending(session, authorization_id)
        if renewal is None:
            return Refusal.of("renewal_not_pending")
        actor = Actor("enterprise", actor_account_id)
        return _decide(session, platform, found, renewal, typed, actor, origin, now)


def _decide(
    session: Session,
    platform: Platform,
    found: Told,
    renewal: HandlerRenewal,
    typed: Decision,
    actor: Actor,
    origin: Origin,
    now: datetime,
) -> HandlerView | Refusal:
    reason = handler_reasons.read(typed.decision, typed.reason_code, typed.reason)
    if typed.decision not in {"approve", "refuse"}:
        return Refusal.of("decision_unknown", "decision")
    if isinstance(reason, Refusal):
        return reason
    if typed.decision == "approve":
        refusal = _renew(session, platform, found, renewal, typed, now)
        if refusal:
            return refusal
        event, purpose = AuditEvent.HANDLER_RENEWAL_APPROVE, "handler_renewal_approved"
    else:
        event, purpose = AuditEvent.HANDLER_RENEWAL_REFUSE, "handler_renewal_refused"
    renewal.status = "approved" if typed.decision == "approve" else "refused"
    renewal.decided_at, renewal.decided_by = now, actor.account_id
    if reason:
        renewal.reason_code, renewal.reason = reason.code, reason.text
    handler_steps.record(
        session, event, origin, actor, found[0], reason_code=renewal.reason_code, reason=renewal.reason
    )
    notices.tell_applicant(session, platform, purpose, found)
    return view(platform, found, now)


def _renew(
    session: Session, platform: Platform, found: Told, renewal: HandlerRenewal, typed: Decision, now: datetime
) -> Refusal | None:
    """Let the authorisation have the renewal's terms, or those that the enterprise gives instead."""
    if found[2].status != "active":
        return Refusal.of("enterprise_closed")
    terms = handler_terms.read(typed.matters, typed.valid_until, now, _terms(renewal))
    if isinstance(terms, Refusal):
        return terms
    after = handler_renewals.renew(handler_steps.standing_of(found[0]), terms, now)
    if isinstance(after, Refusal):
        return after
    renewal.matters, renewal.valid_until = list(terms.matters), terms.valid_until
    handler_decisions.take(session, platform, found, after, now)
    return None


def _terms(renewal: HandlerRenewal) -> Terms:
    return Terms(tuple(renewal.matters), renewal.valid_until)


def _record(
    session: Session, event: AuditEvent, origin: Origin, actor: Actor, found: Told, terms: Terms
) -> None:
    handler_steps.record(session, event, origin, actor, found[0], terms=terms)


def _lock_own(session: Session, account_id: str, authorization_id: str) -> Told | Refusal:
    """The person's own authorisation, locked; else ``not_found``."""
    found = rows.lock(session, authorization_id)
    return found if found and found[0].account_id == account_id else Refusal.of("not_found")
