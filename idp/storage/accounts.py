"""Accounts, their browser sessions (logins) and the roles they have at clients."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from idp.storage.database import Base, Json, UtcDateTime


class Account(Base):
    """One account of the platform: a person, or an enterprise's legal-person account."""

    __tablename__ = "accounts"

    id: Mapped[str] = mapped_column(String(22), primary_key=True)
    login_name: Mapped[str] = mapped_column(String(16))
    login_name_index: Mapped[str] = mapped_column(String(16), unique=True)  # lower case
    password_hash: Mapped[str] = mapped_column(String(200))
    password_changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    email_encrypted: Mapped[str] = mapped_column(Text)
    phone_encrypted: Mapped[str] = mapped_column(Text)
    phone_index: Mapped[str] = mapped_column(String(64), unique=True)
    status: Mapped[str] = mapped_column(String(12), default="active")  # active, frozen, deleted
    platform_role: Mapped[str | None] = mapped_column(String(32))  # administrator, or None

    subject_type: Mapped[str | None] = mapped_column(String(16))  # natural_person, legal_person, None: unverified
    verification_status: Mapped[str] = mapped_column(String(12), default="unverified")
    verified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    real_name_encrypted: Mapped[str | None] = mapped_column(Text)
    document_type: Mapped[str | None] = mapped_column(String(32))
    document_number_encrypted: Mapped[str | None] = mapped_column(Text)
    document_index: Mapped[str | None] = mapped_column(String(64), unique=True)  # type and number, verified natural persons
    address_encrypted: Mapped[str | None] = mapped_column(Text)
    default_enterprise_id: Mapped[str | None] = mapped_column(String(22))  # a preference, checked when used
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Login(Base):
    """An authenticated browser session; the browser holds a random token, this row its hash."""

    __tablename__ = "logins"

    sid: Mapped[str] = mapped_column(String(22), primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    auth_time: Mapped[int]
    acr: Mapped[str] = mapped_column(String(64))
    amr: Mapped[list[str]] = mapped_column(Json)
    address: Mapped[str] = mapped_column(String(64))
    user_agent: Mapped[str] = mapped_column(String(300))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class AccountRole(Base):
    """A role code of one client that an admin has given an account."""

    __tablename__ = "account_roles"

    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("clients.client_id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str] = mapped_column(String(64), primary_key=True)


class PasswordHistory(Base):
    """Hashes of an account's former passwords, newest first by ``changed_at``."""

    __tablename__ = "password_history"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


Index("ix_logins_expires_at", Login.expires_at)
