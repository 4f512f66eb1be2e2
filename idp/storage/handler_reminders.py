"""Reminders that have been sent, each once: the primary key says so to two workers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, delete, exists, select
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
