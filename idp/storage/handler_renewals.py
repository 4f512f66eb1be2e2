"""Renewals asked for: a handler authorisation in force is to last longer, on the same or other matters."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from idp.storage.database import Base, Json, UtcDateTime


class HandlerRenewal(Base):
    """One application for a renewal; approved, it changes the authorisation in place: nothing stops."""

    __tablename__ = "handler_renewals"

    id: Mapped[str] = mapped_column(String(22), primary_key=True)
    handler_authorization_id: Mapped[str] = mapped_column(ForeignKey("handler_authorizations.id"), index=True)
    matters: Mapped[list[str]] = mapped_column(Json)
    valid_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    status: Mapped[str] = mapped_column(String(12))  # pending, approved, refused, withdrawn
    applied_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_by: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))
    reason_code: Mapped[str | None] = mapped_column(String(32))
    reason: Mapped[str | None] = mapped_column(Text)


_pending = HandlerRenewal.status == "pending"
Index(
    "uq_handler_renewals_pending",
    HandlerRenewal.handler_authorization_id,
    unique=True,
    sqlite_where=_pending,
    postgresql_where=_pending,
)


def find_pending(session: Session, authorization_id: str) -> HandlerRenewal | None:
    """The renewal of an authorisation that waits for a decision."""
    statement = select(HandlerRenewal).where(
        HandlerRenewal.handler_authorization_id == authorization_id, _pending
    )
    return session.scalar(statement)


def end_pending(session: Session, authorization_id: str, now: datetime) -> None:
    """What was to be renewed is over."""
    statement = update(HandlerRenewal).where(
        HandlerRenewal.handler_authorization_id == authorization_id, _pending
    )
    session.execute(statement.values(status="refused", decided_at=now))


def list_pending(session: Session, authorization_ids: list[str]) -> dict[str, HandlerRenewal]:
    """The renewals that wait, by authorisation, of those named."""
    statement = select(HandlerRenewal).where(
        HandlerRenewal.handler_authorization_id.in_(authorization_ids), _pending
    )
    return {renewal.handler_authorization_id: renewal for renewal in session.scalars(statement)}
