"""One step of a handler authorisation: its row, its history, its line of the audit trail."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from idp import clock
from idp.domain.audit import AuditEvent, Origin
from idp.domain.handler_terms import Terms
from idp.domain.handlers import Standing, Status
from idp.services import audit
from idp.storage.handler_events import HandlerEvent
from idp.storage.handlers import HandlerAuthorization


@dataclass(frozen=True, slots=True)
class Actor:
    """Who takes a step: the ``side`` (handler, enterprise, platform, system) and its account, if one does."""

    side: str
    account_id: str | None = None


SYSTEM = Actor("system")


def standing_of(authorization: HandlerAuthorization) -> Standing:
    """What the rules need to know of a row."""
    return Standing(
        status=Status(authorization.status),
        valid_until=authorization.valid_until,
        valid_from=authorization.valid_from,
        decided_at=authorization.decided_at,
        revoked_at=authorization.revoked_at,
        suspended_at=authorization.suspended_at,
        reviewed_at=authorization.reviewed_at,
        reason=authorization.reason,
        reason_code=authorization.reason_code,
        matters=tuple(authorization.matters),
    )


def write(authorization: HandlerAuthorization, after: Standing) -> None:
    """Let the row say what the rules decided."""
    authorization.status = after.status.value
    authorization.valid_until = after.valid_until
    authorization.valid_from = after.valid_from
    authorization.decided_at = after.decided_at
    authorization.revoked_at = after.revoked_at
    authorization.suspended_at = after.suspended_at
    authorization.reviewed_at = after.reviewed_at
    authorization.reason = after.reason
    authorization.reason_code = after.reason_code
    if list(after.matters) != authorization.matters:
        authorization.matters = list(after.matters)


def record(
    session: Session,
    event: AuditEvent,
    origin: Origin,
    actor: Actor,
    authorization: HandlerAuthorization,
    *,
    terms: Terms | None = None,
    reason_code: str | None = None,
    reason: str | None = None,
) -> None:
    """The step in the history and in the audit trail; words of a reason stand in the history alone.

    ``terms`` are those that the step is about, if they are not in force.
    """
    session.flush()
    told = terms or Terms(tuple(authorization.matters), authorization.valid_until)
    session.add(
        HandlerEvent(
            handler_authorization_id=authorization.id,
            event=event.value.partition(":")[2],
            side=actor.side,
            actor_id=actor.account_id,
            occurred_at=clock.now(),
            matters=list(told.matters),
            valid_until=told.valid_until,
            reason_code=reason_code,
            reason=reason,
        )
    )
    audit.record(
        session,
        event,
        origin,
        account_id=actor.account_id,
        enterprise_id=authorization.enterprise_id,
        object_id=authorization.id,
        detail={
            "applicant": authorization.account_id,
            "matters": list(told.matters),
            **({"reason": reason_code} if reason_code else {}),
        },
    )
