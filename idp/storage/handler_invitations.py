"""Invitations: an enterprise names a person by phone and name and offers an authorisation."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from idp.storage.database import Base, Json, UtcDateTime


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
