"""Authorizations: the one row that owns every token of one sign-in at one client for one acting enterprise."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from idp.storage.database import Base, Json, UtcDateTime


class Authorization(Base):
    """A grant; its code, refresh tokens and access tokens name it, and die with it."""

    __tablename__ = "authorizations"

    id: Mapped[str] = mapped_column(String(22), primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("clients.client_id", ondelete="CASCADE"), index=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    sid: Mapped[str | None] = mapped_column(ForeignKey("logins.sid"), index=True)
    enterprise_id: Mapped[str | None] = mapped_column(ForeignKey("enterprises.id"), index=True)
    handler_authorization_id: Mapped[str | None] = mapped_column(
        ForeignKey("handler_authorizations.id"), index=True
    )
    account_type: Mapped[str] = mapped_column(String(16))
    scope: Mapped[str] = mapped_column(String(1000))
    requested_claims: Mapped[dict[str, Any] | None] = mapped_column(Json)
    nonce: Mapped[str | None] = mapped_column(Text)
    auth_time: Mapped[int]
    acr: Mapped[str] = mapped_column(String(64))
    amr: Mapped[list[str]] = mapped_column(Json)
    redirect_uri: Mapped[str] = mapped_column(Text)
    code_challenge: Mapped[str] = mapped_column(String(43))
    code_expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    redeemed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    generation: Mapped[int] = mapped_column(default=0)
    rotated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)  # of the whole authorization
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_reason: Mapped[str | None] = mapped_column(String(40))


Index("ix_authorizations_expires_at", Authorization.expires_at)
