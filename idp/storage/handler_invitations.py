"""Invitations: an enterprise names a person by phone and name and offers an authorisation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, ForeignKey, Index, String, Text, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from idp.storage.database import Base, Json, UtcDateTime
from idp.storage.enterprises import Enterprise


class HandlerInvitation(Base):
    """An offer, addressed to whoever has the phone and the name; nothing says whether there is an account."""

    __tablename__ = "handler_invitations"

    id: Mapped[str] = mapped_column(String(22), primary_key=True)
    enterprise_id: Mapped[str] = mapped_column(ForeignKey("enterprises.id"), index=True)
    phone_encrypted: Mapped[str] = mapped_column(Text)
    phone_index: Mapped[str] = mapped_column(String(64), index=True)
    real_name_encrypted: Mapped[str] = mapped_column(Text)
    matters: Mapped[list[str]] = mapped_column(Json)
    valid_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    status: Mapped[str] = mapped_column(String(12))  # domain.handler_invitations.Status
    invited_at: Mapped[datetime] = mapped_column(UtcDateTime)
    invited_by: Mapped[str] = mapped_column(ForeignKey("accounts.id"))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    handler_authorization_id: Mapped[str | None] = mapped_column(ForeignKey("handler_authorizations.id"))


Index("ix_handler_invitations_expires_at", HandlerInvitation.expires_at)

Offered = tuple[HandlerInvitation, Enterprise]


def count_waiting(session: Session, enterprise: Enterprise, now: datetime) -> int:
    """How many of an enterprise's invitations wait."""
    statement = select(func.count()).where(*_by(enterprise), *_waiting(now))
    return session.scalar(statement) or 0


def is_waiting(session: Session, enterprise: Enterprise, phone_index: str, now: datetime) -> bool:
    """Whether one of them is to this phone."""
    statement = select(HandlerInvitation.id).where(
        *_by(enterprise), HandlerInvitation.phone_index == phone_index, *_waiting(now)
    )
    return session.scalar(statement.limit(1)) is not None


def find(session: Session, invitation_id: str) -> HandlerInvitation | None:
    """One invitation."""
    return session.get(HandlerInvitation, invitation_id)


def lock(session: Session, invitation_id: str) -> HandlerInvitation | None:
    """One invitation, locked until the transaction ends, as it is then."""
    return session.get(HandlerInvitation, invitation_id, with_for_update=True, populate_existing=True)


def list_of_enterprise(
    session: Session, enterprise: Enterprise, offset: int, limit: int
) -> Sequence[HandlerInvitation]:
    """What an enterprise offered, newest first."""
    statement = (
        select(HandlerInvitation)
        .where(*_by(enterprise))
        .order_by(HandlerInvitation.invited_at.desc(), HandlerInvitation.id)
    )
    return session.scalars(statement.offset(offset).limit(limit)).all()


def list_to_phone(session: Session, phone_index: str, now: datetime) -> list[Offered]:
    """What waits for whoever has a phone, of enterprises that are active."""
    statement = (
        select(HandlerInvitation, Enterprise)
        .join(Enterprise, Enterprise.id == HandlerInvitation.enterprise_id)
        .where(HandlerInvitation.phone_index == phone_index, *_waiting(now))
        .where(Enterprise.status == "active", HandlerInvitation.invited_by == Enterprise.legal_account_id)
        .order_by(HandlerInvitation.invited_at.desc())
    )
    return [(row[0], row[1]) for row in session.execute(statement)]


def purge(session: Session, before: datetime, limit: int) -> int:
    """Delete invitations over since before then: phone and name have served their purpose."""
    old = select(HandlerInvitation.id).where(HandlerInvitation.expires_at < before).limit(limit)
    return (
        session.connection().execute(delete(HandlerInvitation).where(HandlerInvitation.id.in_(old))).rowcount
    )


def _by(enterprise: Enterprise) -> tuple[ColumnElement[bool], ...]:
    """Of the account that is the enterprise now: what a former one offered went with it."""
    return (
        HandlerInvitation.enterprise_id == enterprise.id,
        HandlerInvitation.invited_by == enterprise.legal_account_id,
    )


def _waiting(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (HandlerInvitation.status == "pending", HandlerInvitation.expires_at > now)
