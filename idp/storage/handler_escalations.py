"""Applications to the platform itself: the enterprise's legal-person account can't act (平台代审)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    LargeBinary,
    Select,
    String,
    Text,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, defer, mapped_column

from idp.storage.accounts import Login
from idp.storage.database import Base, UtcDateTime
from idp.storage.handlers import HandlerAuthorization


class HandlerEscalation(Base):
    """A person asks a reviewer to decide in the enterprise's place, with a reason and evidence."""

    __tablename__ = "handler_escalations"

    id: Mapped[str] = mapped_column(String(22), primary_key=True)
    handler_authorization_id: Mapped[str] = mapped_column(ForeignKey("handler_authorizations.id"), index=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    ground: Mapped[str] = mapped_column(String(32))  # domain.handler_escalations.GROUNDS
    explanation_encrypted: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(12))  # pending, approved, rejected, withdrawn
    submitted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_by: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))
    reason: Mapped[str | None] = mapped_column(Text)


class HandlerEvidence(Base):
    """The scan that proves it, encrypted; deleted when its purpose is over."""

    __tablename__ = "handler_evidence"

    id: Mapped[str] = mapped_column(String(22), primary_key=True)
    escalation_id: Mapped[str] = mapped_column(ForeignKey("handler_escalations.id"), index=True)
    content_type: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    content_encrypted: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


_pending = HandlerEscalation.status == "pending"
Index(
    "uq_handler_escalations_pending",
    HandlerEscalation.handler_authorization_id,
    unique=True,
    sqlite_where=_pending,
    postgresql_where=_pending,
)


def find(session: Session, escalation_id: str) -> HandlerEscalation | None:
    """One of them."""
    return session.get(HandlerEscalation, escalation_id)


def lock(session: Session, escalation_id: str) -> HandlerEscalation | None:
    """One of them, locked, as it is then."""
    return session.get(HandlerEscalation, escalation_id, with_for_update=True, populate_existing=True)


def find_pending(session: Session, authorization_id: str) -> HandlerEscalation | None:
    """The one about an authorisation that waits."""
    return session.scalar(_of(authorization_id).where(_pending))


def find_latest(session: Session, authorization_id: str) -> HandlerEscalation | None:
    """The newest about an authorisation."""
    statement = _of(authorization_id).order_by(HandlerEscalation.submitted_at.desc())
    return session.scalar(statement.limit(1))


def end_pending(session: Session, authorization_id: str, now: datetime) -> None:
    """The enterprise has decided after all, or the person doesn't ask any more."""
    statement = update(HandlerEscalation).where(
        HandlerEscalation.handler_authorization_id == authorization_id, _pending
    )
    session.execute(statement.values(status="withdrawn", decided_at=now))


def list_pending(session: Session, offset: int, limit: int) -> Sequence[HandlerEscalation]:
    """What waits for a reviewer, the oldest first."""
    statement = select(HandlerEscalation).where(_pending)
    ordered = statement.order_by(HandlerEscalation.submitted_at, HandlerEscalation.id)
    return session.scalars(ordered.offset(offset).limit(limit)).all()


def count_pending(session: Session) -> int:
    """How many they are."""
    return session.scalar(select(func.count()).select_from(HandlerEscalation).where(_pending)) or 0


def list_evidence(session: Session, escalation_id: str) -> Sequence[HandlerEvidence]:
    """The scans of one without their content (which must not be read from these rows)."""
    statement = select(HandlerEvidence).where(HandlerEvidence.escalation_id == escalation_id)
    return session.scalars(statement.options(defer(HandlerEvidence.content_encrypted, raiseload=True))).all()


def find_evidence(session: Session, evidence_id: str) -> tuple[HandlerEvidence, str] | None:
    """A scan with its content, and whose it is."""
    statement = (
        select(HandlerEvidence, HandlerEscalation.account_id)
        .join(HandlerEscalation, HandlerEscalation.id == HandlerEvidence.escalation_id)
        .where(HandlerEvidence.id == evidence_id)
    )
    return session.execute(statement).one_or_none()


def last_seen(session: Session, account_id: str) -> datetime | None:
    """When an account was last signed in, as far as its sessions are kept."""
    return session.scalar(select(func.max(Login.last_seen_at)).where(Login.account_id == account_id))


def list_other_handlers(session: Session, authorization: HandlerAuthorization, now: datetime) -> list[str]:
    """The accounts of an enterprise's handlers in force besides this one's."""
    until = HandlerAuthorization.valid_until
    statement = select(HandlerAuthorization.account_id).where(
        HandlerAuthorization.enterprise_id == authorization.enterprise_id,
        HandlerAuthorization.status == "approved",
        or_(until.is_(None), until > now),
        HandlerAuthorization.account_id != authorization.account_id,
    )
    return list(session.scalars(statement.order_by(HandlerAuthorization.id)))


def take_decided_evidence(session: Session, before: datetime, limit: int) -> list[tuple[str, str]]:
    """Delete scans of what was decided before then, at most ``limit``; id and account of each."""
    due = (
        select(HandlerEvidence.id)
        .join(HandlerEscalation, HandlerEscalation.id == HandlerEvidence.escalation_id)
        .where(HandlerEscalation.decided_at < before)
    )
    return _take(session, HandlerEvidence.id.in_(due.limit(limit)))


def take_evidence_of_account(session: Session, account_id: str) -> list[tuple[str, str]]:
    """Delete an account's scans; id and account of each."""
    its = select(HandlerEscalation.id).where(HandlerEscalation.account_id == account_id)
    return _take(session, HandlerEvidence.escalation_id.in_(its))


def _take(session: Session, condition: ColumnElement[bool]) -> list[tuple[str, str]]:
    owner = (
        select(HandlerEscalation.account_id)
        .where(HandlerEscalation.id == HandlerEvidence.escalation_id)
        .scalar_subquery()
    )
    found = session.execute(select(HandlerEvidence.id, owner).where(condition)).all()
    session.execute(delete(HandlerEvidence).where(HandlerEvidence.id.in_([row[0] for row in found])))
    return [(row[0], row[1]) for row in found]


def _of(authorization_id: str) -> Select[HandlerEscalation]:
    return select(HandlerEscalation).where(HandlerEscalation.handler_authorization_id == authorization_id)
