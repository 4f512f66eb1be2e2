"""Handler authorisations (经办人授权): who may act for which enterprise, for what, until when."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from idp.storage.database import Base, Json, UtcDateTime


class HandlerAuthorization(Base):
    """One person, one enterprise, a set of matters, a validity period; ``expired`` is not a status but the clock."""

    __tablename__ = "handler_authorizations"

    id: Mapped[str] = mapped_column(String(22), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    enterprise_id: Mapped[str] = mapped_column(ForeignKey("enterprises.id"), index=True)
    matters: Mapped[list[str]] = mapped_column(Json)
    status: Mapped[str] = mapped_column(String(12))  # pending, approved, refused, revoked, withdrawn
    applied_at: Mapped[datetime] = mapped_column(UtcDateTime)
    valid_from: Mapped[datetime | None] = mapped_column(UtcDateTime)
    valid_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_by: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_by: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))
    reason: Mapped[str | None] = mapped_column(Text)


_open = HandlerAuthorization.status.in_(("pending", "approved"))
Index(
    "uq_handler_authorizations_open",
    HandlerAuthorization.account_id,
    HandlerAuthorization.enterprise_id,
    unique=True,
    sqlite_where=_open,
    postgresql_where=_open,
)
