"""Reminders that have been sent, each once: the primary key says so to two workers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from idp.storage.database import Base, UtcDateTime


class HandlerReminder(Base):
    """A reminder of one kind about one day: of an authorisation's end, or of an enterprise's review."""

    __tablename__ = "handler_reminders"

    subject_id: Mapped[str] = mapped_column(String(22), primary_key=True)  # an authorisation or an enterprise
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    about: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    sent_at: Mapped[datetime] = mapped_column(UtcDateTime)
