"""What an enterprise decides: approve, refuse, revoke, and change what is in force."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from idp import clock
from idp.domain import handler_limits, handler_reasons, handler_terms
from idp.domain import handlers as rules
from idp.domain.audit import AuditEvent, Origin
from idp.domain.errors import Refusal
from idp.domain.handlers import Standing
from idp.services import authentication, handler_steps, revocation
from idp.services import handler_notices as notices
from idp.services.handler_steps import Actor
from idp.services.handler_views import HandlerView, view
from idp.services.platform import Platform
from idp.storage import handler_escalations, handler_renewals
from idp.storage import handlers as rows
from idp.storage.database import transaction
from idp.storage.handlers import HandlerAuthorization, Told

_EVENTS: Final = {
    "approve": (AuditEvent.HANDLER_APPROVE, "handler_approved"),
    "refuse": (AuditEvent.HANDLER_REFUSE, "handler_refused"),
    "revoke": (AuditEvent.HANDLER_REVOKE, "handler_revoked"),
}


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision as typed. None of the terms keeps what was asked for; no reason is the usual one."""

    decision: str
    reason: str | None = None
    reason_code: str | None = None
    matters: tuple[str, ...] | None = None
    valid_until: str | None = None


def decide(
    platform: Platform, actor_account_id: str, authorization_id: str, typed: Decision, origin: Origin
) -> HandlerView | Refusal:
    """The enterprise's own legal-person account says ``approve``, ``refuse`` or ``revoke``.

    A revocation ends, in the same transaction, every token that rests on the authorisation. For anyone else's
    authorisation the answer is ``not_found``. The applicant is told by SMS.
    """
    now = clock.now()
    with transaction() as session:
        if typed.decision == "approve":
            rows.lock_sides(session, authorization_id)
        found = lock_own(session, actor_account_id, authorization_id)
        if isinstance(found, Refusal):
            return found
        actor = Actor("enterprise", actor_account_id)
        return settle(session, platform, found, typed, actor, origin, now)


def change(
    platform: Platform,
    actor_account_id: str,
    authorization_id: str,
    matters: tuple[str, ...] | None,
    valid_until: str | None,
    origin: Origin,
) -> HandlerView | Refusal:
    """Give an authorisation in force other matters or another end, at once; the person is told by SMS.

    Tokens reread what they cover; where nothing is left for a client, its grants end and it is told.
    """
    now = clock.now()
    with transaction() as session:
        found = lock_own(session, actor_account_id, authorization_id)
        if isinstance(found, Refusal):
            return found
        before = handler_steps.standing_of(found[0])
        terms = handler_terms.read(matters, valid_until, now, before.terms)
        after = terms if isinstance(terms, Refusal) else rules.change(before, terms, now)
        if isinstance(after, Refusal):
            return after
        if found[2].status != "active" and not after.terms.takes_away(before.terms):
            return Refusal.of("enterprise_closed")
        take(session, platform, found, after, now)
        actor = Actor("enterprise", actor_account_id)
        handler_steps.record(session, AuditEvent.HANDLER_CHANGE, origin, actor, found[0])
        notices.tell_applicant(session, platform, "handler_changed", found)
        return view(platform, found, now)


def lock_own(session: Session, actor_account_id: str, authorization_id: str) -> Told | Refusal:
    """An authorisation, locked, of the enterprise whose legal-person account acts; else ``not_found``."""
    found = rows.lock(session, authorization_id)
    if found is None or found[2].legal_account_id != actor_account_id:
        return Refusal.of("not_found")
    return found


def settle(
    session: Session,
    platform: Platform,
    found: Told,
    typed: Decision,
    actor: Actor,
    origin: Origin,
    now: datetime,
) -> HandlerView | Refusal:
    """Let a decision count for a locked authorisation, whoever may take it: the enterprise or a reviewer.

    Before an approval its sides have to be locked too (``lock_sides``): it is counted.
    """
    after = _judged(session, found, typed, now)
    if isinstance(after, Refusal):
        return after
    authorization = found[0]
    handler_steps.write(authorization, after)
    _follow(session, platform, authorization, typed.decision, actor, now)
    event, purpose = _EVENTS[typed.decision]
    handler_steps.record(
        session, event, origin, actor, authorization, reason_code=after.reason_code, reason=after.reason
    )
    notices.tell_applicant(session, platform, purpose, found)
    return view(platform, found, now)


def take(session: Session, platform: Platform, found: Told, after: Standing, now: datetime) -> None:
    """Write other terms; grants for which nothing is left end."""
    handler_steps.write(found[0], after)
    session.flush()
    revocation.end_uncovered(session, platform, found[0].id, after.matters, now)


def refuse_another(session: Session, authorization: HandlerAuthorization, now: datetime) -> Refusal | None:
    """Whether either side has its fill; both are locked."""
    return handler_limits.refuse_handler(
        rows.count_held(session, now, enterprise_id=authorization.enterprise_id),
        rows.count_held(session, now, account_id=authorization.account_id),
    )


def _judged(session: Session, found: Told, typed: Decision, now: datetime) -> Standing | Refusal:
    authorization, _, enterprise = found
    before = handler_steps.standing_of(authorization)
    reason = handler_reasons.read(typed.decision, typed.reason_code, typed.reason)
    if isinstance(reason, Refusal):
        return reason
    if typed.decision != "approve":
        return rules.decide(before, typed.decision, reason, now)
    terms = handler_terms.read(typed.matters, typed.valid_until, now, before.terms)
    after = terms if isinstance(terms, Refusal) else rules.decide(before, "approve", None, now, terms)
    if isinstance(after, Refusal):
        return after
    if enterprise.status != "active":
        return Refusal.of("enterprise_closed")
    return refuse_another(session, authorization, now) or after


def _follow(
    session: Session,
    platform: Platform,
    authorization: HandlerAuthorization,
    decision: str,
    actor: Actor,
    now: datetime,
) -> None:
    """Who did it, and what follows from it."""
    if decision == "revoke":
        authorization.revoked_by = actor.account_id
        session.flush()
        handler_renewals.end_pending(session, authorization.id, now)
        handler_escalations.end_pending(session, authorization.id, now)
        revocation.revoke_for_handler(session, platform, authorization.id, "handler_revoked", now)
    else:
        authorization.decided_by = actor.account_id
        handler_escalations.end_pending(session, authorization.id, now)
        authentication.mark_for_renewal(session, authorization.account_id)
