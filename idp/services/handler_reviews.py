"""The periodic review of an enterprise's handlers: the list, the confirmation, and the worker's part."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from idp import clock, sms
from idp.domain import dates, handler_reviews
from idp.domain import handlers as rules
from idp.domain.audit import AuditEvent, Origin
from idp.domain.errors import Refusal
from idp.services import enterprise_status, handler_steps
from idp.services import handler_notices as notices
from idp.services.handler_reminders import once_each
from idp.services.handler_steps import SYSTEM, Actor
from idp.services.handler_views import HandlerView, view
from idp.services.platform import Platform
from idp.storage import authorizations as grants
from idp.storage import handler_escalations
from idp.storage import handler_reminders as reminders
from idp.storage import handlers as rows
from idp.storage.accounts import Account
from idp.storage.database import reading, transaction
from idp.storage.handlers import Told

BATCH: Final = 100
DUE: Final = "review_due"
LAST: Final = "review_last"


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """A handler in the review: when last used and looked at, whether a look is due."""

    handler: HandlerView
    last_used_at: datetime | None
    looked_at: datetime | None
    due: bool


def list_rows(platform: Platform, enterprise_id: str) -> list[ReviewRow]:
    """Every authorisation held, suspended or in force, those due first, then by the last look."""
    now = clock.now()
    with reading() as session:
        told = rows.list_held(session, enterprise_id, now)
        used = grants.last_uses(session, [one[0].id for one in told])
    found = [_row(platform, one, used.get(one[0].id), now) for one in told]
    return sorted(found, key=lambda row: (not row.due, row.looked_at or now))


def count_due(enterprise_id: str) -> int:
    """How many of them are due."""
    now = clock.now()
    with reading() as session:
        told = rows.list_held(session, enterprise_id, now)
    return sum(handler_reviews.is_due(handler_steps.standing_of(one[0]), now) for one in told)


def _row(platform: Platform, told: Told, used_at: datetime | None, now: datetime) -> ReviewRow:
    standing = handler_steps.standing_of(told[0])
    uses = [moment for moment in (used_at, told[0].last_used_at) if moment]
    return ReviewRow(
        handler=view(platform, told, now),
        last_used_at=max(uses, default=None),
        looked_at=handler_reviews.last_look(standing),
        due=handler_reviews.is_due(standing, now),
    )


def confirm(
    platform: Platform, actor_account_id: str, enterprise_id: str, chosen: list[str], origin: Origin
) -> int | Refusal:
    """The enterprise lets these go on, suspended ones too; how many. All of them, or none.

    ``required`` when none is chosen, ``not_found``, ``enterprise_closed``, ``handler_not_approved``.
    """
    if not chosen:
        return Refusal.of("required", "handlers")
    now, actor = clock.now(), Actor("enterprise", actor_account_id)
    with transaction() as session:
        refusal = _confirm_all(session, platform, enterprise_id, sorted(set(chosen)), actor, origin, now)
        if refusal:
            session.rollback()
    return refusal or len(set(chosen))


def _confirm_all(
    session: Session,
    platform: Platform,
    enterprise_id: str,
    chosen: list[str],
    actor: Actor,
    origin: Origin,
    now: datetime,
) -> Refusal | None:
    enterprise = rows.lock_enterprise(session, enterprise_id)
    if enterprise is None or enterprise.legal_account_id != actor.account_id:
        return Refusal.of("not_found")
    if enterprise.status != "active":
        return Refusal.of("enterprise_closed")
    for authorization_id in chosen:
        told = rows.lock(session, authorization_id)
        if told is None or told[0].enterprise_id != enterprise_id:
            return Refusal.of("not_found")
        refusal = confirm_one(session, platform, told, actor, origin, now)
        if refusal:
            return refusal
    return None


def confirm_one(
    session: Session, platform: Platform, told: Told, actor: Actor, origin: Origin, now: datetime
) -> Refusal | None:
    """Confirm one, locked; a person who was suspended is told."""
    before = handler_steps.standing_of(told[0])
    after = rules.confirm(before, now)
    if isinstance(after, Refusal):
        return after
    handler_steps.write(told[0], after)
    handler_escalations.end_pending(session, told[0].id, now)
    handler_steps.record(session, AuditEvent.HANDLER_CONFIRM, origin, actor, told[0])
    if before.status is rules.Status.SUSPENDED:
        notices.tell_applicant(session, platform, "handler_resumed", told)
    return None


# --- the worker's part


def go_on(platform: Platform, now: datetime, origin: Origin) -> int:
    """A batch each of first notices, of last notices, and of what nobody confirmed; how many."""
    return (
        _notice(platform, DUE, now) + _notice(platform, LAST, now) + _suspend_overdue(platform, now, origin)
    )


def _notice(platform: Platform, kind: str, now: datetime) -> int:
    with reading() as session:
        if kind == DUE:
            due = reminders.list_due_for_review(session, now - handler_reviews.REVIEW_EVERY, kind, now, BATCH)
        else:
            before = now - handler_reviews.LAST_NOTICE_AFTER
            due = reminders.list_after(session, DUE, before, now, BATCH, without=kind)
    return once_each(due, lambda session, one: _notice_one(session, platform, one, kind, now))


def _notice_one(
    session: Session, platform: Platform, authorization_id: str, kind: str, now: datetime
) -> None:
    """The enterprise gets one message a day for all of them; the person only the last notice."""
    told = rows.lock(session, authorization_id)
    looked = handler_reviews.last_look(handler_steps.standing_of(told[0])) if told else None
    if told is None or looked is None:
        return
    reminders.add(session, told[0].id, kind, looked, now)
    _, person, enterprise = told
    purpose = f"handlers_{kind}"
    if reminders.add_if_new(session, enterprise.id, kind, dates.end_of_day(dates.china_date(now)), now):
        owner = session.get_one(Account, enterprise.legal_account_id)
        text = sms.text(purpose, enterprise_name=enterprise.enterprise_name)
        notices.tell(session, platform, owner, purpose, text)
    if kind == LAST:
        text = sms.text("handler_review_last", enterprise_name=enterprise.enterprise_name)
        notices.tell(session, platform, person, "handler_review_last", text)


def _suspend_overdue(platform: Platform, now: datetime, origin: Origin) -> int:
    before = now - handler_reviews.SUSPENDED_AFTER
    with reading() as session:
        overdue = reminders.list_after(session, LAST, before, now, BATCH)
    for authorization_id in overdue:
        with transaction() as session:
            told = rows.lock(session, authorization_id)
            if told and reminders.was_sent(session, told[0], LAST, before):
                enterprise_status.suspend(session, platform, told, "review_overdue", origin, SYSTEM, now)
    return len(overdue)
