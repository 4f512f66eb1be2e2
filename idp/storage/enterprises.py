"""Enterprises and the submissions by which an account proves whom it stands for."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from idp.storage.database import Base, Json, UtcDateTime


class Enterprise(Base):
    """A legal entity; at most one for each credit code, and at most one legal-person account for each."""

    __tablename__ = "enterprises"

    id: Mapped[str] = mapped_column(String(22), primary_key=True)
    enterprise_credit_code: Mapped[str] = mapped_column(String(18), unique=True)
    enterprise_name: Mapped[str] = mapped_column(String(200))
    organization_type: Mapped[str] = mapped_column(String(32))
    legal_person_type: Mapped[str] = mapped_column(String(32))
    representative_name_encrypted: Mapped[str] = mapped_column(Text)
    representative_document_type: Mapped[str] = mapped_column(String(32))
    representative_document_number_encrypted: Mapped[str] = mapped_column(Text)
    address_encrypted: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(12), default="active")  # active, closed
    legal_account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class RealNameApplication(Base):
    """One submission of 实名认证, matched by the registry at once or decided by a reviewer."""

    __tablename__ = "real_name_applications"

    id: Mapped[str] = mapped_column(String(22), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    subject_type: Mapped[str] = mapped_column(String(16))
    manual: Mapped[bool] = mapped_column(default=False)
    form_encrypted: Mapped[str] = mapped_column(Text)  # the submitted fields as JSON
    status: Mapped[str] = mapped_column(String(12))  # pending, approved, rejected
    reason: Mapped[str | None] = mapped_column(Text)
    submitted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_by: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))


class Upload(Base):
    """A scan that belongs to a submission, encrypted, known by a random name."""

    __tablename__ = "uploads"

    id: Mapped[str] = mapped_column(String(22), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    application_id: Mapped[str] = mapped_column(ForeignKey("real_name_applications.id"), index=True)
    purpose: Mapped[str] = mapped_column(String(32))  # document_scan, licence_scan
    content_type: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    content_encrypted: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


Index(
    "uq_real_name_applications_pending",
    RealNameApplication.account_id,
    unique=True,
    sqlite_where=RealNameApplication.status == "pending",
    postgresql_where=RealNameApplication.status == "pending",
)


Submission = dict[str, Any]
