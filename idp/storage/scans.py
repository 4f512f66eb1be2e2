"""Scans on their way and at their end: held for a form that has to be sent again, and due for deletion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, String, Text, UniqueConstraint, delete, select
from sqlalchemy.orm import Mapped, Session, defer, mapped_column

from idp.storage.database import Base, UtcDateTime
from idp.storage.enterprises import RealNameApplication, Upload


class HeldScan(Base):
    """A scan that was fine in a form that wasn't, encrypted; until the form comes again, an hour at most."""

    __tablename__ = "held_scans"
    __table_args__ = (UniqueConstraint("account_id", "subject_type", "purpose"),)

    id: Mapped[str] = mapped_column(String(22), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"))
    subject_type: Mapped[str] = mapped_column(String(16))
    purpose: Mapped[str] = mapped_column(String(32))
    filename_encrypted: Mapped[str] = mapped_column(Text)  # people name files after people
    content_type: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    content_encrypted: Mapped[bytes] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


def hold(session: Session, values: Mapping[str, Any]) -> None:
    """Keep a scan in place of the account's former one for the same field."""
    session.execute(
        delete(HeldScan).where(
            HeldScan.account_id == values["account_id"],
            HeldScan.subject_type == values["subject_type"],
            HeldScan.purpose == values["purpose"],
        )
    )
    session.add(HeldScan(**values))


def list_held(session: Session, account_id: str, subject_type: str, now: datetime) -> Sequence[HeldScan]:
    """An account's held scans for a form without their content (which must not be read from these rows)."""
    statement = (
        select(HeldScan)
        .where(
            HeldScan.account_id == account_id,
            HeldScan.subject_type == subject_type,
            HeldScan.expires_at > now,
        )
        .options(defer(HeldScan.content_encrypted, raiseload=True))
    )
    return session.scalars(statement).all()


def find_held(session: Session, held_id: str, account_id: str, now: datetime) -> HeldScan | None:
    """One of the account's held scans, with its content."""
    held = session.get(HeldScan, held_id)
    return held if held is not None and held.account_id == account_id and held.expires_at > now else None


def find_held_content(session: Session, held_id: str) -> bytes | None:
    """The content alone."""
    return session.scalar(select(HeldScan.content_encrypted).where(HeldScan.id == held_id))


def drop_held(session: Session, account_id: str) -> None:
    """Forget what is held for an account: its form has been accepted."""
    _overwrite(session)
    session.execute(delete(HeldScan).where(HeldScan.account_id == account_id))


def purge_held(session: Session, before: datetime, limit: int) -> int:
    """Delete held scans whose time was over before then; at most ``limit``."""
    _overwrite(session)
    old = select(HeldScan.id).where(HeldScan.expires_at < before).limit(limit)
    return session.connection().execute(delete(HeldScan).where(HeldScan.id.in_(old))).rowcount


def list_uploads_of_account(
    session: Session, account_id: str
) -> Sequence[tuple[Upload, RealNameApplication]]:
    """An account's uploads without their content, and the submissions they belong to, the newest first."""
    statement = (
        select(Upload, RealNameApplication)
        .join(RealNameApplication, RealNameApplication.id == Upload.application_id)
        .where(Upload.account_id == account_id)
        .options(defer(Upload.content_encrypted, raiseload=True))
        .order_by(Upload.created_at.desc(), Upload.purpose)
    )
    return [(upload, application) for upload, application in session.execute(statement)]


def take_decided_uploads(session: Session, before: datetime, limit: int) -> list[tuple[str, str, str]]:
    """Delete uploads whose submission was decided before then, at most ``limit``.

    Returns id, account and purpose of each; of two workers at once each upload is one's.
    """
    due = (
        select(Upload.id)
        .join(RealNameApplication, RealNameApplication.id == Upload.application_id)
        .where(RealNameApplication.decided_at < before, RealNameApplication.status != "pending")
        .limit(limit)
    )
    return _take(session, Upload.id.in_(due))


def take_uploads_of_application(session: Session, application_id: str) -> list[tuple[str, str, str]]:
    """Delete a submission's uploads; id, account and purpose of each."""
    return _take(session, Upload.application_id == application_id)


def take_uploads_of_account(session: Session, account_id: str) -> list[tuple[str, str, str]]:
    """Delete an account's uploads and held scans; id, account and purpose of each upload."""
    drop_held(session, account_id)
    return _take(session, Upload.account_id == account_id)


def _overwrite(session: Session) -> None:
    """Let SQLite write zeros over what this connection deletes from now on; PostgreSQL vacuums."""
    if session.get_bind().dialect.name == "sqlite":
        session.connection().exec_driver_sql("PRAGMA secure_delete = ON")


def _take(session: Session, condition: Any) -> list[tuple[str, str, str]]:
    _overwrite(session)
    deleted = session.execute(
        delete(Upload)
        .where(condition)
        .returning(Upload.id, Upload.account_id, Upload.purpose)
        .execution_options(synchronize_session=False)
    )
    return [(upload_id, account_id, purpose) for upload_id, account_id, purpose in deleted]
