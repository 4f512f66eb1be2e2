"""The audit trail: inserted with the change it tells of, sealed into a hash chain by the worker."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from idp.storage.database import Base, Json, UtcDateTime


class AuditEvent(Base):
    """Who did what, acting for whom, to what, with what result, from where; never a secret or identity number."""

    __tablename__ = "audit_events"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    event: Mapped[str] = mapped_column(String(64))
    account_id: Mapped[str | None] = mapped_column(String(22), index=True)
    enterprise_id: Mapped[str | None] = mapped_column(String(22), index=True)
    client_id: Mapped[str | None] = mapped_column(String(64))
    object_id: Mapped[str | None] = mapped_column(String(64))
    result: Mapped[str] = mapped_column(String(64))  # success, or a problem's code
    address: Mapped[str] = mapped_column(String(64))
    request_id: Mapped[str] = mapped_column(String(64))
    detail: Mapped[dict[str, Any]] = mapped_column(Json)
    seal_number: Mapped[int | None] = mapped_column(unique=True)
    seal: Mapped[str | None] = mapped_column(String(64))  # MAC over the previous seal and this event
