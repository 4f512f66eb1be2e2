"""What reviewers and applicants see of 平台代审."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from idp import clock
from idp.services.handler_escalations import EXPLANATION
from idp.services.handler_views import HandlerView, view
from idp.services.platform import Platform
from idp.storage import handler_escalations as rows
from idp.storage import handlers as handler_rows
from idp.storage.accounts import Account
from idp.storage.database import reading
from idp.storage.handler_escalations import HandlerEscalation

PAGE_SIZE: Final = 20


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """A scan without its content; ``size`` in bytes."""

    id: str
    content_type: str
    size: int


@dataclass(frozen=True, slots=True)
class EscalationView:
    """What is asked for, and how the enterprise's account stands: its login name, status, last sign-in."""

    id: str
    handler: HandlerView
    ground: str
    explanation: str
    status: str
    submitted_at: datetime
    decided_at: datetime | None
    reason: str | None
    evidence: tuple[EvidenceView, ...]
    owner_login_name: str
    owner_status: str
    owner_last_seen_at: datetime | None


def list_pending(platform: Platform, page: int) -> list[EscalationView]:
    """What waits for a reviewer, the oldest first, PAGE_SIZE a page; pages count from 1."""
    with reading() as session:
        found = rows.list_pending(session, (page - 1) * PAGE_SIZE, PAGE_SIZE)
        return [_view(session, platform, one) for one in found]


def count_pending() -> int:
    """How many wait."""
    with reading() as session:
        return rows.count_pending(session)


def find(platform: Platform, escalation_id: str) -> EscalationView | None:
    """One of them, for its reviewer."""
    with reading() as session:
        found = rows.find(session, escalation_id)
        return _view(session, platform, found) if found else None


def latest(platform: Platform, authorization_id: str) -> EscalationView | None:
    """The newest about an authorisation; whether its reader may see it has been looked at."""
    with reading() as session:
        found = rows.find_latest(session, authorization_id)
        return _view(session, platform, found) if found else None


def _view(session: Session, platform: Platform, escalation: HandlerEscalation) -> EscalationView:
    told = handler_rows.find(session, escalation.handler_authorization_id)
    if told is None:
        raise LookupError(escalation.handler_authorization_id)
    owner = session.get_one(Account, told[2].legal_account_id)
    return EscalationView(
        id=escalation.id,
        handler=view(platform, told, clock.now()),
        ground=escalation.ground,
        explanation=platform.keyring.fields.decrypt(escalation.explanation_encrypted, EXPLANATION),
        status=escalation.status,
        submitted_at=escalation.submitted_at,
        decided_at=escalation.decided_at,
        reason=escalation.reason,
        evidence=tuple(
            EvidenceView(one.id, one.content_type, one.size)
            for one in rows.list_evidence(session, escalation.id)
        ),
        owner_login_name=owner.login_name,
        owner_status=owner.status,
        owner_last_seen_at=rows.last_seen(session, owner.id),
    )
