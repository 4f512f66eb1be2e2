"""Reminders that have been sent, each once: the primary key says so to two workers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, String, and_, delete, exists, func, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from idp.storage.database import Base, UtcDateTime
from idp.storage.handlers import HandlerAuthorization


class HandlerReminder(Base):
    """A reminder of one kind about one day: of an authorisation's end, or of an enterprise's review."""

    __tablename__ = "handler_reminders"

    subject_id: Mapped[str] = mapped_column(String(22), primary_key=True)  # an authorisation or an enterprise
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    about: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    sent_at: Mapped[datetime] = mapped_column(UtcDateTime)


def list_ending(session: Session, kind: str, now: datetime, until: datetime, limit: int) -> list[str]:
    """Authorisations in force that end by ``until`` and have not had this reminder of that end."""
    had = exists().where(
        HandlerReminder.subject_id == HandlerAuthorization.id,
        HandlerReminder.kind == kind,
        HandlerReminder.about == HandlerAuthorization.valid_until,
    )
    statement = (
        select(HandlerAuthorization.id)
        .where(
            HandlerAuthorization.status == "approved",
            HandlerAuthorization.valid_until > now,
            HandlerAuthorization.valid_until <= until,
            ~had,
        )
        .order_by(HandlerAuthorization.valid_until)
        .limit(limit)
    )
    return list(session.scalars(statement))


_looked = func.coalesce(HandlerAuthorization.reviewed_at, HandlerAuthorization.valid_from)


def _had(kind: str) -> ColumnElement[bool]:
    """Whether an authorisation has had this notice since its last look."""
    had = exists().where(
        HandlerReminder.subject_id == HandlerAuthorization.id,
        HandlerReminder.kind == kind,
        HandlerReminder.about == _looked,
    )
    return had.correlate(HandlerAuthorization)


def _in_force(now: datetime) -> ColumnElement[bool]:
    until = HandlerAuthorization.valid_until
    return and_(HandlerAuthorization.status == "approved", or_(until.is_(None), until > now))


def list_due_for_review(
    session: Session, looked_before: datetime, kind: str, now: datetime, limit: int
) -> list[str]:
    """Authorisations in force that nobody looked at since then and that have not had this notice."""
    statement = select(HandlerAuthorization.id).where(_in_force(now), _looked <= looked_before, ~_had(kind))
    return list(session.scalars(statement.order_by(_looked).limit(limit)))


def list_after(
    session: Session, kind: str, sent_before: datetime, now: datetime, limit: int, without: str | None = None
) -> list[str]:
    """Authorisations in force that had a notice of this kind before then, and no look since; ``without``
    another notice.
    """
    statement = (
        select(HandlerAuthorization.id)
        .join(HandlerReminder, HandlerReminder.subject_id == HandlerAuthorization.id)
        .where(
            _in_force(now),
            HandlerReminder.kind == kind,
            HandlerReminder.about == _looked,
            HandlerReminder.sent_at <= sent_before,
        )
        .order_by(HandlerReminder.sent_at)
    )
    if without:
        statement = statement.where(~_had(without))
    return list(session.scalars(statement.limit(limit)))


def was_sent(session: Session, authorization: HandlerAuthorization, kind: str, sent_before: datetime) -> bool:
    """Whether one, locked, had that notice before then, and no look since."""
    looked = authorization.reviewed_at or authorization.valid_from
    reminder = session.get(HandlerReminder, (authorization.id, kind, looked))
    return reminder is not None and reminder.sent_at <= sent_before


def add(session: Session, subject_id: str, kind: str, about: datetime, now: datetime) -> None:
    """Note a reminder; IntegrityError, at once, if it has been sent."""
    session.add(HandlerReminder(subject_id=subject_id, kind=kind, about=about, sent_at=now))
    session.flush()


def add_if_new(session: Session, subject_id: str, kind: str, about: datetime, now: datetime) -> bool:
    """Note a reminder unless it has been sent; whether it was new."""
    if session.get(HandlerReminder, (subject_id, kind, about)) is not None:
        return False
    add(session, subject_id, kind, about, now)
    return True


def purge(session: Session, before: datetime, limit: int) -> int:
    """Forget reminders of days before then; at most ``limit``."""
    old = select(HandlerReminder.subject_id).where(HandlerReminder.about < before).limit(limit)
    statement = delete(HandlerReminder).where(
        HandlerReminder.about < before, HandlerReminder.subject_id.in_(old)
    )
    return session.connection().execute(statement).rowcount
