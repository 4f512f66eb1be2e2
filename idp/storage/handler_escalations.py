"""Applications to the platform itself: the enterprise's legal-person account can't act (平台代审)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from idp.storage.database import Base, UtcDateTime


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
